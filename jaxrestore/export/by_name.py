"""Export by name: what `jaxrestore export` and `jaxrestore.export_network` do."""

import dataclasses
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import flax.linen as nn
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.export.calibrated import calibrated
from jaxrestore.export.network import Exportable, exportable
from jaxrestore.export.stablehlo import PLATFORMS, write_stablehlo
from jaxrestore.inference.restorer import Restorer
from jaxrestore.typing import Variables
from jaxrestore.weights import Weights

FORMATS = ("stablehlo", "onnx")


def export_network(
    model_or_tag: str | nn.Module | Weights,
    path: str | PathLike,
    weights: str | PathLike | Weights | Variables | None = None,
    *,
    format: str | None = None,
    size: tuple[int, int] | None = None,
    platforms: Sequence[str] = PLATFORMS,
    weights_beside: bool = False,
    int8_weights: bool = False,
    int8: str | PathLike | np.ndarray | None = None,
    sigma: float | int | None = None,
    scale: int | None = None,
) -> dict[str, Any]:
    """Write a network with its weights to a file that runs without this package's networks.

    Args:
      model_or_tag: as for `Restorer`.
      path: the file; an existing one is replaced.
      weights: as for `Restorer`.
      format: "stablehlo" (run it by `jaxrestore.load_exported`) or "onnx"; None goes by the file's suffix, .onnx or another.
      size: (height, width) of the images, for networks that cannot be exported for every size; None is every size.
      platforms: what a StableHLO program shall run on: "cpu", "cuda", "rocm" and "tpu", any of them. The machine need not have them.
      weights_beside: StableHLO only: the weights go to a .safetensors file of the same name.
      int8_weights: StableHLO only: kernels are stored in eight bits, with a scale for each output channel; the file is about a quarter as
        large, and the arithmetic stays in 32 bits.
      int8: images such as the network will be given, from which it is learned what goes through its convolutions: a folder of pictures, or
        an array (N, H, W, channels), floating point with white = 1. Convolutions then compute with whole numbers of eight bits.
      sigma: noise level in grey levels, fixed in the program, for a network that takes one; None leaves it an input.
      scale: for networks that have several, or that take images after interpolation: the enlargement.

    Returns:
      What the file says of the network: name, channels, scale, inputs...

    Raises:
      InputError: as for `Restorer`; or the network cannot be exported in this format or for every size, or the file cannot be written.
    """
    path = Path(path)
    format = format or ("onnx" if path.suffix.lower() == ".onnx" else "stablehlo")
    if format not in FORMATS:
        raise InputError(f"format is {format!r}: it must be {' or '.join(FORMATS)}")
    if size is not None and min(size) < 1:
        raise InputError(f"size is {size[0]}x{size[1]}: both sides must be at least 1")
    if format == "onnx" and (weights_beside or int8_weights):
        option = "weights_beside" if weights_beside else "int8_weights"
        raise InputError(f"an ONNX file holds its weights, in 32 bits unless int8 is given: leave {option} out")
    network = dataclasses.replace(_network(model_or_tag, weights, sigma, scale), int8_weights=int8_weights)
    if int8 is not None:
        network = calibrated(network, int8)
    if format == "stablehlo":
        return write_stablehlo(network, path, platforms=platforms, size=size, weights_beside=weights_beside)
    from jaxrestore.export.onnx.write import write_onnx

    return write_onnx(network, path, size=size)


def _network(
    model_or_tag: str | nn.Module | Weights, weights: Any, sigma: float | int | None = None, scale: int | None = None
) -> Exportable:
    return exportable(Restorer(model_or_tag, weights, scale=scale), sigma)
