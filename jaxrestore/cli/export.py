"""`jaxrestore export MODEL -o FILE`."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg


@dataclass(frozen=True)
class Export:
    """Write a network with its weights to one file that runs without this package's networks.

    A .onnx file is ONNX; any other (.jaxexport) is StableHLO for CPU, CUDA and TPU, which jaxrestore.load_exported runs. Both take any
    number of images of any height and width.
    """

    output: Annotated[Path, arg(aliases=("-o",))]
    """The file."""
    model: Annotated[Positional[str | None], arg(metavar="[MODEL]")] = None
    """A name or tag of `jaxrestore models`; with --weights alone the network is recognised from them."""
    weights: Annotated[Path | None, arg(metavar="FILE")] = None
    """A file of weights; not needed for a tag."""
    format: Annotated[str | None, arg(metavar="stablehlo|onnx")] = None
    """By default what the file's suffix says."""
    size: Annotated[str | None, arg(metavar="HEIGHTxWIDTH")] = None
    """The one size of images, for networks that cannot be exported for every size."""
    platforms: Annotated[str, arg(metavar="NAME,NAME")] = "cpu,cuda,tpu"
    """What a StableHLO program shall run on: cpu, cuda, rocm, tpu."""
    weights_beside: bool = False
    """Write the weights of a StableHLO program to a .safetensors file beside it."""
    int8_weights: bool = False
    """Store the kernels of a StableHLO program in eight bits: a quarter of the file; the arithmetic stays in 32 bits."""
    int8: Annotated[Path | None, arg(metavar="FOLDER")] = None
    """Compute convolutions in eight bits, for what goes through them on the pictures of this folder: such as the network will be given."""
    sigma: Annotated[float | None, arg(metavar="FLOAT")] = None
    """The noise level in grey levels, fixed in the program; by default it is an input of a network that takes one."""
    scale: Annotated[int | None, arg(metavar="INT")] = None
    """The enlargement, for networks that have several or take pictures after interpolation."""

    def run(self) -> None:
        """Export."""
        from jaxrestore.errors import InputError
        from jaxrestore.export.by_name import export_network
        from jaxrestore.weights import load_weights

        if self.model is None and self.weights is None:
            raise InputError("nothing to export is named: give a name or tag of `jaxrestore models`, or --weights FILE")
        known = self.model is None and self.weights is not None
        about = export_network(
            load_weights(self.weights) if known else self.model,
            self.output,
            None if known else self.weights,
            format=self.format,
            size=_size(self.size),
            platforms=tuple(name.strip() for name in self.platforms.split(",") if name.strip()),
            weights_beside=self.weights_beside,
            int8_weights=self.int8_weights,
            int8=self.int8,
            sigma=self.sigma,
            scale=self.scale,
        )
        sizes = f"images of {self.size}" if self.size else f"images of any size from {about['least']}x{about['least']}"
        takes = " and ".join(entry["name"] for entry in about["inputs"])
        print(f"{about['name']} -> {self.output}: takes {takes}, {sizes}", file=sys.stderr)


def _size(text: str | None) -> tuple[int, int] | None:
    from jaxrestore.errors import InputError

    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,6})x(\d{1,6})", text.strip().lower())
    if not found:
        raise InputError(f"size is {text!r}: give HEIGHTxWIDTH in pixels, such as 256x384")
    return int(found[1]), int(found[2])
