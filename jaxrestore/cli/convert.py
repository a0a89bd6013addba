"""`jaxrestore convert SOURCE -o DEST`."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg


@dataclass(frozen=True)
class Convert:
    """Convert a file of weights: from any supported layout to our own, or back to the reference's.

    Read: .pth, .pt, .pkl (without running anything in them), .mat, .h5, .npz, safetensors and Orbax folders.
    """

    source: Annotated[Positional[Path], arg(metavar="SOURCE")]
    """The weights."""
    output: Annotated[Path, arg(aliases=("-o",))]
    """A .safetensors file, or a folder for an Orbax checkpoint."""
    model: Annotated[str | None, arg(metavar="NAME")] = None
    """The network; recognised from names and shapes by default."""
    reference: bool = False
    """Write the names and layout of the reference implementation, for its own code to load."""

    def run(self) -> None:
        """Convert."""
        from jaxrestore.weights import convert

        written = convert(self.source, self.output, self.model, reference=self.reference)
        print(f"{self.source} ({written.name}) -> {self.output}", file=sys.stderr)
