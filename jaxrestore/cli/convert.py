"""`jaxrestore convert SOURCE -o DEST`."""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

if TYPE_CHECKING:
    from jaxrestore.weights import Weights


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
    prune: Annotated[float | None, arg(metavar="SHARE")] = None
    """Remove this share of the channels inside the network (DnCNN, EDSR, NAFNet): the weights of a smaller one, to be trained further."""
    images: Annotated[Path | None, arg(metavar="FOLDER")] = None
    """For --prune: pictures such as the network will be given, by which it is found which channels matter least."""

    def run(self) -> None:
        """Convert."""
        from jaxrestore.weights import convert
        from jaxrestore.weights.describe import fields_of

        written = convert(self._pruned() or self.source, self.output, self.model, reference=self.reference)
        print(f"{self.source} ({written.name}) -> {self.output}", file=sys.stderr)
        if self.prune is not None:
            fields = shlex.join(f"model.fields.{name}={value}" for name, value in fields_of(written.model).items())
            print(f"train it further: jaxrestore train EXPERIMENT {fields} transfer.source={self.output}", file=sys.stderr)

    def _pruned(self) -> "Weights | None":
        from jaxrestore.data.samples import samples
        from jaxrestore.errors import InputError
        from jaxrestore.weights import load_weights, prune

        if (self.prune is None) != (self.images is None):
            raise InputError("--prune SHARE and --images FOLDER go together")
        if self.prune is None or self.images is None:
            return None
        if not 0 <= self.prune < 1:
            raise InputError(f"--prune is {self.prune}: give the share of channels to remove, at least 0 and below 1")
        weights = load_weights(self.source, self.model)
        return prune(weights, samples(self.images, getattr(weights.model, "channels", 3)), 1 - self.prune)
