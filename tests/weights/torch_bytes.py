"""Torch files written by hand, instruction by instruction, so that the tests need neither torch nor a trusted pickler."""

import io
import pickle
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TYPES = {
    "float64": "DoubleStorage",
    "float32": "FloatStorage",
    "float16": "HalfStorage",
    "bfloat16": "BFloat16Storage",
    "int64": "LongStorage",
    "int32": "IntStorage",
    "int16": "ShortStorage",
    "int8": "CharStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
    "complex64": "ComplexFloatStorage",
}


@dataclass(frozen=True)
class Tensor:
    """A view of a storage: which one, and where in it."""

    storage: str
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def integer(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def integers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(integer, values)) + b"t"


def tensor(value: Tensor, storages: dict[str, np.ndarray], legacy: bool, parameter: bool = False) -> bytes:
    storage = storages[value.storage]
    kind = f"ctorch\n{TYPES[storage.dtype.name]}\n".encode()
    reference = (
        b"(" + text("storage") + kind + text(value.storage) + text("cpu") + integer(storage.size) + (b"N" if legacy else b"") + b"tQ"
    )
    hooks = b"ccollections\nOrderedDict\n)R"
    body = reference + integer(value.offset) + integers(value.size) + integers(value.stride) + b"\x89" + hooks
    made = b"ctorch._utils\n_rebuild_tensor_v2\n(" + body + b"tR"
    return b"ctorch._utils\n_rebuild_parameter\n(" + made + b"\x88" + hooks + b"tR" if parameter else made


def state_dict(tensors: dict[str, Tensor], storages: dict[str, np.ndarray], legacy: bool) -> bytes:
    items = b"".join(text(name) + tensor(value, storages, legacy, name.startswith("p")) for name, value in tensors.items())
    # An ordered dictionary with an attribute, as torch writes it.
    return b"ccollections\nOrderedDict\n)R(" + items + b"u}" + text("_metadata") + b"}sb"


def wrapped(key: str, content: bytes) -> bytes:
    return b"}(" + text("epoch") + integer(3) + text(key) + content + b"u"


def write_zip(path: Path, program: bytes, storages: dict[str, np.ndarray]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + program + b".")
        archive.writestr("archive/byteorder", "little")
        for key, value in storages.items():
            archive.writestr(f"archive/data/{key}", value.tobytes())
        archive.writestr("archive/version", "3\n")
    return path


def write_legacy(path: Path, program: bytes, storages: dict[str, np.ndarray]) -> Path:
    file = io.BytesIO()
    facts = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    for value in (0x1950A86A20F9469CFC6C, 1001, facts):
        pickle.dump(value, file, protocol=2)
    file.write(b"\x80\x02" + program + b".")
    pickle.dump(sorted(storages), file, protocol=2)
    for key in sorted(storages):
        file.write(struct.pack("<q", storages[key].size) + storages[key].tobytes())
    path.write_bytes(file.getvalue())
    return path


WRITERS = {"zip": write_zip, "legacy": write_legacy}


def write_arrays(path: Path, arrays: dict[str, np.ndarray], layout: str = "zip") -> Path:
    """A state dict of contiguous arrays, each in a storage of its own."""
    storages = {str(i): np.ascontiguousarray(value).reshape(-1) for i, value in enumerate(arrays.values())}
    tensors = {}
    for i, (name, value) in enumerate(arrays.items()):
        stride = tuple(int(np.prod(value.shape[axis + 1 :])) for axis in range(value.ndim))
        tensors[name] = Tensor(str(i), 0, value.shape, stride)
    return WRITERS[layout](path, state_dict(tensors, storages, layout == "legacy"), storages)
