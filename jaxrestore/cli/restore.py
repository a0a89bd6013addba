"""`jaxrestore restore INPUT... -o OUT`."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg


@dataclass(frozen=True)
class Restore:
    """Restore pictures with a network or a classical method.

    Size (times the network's scale), bit depth, grey or colour, transparency, colour profile and EXIF are kept. Folders are searched with
    their subfolders, and their structure is kept.
    """

    inputs: Annotated[Positional[tuple[Path, ...]], arg(metavar="INPUT...", help_behavior_hint="(required)")]
    """Pictures and folders."""
    output: Annotated[Path, arg(aliases=("-o",))]
    """A folder, or a file for one picture."""
    model: Annotated[str | None, arg(metavar="NAME")] = None
    """A name or tag of `jaxrestore models`, or a classical method with its arguments, such as median:size=5; the shipped colour denoiser by
    default."""
    weights: Annotated[Path | None, arg(metavar="FILE")] = None
    """A file of weights; without --model the network is recognised from it."""
    tile: Annotated[str, arg(metavar="auto|off|N")] = "auto"
    """Largest side of a tile in pixels, halo included; auto takes the whole picture where it fits the memory."""
    ensemble: bool = False
    """Average the results of the eight turned and mirrored pictures: slower, a little better."""
    memory: Annotated[str | None, arg(metavar="SIZE")] = None
    """What the computation may use, such as 2GiB; half of what is free by default."""

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

    def run(self) -> None:
        """Restore."""
        from jaxrestore.cli.files import plan_jobs, run_jobs
        from jaxrestore.cli.networks import make_restorer
        from jaxrestore.data.images import Picture
        from jaxrestore.errors import InputError
        from jaxrestore.inference.inputs import read_mask, read_psf

        planned = plan_jobs(self.inputs, self.output)
        psf = None if self.psf is None else read_psf(self.psf)
        restorer = make_restorer(
            self.model,
            self.weights,
            self.tile,
            self.ensemble,
            self.memory,
            psf=psf,
            sigma=self.sigma,
            quality=self.quality,
            scale=self.scale,
        )
        if self.mask is not None and "mask" not in restorer.takes:
            raise InputError(f"{restorer.name} takes no mask")

        def restore(picture: Picture, path: Path) -> Picture:
            return restorer.restore_picture(picture, mask=None if self.mask is None else read_mask(self.mask, path.name))

        count = run_jobs(planned, restore, "restoring")
        print(f"{count} restored with {restorer.name} -> {self.output}", file=sys.stderr)
