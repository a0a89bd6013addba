"""Export to StableHLO by `jax.export`: one program for every platform and for images of every size."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.export.load import ENTRY, FORMAT, PROGRAM, checksum
from jaxrestore.export.network import Exportable
from jaxrestore.typing import Side
from jaxrestore.weights import safetensors_file

PLATFORMS = ("cpu", "cuda", "tpu")
# What a side is at least: a network may do something else with fewer pixels (pool smaller windows...), and the program is one for all.
LEAST_SIDES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


def write_stablehlo(
    network: Exportable,
    path: Path,
    *,
    platforms: Sequence[str] = PLATFORMS,
    size: tuple[int, int] | None = None,
    weights_beside: bool = False,
) -> dict[str, Any]:
    """Write a file that `jaxrestore.export.load` runs.

    Args:
      network: what to export.
      path: the file; an existing one is replaced.
      platforms: "cpu", "cuda", "rocm" and "tpu", any of them; the machine need not have them.
      size: (height, width) of the images; None for any.
      weights_beside: write the weights to a .safetensors file of the same name beside it.

    Returns:
      What the file says of the network.

    Raises:
      InputError: the network is not one for images of every size, a platform is unknown, or the file cannot be written.
    """
    try:
        import flatbuffers  # noqa: F401 (what `serialize` needs)
    except ImportError as error:
        raise InputError("export needs flatbuffers: pip install 'jaxrestore[export]'") from error
    unknown = sorted(set(platforms) - {*PLATFORMS, "rocm"})
    if unknown or not platforms:
        raise InputError(f"platforms {', '.join(unknown) or 'are missing'}: choose from cpu, cuda, rocm and tpu")
    weights = network.weights
    exported, least = lower(network, platforms, size)
    program = bytes(exported.serialize())
    beside = path.with_suffix(".safetensors") if weights_beside else None
    if beside == path:
        raise InputError(f"{path}: the weights go beside it to a file of this name: choose another suffix, such as .jaxexport")
    height, width = size or (None, None)
    about = {
        "format": FORMAT,
        **network.about(),
        "size": {"height": height, "width": width},
        "least": least,
        "platforms": list(platforms),
        "jax": jax.__version__,
        "weights_file": beside.name if beside else None,
        "program_checksum": hashlib.sha256(program).hexdigest(),
        "weights": {name: {"checksum": checksum(value)} for name, value in weights.items()},
    }
    entry = {ENTRY: json.dumps(about)}
    own = {PROGRAM: np.frombuffer(program, np.uint8)}
    if beside:
        safetensors_file.write(beside, weights)
    safetensors_file.write(path, own if beside else {**weights, **own}, entry)
    return about


def lower(network: Exportable, platforms: Sequence[str], size: tuple[int, int] | None) -> tuple[Any, int]:
    """The `jax.export.Exported`, and what a side of the image is at least.

    Raises:
      InputError: the network is not one for images of every size.
    """
    from jax import export

    weights = tuple(jax.ShapeDtypeStruct(value.shape, value.dtype) for value in network.weights.values())
    function = jax.jit(network.function())

    def attempt(batch: Side, height: Side, width: Side) -> Any:
        return export.export(function, platforms=platforms)(weights, network.inputs(batch, height, width))

    if size is not None:
        return attempt(export.symbolic_shape("n")[0], *size), 1
    return for_any_size(attempt, network)


def for_any_size(attempt: Callable[[Side, Side, Side], Any], network: Exportable) -> tuple[Any, int]:
    """What `attempt` makes of symbols for batch, height and width, and the number of pixels from which these sides may start.

    Args:
      attempt: called with the symbols; it may raise where what it does depends on a size.
      network: what is exported.

    Raises:
      InputError: no symbols will do, or the network is made for one size.
    """
    from jax import export

    if hasattr(network.model, "image_size"):
        raise InputError(f"{network.name} works on squares of one size: give the images' size with --size HEIGHTxWIDTH")

    reason: Exception | None = None
    for least in LEAST_SIDES:
        batch, height, width = export.symbolic_shape("n, h, w", constraints=[f"h >= {least}", f"w >= {least}"])
        try:
            return attempt(batch, height, width), least
        except jax.errors.InconclusiveDimensionOperation as error:
            reason = error
        except (TypeError, ValueError) as error:
            reason = error
    said = " ".join(str(reason).split())[:160]
    raise InputError(f"{network.name} cannot be exported for images of every size ({said}): give one with --size HEIGHTxWIDTH") from reason
