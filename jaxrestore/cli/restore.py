"""`jaxrestore restore INPUT... -o OUT`."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg


@dataclass(frozen=True)
class Restore:
    """Restore pictures with a network.

    Size (times the network's scale), bit depth, grey or colour, transparency, colour profile and EXIF are kept. Folders are searched with
    their subfolders, and their structure is kept.
    """

    inputs: Annotated[Positional[tuple[Path, ...]], arg(metavar="INPUT...", help_behavior_hint="(required)")]
    """Pictures and folders."""
    output: Annotated[Path, arg(aliases=("-o",))]
    """A folder, or a file for one picture."""
    model: Annotated[str | None, arg(metavar="NAME")] = None
    """A name or tag of `jaxrestore models`; the shipped colour denoiser by default."""
    weights: Annotated[Path | None, arg(metavar="FILE")] = None
    """A file of weights; without --model the network is recognised from it."""
    tile: Annotated[str, arg(metavar="auto|off|N")] = "auto"
    """Largest side of a tile in pixels, halo included; auto takes the whole picture where it fits the memory."""
    ensemble: bool = False
    """Average the results of the eight turned and mirrored pictures: slower, a little better."""
    memory: Annotated[str | None, arg(metavar="SIZE")] = None
    """What the computation may use, such as 2GiB; half of what is free by default."""

    def run(self) -> None:
        """Restore."""
        from jaxrestore.cli.files import plan_jobs, run_jobs
        from jaxrestore.cli.networks import make_restorer

        planned = plan_jobs(self.inputs, self.output)
        restorer = make_restorer(self.model, self.weights, self.tile, self.ensemble, self.memory)
        count = run_jobs(planned, lambda picture, path: restorer.restore_picture(picture), "restoring")
        print(f"{count} restored with {restorer.name} -> {self.output}", file=sys.stderr)
