"""safetensors files: arrays by name and a few words of text, with the types that NumPy lacks."""

import json
from collections.abc import Mapping
from pathlib import Path

import ml_dtypes
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.weights.guard import reading, replacing

_DTYPES = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "BF16": ml_dtypes.bfloat16,
    "F8_E4M3": ml_dtypes.float8_e4m3fn,
    "F8_E5M2": ml_dtypes.float8_e5m2,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U64": np.uint64,
    "U32": np.uint32,
    "U16": np.uint16,
    "U8": np.uint8,
    "BOOL": np.bool_,
}


def read(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Arrays and metadata.

    Raises:
      InputError: the file is damaged.
    """
    import safetensors

    with reading(path, "safetensors file"):
        content = path.read_bytes()
        entries = safetensors.deserialize(content)  # checks every bound and that nothing overlaps
        unknown = sorted({entry["dtype"] for _, entry in entries} - set(_DTYPES))
        if unknown:
            raise InputError(f"holds tensors of type {', '.join(unknown)}, which is not supported")
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])
        order = {name: place for place, name in enumerate(header)}
        entries = sorted(entries, key=lambda entry: order[entry[0]])
        tensors = {name: np.frombuffer(entry["data"], _DTYPES[entry["dtype"]]).reshape(entry["shape"]) for name, entry in entries}
        return tensors, header.get("__metadata__", {})


def write(path: Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> None:
    """Write a file, whole or not at all.

    Args:
      path: the file; an existing one is replaced.
      tensors: arrays by name, of any layout in memory.
      metadata: text by name.

    Raises:
      InputError: it cannot be written there.
    """
    from safetensors.numpy import save

    data = save({name: np.ascontiguousarray(value) for name, value in tensors.items()}, dict(metadata or {}))
    with replacing(path) as temporary:
        temporary.write_bytes(data)  # not save_file, whose files only their owner may read
