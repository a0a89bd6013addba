"""Torch checkpoints without torch: both of its file layouts, and plain pickles of NumPy arrays.

The newer layout is a zip archive with a pickle `data.pkl` and one entry a storage; the older is a sequence of pickles (a magic number, a
protocol number, facts about the machine, the object, the list of storages) followed by the raw storages. In both, a tensor is a storage, an
offset, a size and strides.
"""

import io
import math
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.weights.guard import check_unpacked_size, reading
from jaxrestore.weights.pickle_machine import KEYS, Buildable, Machine, Permitted, expect

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001

_STORAGES = {
    "DoubleStorage": np.float64,
    "FloatStorage": np.float32,
    "HalfStorage": np.float16,
    "BFloat16Storage": ml_dtypes.bfloat16,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ShortStorage": np.int16,
    "CharStorage": np.int8,
    "ByteStorage": np.uint8,
    "BoolStorage": np.bool_,
    "ComplexFloatStorage": np.complex64,
    "ComplexDoubleStorage": np.complex128,
    "UntypedStorage": np.uint8,
}
_DTYPES = (
    *("float64", "double", "float32", "float", "float16", "half", "bfloat16", "int64", "long", "int32", "int", "int16", "short"),
    *("int8", "uint8", "bool", "complex64", "complex128"),
)
# Where checkpoints of the usual training codes keep the network; the averaged parameters first.
_WRAPPERS = (
    *("params_ema", "state_dict_ema", "model_ema", "ema"),
    *("params", "state_dict", "model_state_dict", "model", "net", "network", "generator"),
)


def read(path: Path) -> dict[str, np.ndarray]:
    """The state dict of a `.pth`, `.pt` or `.pkl` file.

    Args:
      path: a file in either layout of torch, or a plain pickle of NumPy arrays.

    Returns:
      Names and arrays in the file's order and types. An array may be a view of a storage that others share, and read-only.

    Raises:
      InputError: the file is damaged, holds no state dict, or asks for anything but tensors and plain containers.
    """
    with reading(path, "torch file"):
        tree, storages = _read_zip(path) if zipfile.is_zipfile(path) else _read_legacy(path)
        return {name: _array(value, storages) for name, value in state_of(tree).items()}


def state_of(tree: Any) -> dict[str, Any]:
    """The state dict inside a checkpoint: itself, or what its training code wrapped it in ({"params_ema": ...}, {"state_dict": ...}).

    Args:
      tree: nested mappings with arrays at the leaves; other values (an epoch, a score) are left out. Where it holds several numbered
        states, their names begin with the numbers.

    Raises:
      InputError: there is none, or there are several and nothing says which is meant.
    """
    for _ in range(8):
        if not isinstance(tree, Mapping):
            raise InputError(f"holds a {type(tree).__name__} instead of a state dict")
        arrays = {key: value for key, value in tree.items() if isinstance(key, str) and isinstance(value, (np.ndarray, _Tensor, _Array))}
        inner = {key: value for key, value in tree.items() if isinstance(key, str) and isinstance(value, Mapping) and value}
        if arrays:
            return arrays
        named = [key for key in _WRAPPERS if key in inner]
        if not named and len(inner) > 1 and all(key.isdecimal() for key in inner) and len(inner) == len(tree):
            # One network for each of several settings, in one file: {"0": {...}, "1": {...}}.
            return {f"{number}.{name}": value for number, state in inner.items() for name, value in state_of(state).items()}
        if not named and len(inner) != 1:
            keys = ", ".join(map(str, list(tree)[:6])) or "nothing"
            raise InputError(f"holds no state dict of its own (but {keys}): save the network's state_dict() alone")
        tree = inner[named[0]] if named else next(iter(inner.values()))
    raise InputError("is nested too deeply to be a checkpoint")


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: np.dtype
    count: int
    offset: int = 0


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class _DType(Buildable):
    """A NumPy type on its way out of a pickle: its byte order comes after it was made."""

    def __init__(self, name: Any, *_: Any):
        self.value = _plain_dtype(name)

    def build(self, state: Any) -> None:
        self.value = self.value.newbyteorder(expect(state[1], str))


class _Array(Buildable):
    """A NumPy array on its way out of a pickle: its contents come after it was made."""

    def __init__(self, *_: Any):
        self.value = np.zeros(0)

    def build(self, state: Any) -> None:
        _, shape, dtype, fortran, data = state
        self.value = _from_buffer(data, dtype, shape, "F" if fortran else "C").value

    def filled(self, value: np.ndarray) -> "_Array":
        self.value = value
        return self


def _plain_dtype(name: Any) -> np.dtype:
    if not isinstance(name, str):
        raise TypeError("an unexpected type of array")
    dtype = np.dtype(name)
    if dtype.kind not in "biufc" or dtype.shape:
        raise InputError(f"holds an array of type {name[:20]!r}: only numbers are read")
    return dtype


def _mapping(items: Any = ()) -> dict:
    pairs = items.items() if isinstance(items, dict) else items
    return {expect(key, KEYS): value for key, value in pairs}


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> _Array:
    return _Array().filled(np.frombuffer(expect(data, (bytes, bytearray)), expect(dtype, _DType).value).reshape(shape, order=order))


def _rebuild_tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> _Tensor:
    return _Tensor(expect(storage, _Storage), int(offset), tuple(map(int, size)), tuple(map(int, stride)))


def _rebuild_from_type(function: Any, _type: Any, arguments: Any, _state: Any = None) -> Any:
    if function not in (PERMITTED["torch._utils _rebuild_tensor_v2"], PERMITTED["torch._utils _rebuild_parameter"]):
        raise TypeError("an unexpected way to make a tensor")
    return function.function(*arguments)


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    return expect(text, str).encode("latin1" if encoding in ("latin1", "latin-1") else "ascii")


def _numpy(name: str, value: Any) -> dict[str, Any]:
    return {f"numpy.{core}.{name}": value for core in ("core", "_core")}


# Everything that a checkpoint may name. None of these calls what the name means: each is a stand-in that only arranges data.
PERMITTED: dict[str, Any] = {
    "torch._utils _rebuild_tensor": Permitted(_rebuild_tensor),
    "torch._utils _rebuild_tensor_v2": Permitted(_rebuild_tensor),
    "torch._utils _rebuild_parameter": Permitted(lambda data, *_: data),
    "torch._utils _rebuild_parameter_with_state": Permitted(lambda data, *_: data),
    "torch._tensor _rebuild_from_type_v2": Permitted(_rebuild_from_type),
    "torch Tensor": "torch.Tensor",
    "torch.nn.parameter Parameter": "torch.nn.Parameter",
    "torch Size": Permitted(lambda size=(): tuple(size)),
    "torch device": Permitted(lambda place, index=None: place),
    "collections OrderedDict": Permitted(_mapping),
    "collections Counter": Permitted(_mapping),
    "builtins set": Permitted(lambda items=(): tuple(items)),
    "__builtin__ set": Permitted(lambda items=(): tuple(items)),
    "_codecs encode": Permitted(_encode),
    "numpy ndarray": "numpy.ndarray",
    "numpy dtype": Permitted(_DType),
    **_numpy("multiarray _reconstruct", Permitted(_Array)),
    **_numpy("multiarray scalar", Permitted(lambda dtype, data: _from_buffer(data, dtype, (), "C").value[()])),
    **_numpy("numeric _frombuffer", Permitted(_from_buffer)),
    **{f"torch {name}": np.dtype(dtype) for name, dtype in _STORAGES.items()},
    "torch.storage UntypedStorage": np.dtype(np.uint8),
    **{f"torch {name}": f"torch.{name}" for name in _DTYPES},
}


def _storage_reference(seen: dict[str, _Storage]) -> Callable[[Any], _Storage]:
    def persistent(reference: Any) -> _Storage:
        kind, dtype, key, _place, count, *view = reference
        if kind != "storage" or not isinstance(dtype, np.dtype) or not isinstance(key, (str, int)) or not isinstance(count, int):
            raise TypeError("an unexpected reference in the pickle")
        offset = int(view[0][1]) if view and view[0] is not None else 0
        storage = _Storage(str(key), dtype, count, offset)
        seen[storage.key] = storage
        return storage

    return persistent


def _read_zip(path: Path) -> tuple[Any, Callable[[str], bytes]]:
    with zipfile.ZipFile(path) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        prefix = next((name.removesuffix("data.pkl") for name in entries if name.endswith("data.pkl") and name.count("/") <= 1), None)
        if prefix is None:
            raise InputError("is a zip archive without a torch checkpoint in it")
        if f"{prefix}constants.pkl" in entries:
            raise InputError("is a TorchScript program, not weights: save its state_dict() with torch.save")
        if entries.get(f"{prefix}byteorder") and archive.read(f"{prefix}byteorder").strip() != b"little":
            raise InputError("was written by a big-endian machine, which is not supported")
        check_unpacked_size(path, sum(entry.file_size for entry in entries.values()))
        seen: dict[str, _Storage] = {}
        tree = Machine(PERMITTED, _storage_reference(seen)).run(io.BytesIO(archive.read(f"{prefix}data.pkl")))
        data = {key: archive.read(f"{prefix}data/{key}") for key in seen}
    return tree, data.__getitem__


def _read_legacy(path: Path) -> tuple[Any, Callable[[str], bytes]]:
    content = path.read_bytes()
    file = io.BytesIO(content)
    seen: dict[str, _Storage] = {}
    first = Machine(PERMITTED).run(file)
    if first != _MAGIC or isinstance(first, bool):
        return first, {}.__getitem__
    if Machine(PERMITTED).run(file) != _PROTOCOL:
        raise InputError("is a torch file of an unknown protocol")
    if Machine(PERMITTED).run(file).get("little_endian") is False:
        raise InputError("was written by a big-endian machine, which is not supported")
    tree = Machine(PERMITTED, _storage_reference(seen)).run(file)
    place: dict[str, bytes] = {}
    for key in Machine(PERMITTED).run(file):
        (count,) = struct.unpack("<q", file.read(8))
        size = count * seen[str(key)].dtype.itemsize
        data = file.read(size) if count >= 0 else b""
        if count < 0 or len(data) != size:
            raise EOFError("the last tensors are missing")
        place[str(key)] = data
    return tree, place.__getitem__


def _array(value: Any, storages: Callable[[str], bytes]) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, _Array):
        return value.value
    storage = value.storage
    data = np.frombuffer(storages(storage.key), np.uint8)
    data = data[: len(data) // storage.dtype.itemsize * storage.dtype.itemsize].view(storage.dtype)
    offset = storage.offset + value.offset
    count = math.prod(value.size)
    last = offset + sum((size - 1) * stride for size, stride in zip(value.size, value.stride, strict=True)) if count else offset
    if min(offset, *value.size, *value.stride, 0) < 0 or count > max(len(data), 1) or (count and last >= len(data)):
        raise ValueError("a tensor reaches beyond its storage")
    strides = tuple(stride * storage.dtype.itemsize for stride in value.stride)
    return np.lib.stride_tricks.as_strided(data[offset:], value.size, strides, writeable=False)
