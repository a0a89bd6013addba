"""`jaxrestore restore INPUT... -o OUT`."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, UseAppendAction, arg

from jaxrestore.cli.restore_video import VideoOptions, are_videos, restore_videos


@dataclass(frozen=True)
class Restore:
    """Restore pictures or videos with a network or a classical method.

    Size (times the network's scale), bit depth, grey or colour, transparency, colour profile and EXIF are kept. Folders are searched with
    their subfolders, and their structure is kept.
    """

    inputs: Annotated[Positional[tuple[Path, ...]], arg(metavar="INPUT...", help_behavior_hint="(required)")]
    """Pictures and folders, or videos."""
    output: Annotated[Path, arg(aliases=("-o",))]
    """A folder, or a file for one picture."""
    model: Annotated[UseAppendAction[tuple[str, ...]], arg(metavar="NAME")] = ()
    """A name or tag of `jaxrestore models`, or a classical method with its arguments, such as median:size=5; the shipped colour denoiser by
    default. Given several times, the results are averaged."""
    weights: Annotated[UseAppendAction[tuple[Path, ...]], arg(metavar="FILE|FOLDER")] = ()
    """A file of weights, or a folder of files that are named after their models; without --model the network is recognised from the file.
    Given several times, the results are averaged."""
    tile: Annotated[str, arg(metavar="auto|off|N|blend[:N]")] = "auto"
    """Largest side of a tile in pixels, halo included; auto takes the whole picture where it fits the memory. Tiles give what the whole
    picture would; networks for which they cannot are refused, unless blend allows overlapping tiles that only come near."""
    ensemble: bool = False
    """Average the results of the eight turned and mirrored pictures: slower, a little better."""
    memory: Annotated[str | None, arg(metavar="SIZE")] = None
    """What the computation may use, such as 2GiB; half of what is free by default."""
    spread: Annotated[Path | None, arg(metavar="FILE|FOLDER")] = None
    """Also write where several models or weights disagree: the standard deviation of each pixel, white = 1, as floating-point TIFF (or a
    16-bit PNG where the file is called so)."""
    max_pixels: Annotated[float, arg(metavar="N")] = 500e6
    """Pictures with more pixels than this are refused before they are decoded; inf lifts the limit."""

    psf: Annotated[str | None, arg(metavar="KERNEL|FILE")] = None
    """For methods that need it: the blur's kernel, such as gaussian:sigma=1.6, or a picture or .npy file of it."""
    mask: Annotated[Path | None, arg(metavar="FILE|FOLDER")] = None
    """For networks and methods that need it: a picture of the same size, white where content is missing, or a folder of them of the same
    names."""
    sigma: Annotated[float | None, arg(metavar="FLOAT")] = None
    """For networks and methods that need it: standard deviation of the noise in grey levels."""
    scale: Annotated[int | None, arg(metavar="INT")] = None
    """For methods that need it, for networks that take pictures after interpolation (such as vdsr) or have several scales (such as carn):
    the enlargement."""
    quality: Annotated[int | None, arg(metavar="INT")] = None
    """For methods that need it: the quality that the pictures were saved with as JPEG files."""

    video: VideoOptions = field(default_factory=VideoOptions)

    def run(self) -> None:
        """Restore."""
        from jaxrestore.cli.files import plan_jobs, report
        from jaxrestore.cli.networks import make_restorer
        from jaxrestore.errors import InputError

        if not self.max_pixels > 0:
            raise InputError(f"max-pixels is {self.max_pixels}: it is a positive number, or inf")
        if are_videos(self.inputs, self.output):
            restore_videos(self)
            return
        planned = plan_jobs(self.inputs, self.output, self.spread)

        from jaxrestore.inference.folder import restore_files
        from jaxrestore.inference.inputs import read_psf

        restorer = make_restorer(
            self.model,
            self.weights,
            self.tile,
            self.ensemble,
            self.memory,
            psf=None if self.psf is None else read_psf(self.psf),
            sigma=self.sigma,
            quality=self.quality,
            scale=self.scale,
        )
        if self.mask is not None and "mask" not in restorer.takes:
            raise InputError(f"{restorer.name} takes no mask")
        if self.spread is not None and restorer.members == 1:
            raise InputError(f"{restorer.name} is alone: a spread needs several --model or --weights")
        count = report(planned, restore_files(restorer, planned.jobs, masks=self.mask, max_pixels=self.max_pixels), "restoring")
        for blend in dict.fromkeys(map(str, restorer.blends)):
            print(f"not what the whole picture would give: {blend}", file=sys.stderr)
        print(f"{count} restored with {restorer.name} -> {self.output}", file=sys.stderr)
