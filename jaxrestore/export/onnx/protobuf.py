"""ONNX's messages as bytes. They are protobuf: tagged fields one after the other, of which ONNX needs four kinds.

Reference: the field numbers of onnx.proto (ONNX IR version 8), https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import ml_dtypes
import numpy as np

IR_VERSION = 8

TYPES: Mapping[np.dtype, int] = {
    np.dtype(np.float32): 1,
    np.dtype(np.uint8): 2,
    np.dtype(np.int8): 3,
    np.dtype(np.int32): 6,
    np.dtype(np.int64): 7,
    np.dtype(np.bool_): 9,
    np.dtype(np.float16): 10,
    np.dtype(np.float64): 11,
    np.dtype(np.uint32): 12,
    np.dtype(ml_dtypes.bfloat16): 16,
}
"""NumPy's types -> TensorProto.DataType."""

_VARINT, _BYTES, _FLOAT = 0, 2, 5
_FLOAT_ATTRIBUTE, _INT_ATTRIBUTE, _TEXT_ATTRIBUTE, _INTS_ATTRIBUTE = 1, 2, 3, 7


def tensor(name: str, value: np.ndarray) -> bytes:
    """A TensorProto."""
    return b"".join(
        [
            *(_integer(1, side) for side in value.shape),
            _integer(2, TYPES[value.dtype]),
            _text(8, name),
            _message(9, np.ascontiguousarray(value).tobytes()),
        ]
    )


def value_info(name: str, dtype: np.dtype, shape: Sequence[int | str]) -> bytes:
    """A ValueInfoProto; a side that is text is a symbol."""
    sides = [_message(1, _integer(1, side) if isinstance(side, int) else _text(2, side)) for side in shape]
    return _text(1, name) + _message(2, _message(1, _integer(1, TYPES[dtype]) + _message(2, b"".join(sides))))


def node(kind: str, inputs: Iterable[str], outputs: Iterable[str], attributes: Mapping[str, Any]) -> bytes:
    """A NodeProto. Attributes are ints, floats, text, or sequences of ints."""
    parts = [*(_text(1, name) for name in inputs), *(_text(2, name) for name in outputs), _text(4, kind)]
    return b"".join([*parts, *(_message(5, _attribute(name, value)) for name, value in attributes.items())])


def model(
    name: str,
    nodes: Iterable[bytes],
    initializers: Iterable[bytes],
    inputs: Iterable[bytes],
    outputs: Iterable[bytes],
    opset: int,
    version: str,
    metadata: Mapping[str, str],
) -> bytes:
    """A ModelProto."""
    graph = [*(_message(1, x) for x in nodes), _text(2, name), *(_message(5, x) for x in initializers)]
    graph += [*(_message(11, x) for x in inputs), *(_message(12, x) for x in outputs)]
    parts = [_integer(1, IR_VERSION), _text(2, "jaxrestore"), _text(3, version), _message(7, b"".join(graph))]
    parts += [_message(8, _text(1, "") + _integer(2, opset))]
    parts += [_message(14, _text(1, key) + _text(2, value)) for key, value in metadata.items()]
    return b"".join(parts)


def _attribute(name: str, value: Any) -> bytes:
    if isinstance(value, bool | int | np.integer):
        return _text(1, name) + _integer(3, int(value)) + _integer(20, _INT_ATTRIBUTE)
    if isinstance(value, float):
        return _text(1, name) + _tag(2, _FLOAT) + struct.pack("<f", value) + _integer(20, _FLOAT_ATTRIBUTE)
    if isinstance(value, str):
        return _text(1, name) + _text(4, value) + _integer(20, _TEXT_ATTRIBUTE)
    return b"".join([_text(1, name), *(_integer(8, int(n)) for n in value), _integer(20, _INTS_ATTRIBUTE)])


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1  # negative numbers are written as 64 bits
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _tag(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _integer(field: int, value: int) -> bytes:
    return _tag(field, _VARINT) + _varint(value)


def _message(field: int, content: bytes) -> bytes:
    return _tag(field, _BYTES) + _varint(len(content)) + content


def _text(field: int, value: str) -> bytes:
    return _message(field, value.encode())
