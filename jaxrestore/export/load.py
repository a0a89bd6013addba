"""Run an exported network. Nothing of the package's networks is imported: JAX, NumPy and flatbuffers are enough.

A file is in safetensors' format: the weights by their names, the program (what `jax.export` serialises) as the bytes `PROGRAM`, and in the
metadata under `ENTRY` what the network is. Where the weights lie beside it, the file holds the program alone and names theirs.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np

from jaxrestore.errors import InputError

FORMAT = 1
ENTRY = "jaxrestore.export"
PROGRAM = "program"
_LONGEST_HEADER = 100_000_000
_DTYPES = {"F32": np.float32, "F16": np.float16, "BF16": ml_dtypes.bfloat16, "F64": np.float64, "I32": np.int32, "U8": np.uint8}
_DTYPES |= {"I64": np.int64, "I8": np.int8, "U32": np.uint32, "BOOL": np.bool_}


class ExportedNetwork:
    """A network out of a file, as a function.

    Args:
      path: a file that `jaxrestore export` wrote. Its weights, where they lie beside it, must be in the same folder.

    Attributes:
      about: what the file says of the network: name, channels, scale, multiple, range, inputs, platforms...

    Raises:
      InputError: no such file, one that was not exported by this package or is damaged, or weights that do not belong to it.
    """

    def __init__(self, path: str | PathLike) -> None:
        self.path = Path(path)
        tensors, metadata = _read(self.path)
        if ENTRY not in metadata or PROGRAM not in tensors:
            raise InputError(f"{path} is not an exported network: make one with `jaxrestore export`")
        self.about: Mapping[str, Any] = _description(metadata[ENTRY], self.path)
        self._program = tensors.pop(PROGRAM).tobytes()
        beside = self.about["weights_file"]
        if beside:
            tensors = _read(self.path.parent / Path(beside).name)[0]
        expected = self.about["weights"]
        for name, entry in expected.items():
            if name not in tensors or checksum(tensors[name]) != entry["checksum"]:
                where = self.path.parent / beside if beside else self.path
                raise InputError(f"{where}: {name} is not what {self.path.name} was exported with: copy both again")
        if hashlib.sha256(self._program).hexdigest() != self.about["program_checksum"]:
            raise InputError(f"{path}: its program is damaged: copy it again")
        self._weights = tuple(tensors[name] for name in expected)

    @property
    def name(self) -> str:
        """What the network is called."""
        return self.about["name"]

    @cached_property
    def _call(self) -> Any:
        try:
            from jax import export

            exported = export.deserialize(bytearray(self._program))
        except ImportError as error:
            raise InputError("reading an exported network needs flatbuffers: pip install flatbuffers") from error
        return jax.jit(exported.call)

    @cached_property
    def _placed(self) -> tuple[jax.Array, ...]:
        return jax.device_put(self._weights)

    def __call__(self, image: np.ndarray | jax.Array, **maps: np.ndarray | jax.Array | float) -> jax.Array:
        """Run the network; compiled once for each shape.

        Args:
          image: (N, H, W, channels) or (H, W, channels), floating point with white = 1.
          **maps: what else `about["inputs"]` names: `noise_level`, the noise's standard deviation with white = 1, a number or a map
            (N, H, W, 1); `mask` (N, H, W, 1), true where content is missing.

        Returns:
          What the network gives, (N, scale * H, scale * W, channels), or without N where none came in.

        Raises:
          InputError: an image of other dimensions, channels or size than the file takes, a missing or unknown map, or a machine for which
            the file was not made.
        """
        batched = jnp.ndim(image) == 4
        image = jnp.asarray(image, jnp.float32)
        image = image if batched else image[None]
        self._check(image, maps)
        inputs = [image]
        for entry in self.about["inputs"][1:]:
            shape = (*image.shape[:3], 1)
            value = jnp.asarray(maps[entry["name"]], entry["dtype"])
            value = value[None] if value.ndim == 3 else value
            if value.ndim and value.shape != shape:
                raise InputError(f"{entry['name']} has the shape {value.shape}: {self.name} needs {shape} or a number")
            inputs.append(value if value.ndim else jnp.full(shape, value))
        result = self._call(self._placed, tuple(inputs))
        return result if batched else result[0]

    def _check(self, image: jax.Array, maps: Mapping[str, Any]) -> None:
        names = [entry["name"] for entry in self.about["inputs"]]
        if image.ndim != 4 or image.shape[-1] != self.about["channels"]:
            raise InputError(f"{self.name} takes images (N, H, W, {self.about['channels']}), not {image.shape}")
        missing, unknown = set(names[1:]) - set(maps), set(maps) - set(names[1:])
        if missing or unknown:
            raise InputError(f"{self.name} needs {min(missing)}" if missing else f"{self.name} takes no {min(unknown)}")
        for side, length in zip(("height", "width"), image.shape[1:3], strict=True):
            fixed, least = self.about["size"][side], self.about["least"]
            if fixed and length != fixed:
                raise InputError(f"{side} is {length}: {self.path.name} was exported for {fixed}")
            if length < least:
                raise InputError(f"{side} is {length}: {self.path.name} needs at least {least}")
        platform = jax.default_backend()
        platform = "cuda" if platform == "gpu" else platform
        if platform not in self.about["platforms"]:
            made = ", ".join(self.about["platforms"])
            raise InputError(f"{self.path.name} was exported for {made}, not for {platform}: export it again with --platforms")


def load_exported(path: str | PathLike) -> ExportedNetwork:
    """A network that `jaxrestore export` wrote, as a function from images to images.

    Raises:
      InputError: as for `ExportedNetwork`.
    """
    return ExportedNetwork(path)


def checksum(tensor: np.ndarray) -> str:
    """What says that a tensor is the one that was written."""
    return hashlib.sha256(np.ascontiguousarray(tensor).reshape(-1).view(np.uint8)).hexdigest()[:32]


def _description(text: str, path: Path) -> dict[str, Any]:
    try:
        about = json.loads(text)
        later = about["format"] > FORMAT
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: its description is damaged: copy it again") from error
    if later:
        raise InputError(f"{path} was exported by a later version of jaxrestore: update the package")
    missing = sorted(
        {"name", "channels", "inputs", "size", "least", "platforms", "weights", "weights_file", "program_checksum"} - set(about)
    )
    if missing:
        raise InputError(f"{path}: its description lacks {missing[0]!r}: copy it again")
    return about


def _read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The tensors and the metadata of a safetensors file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        length = int.from_bytes(content[:8], "little")
        if not 0 < length <= min(len(content) - 8, _LONGEST_HEADER):
            raise ValueError("no header")
        header = json.loads(content[8 : 8 + length])
        metadata = header.pop("__metadata__", {})
        data, tensors = memoryview(content)[8 + length :], {}
        for name, entry in header.items():
            start, end = entry["data_offsets"]
            tensors[name] = np.frombuffer(data[start:end], _DTYPES[entry["dtype"]]).reshape(entry["shape"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is not a safetensors file or is damaged: copy it again, or make it with `jaxrestore export`") from error
    return tensors, metadata
