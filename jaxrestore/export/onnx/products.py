"""Products and convolutions."""

import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.export.onnx.elementwise import result
from jaxrestore.export.onnx.graph import Graph, Tensor, Value
from jaxrestore.export.onnx.layout import cut, padded
from jaxrestore.export.onnx.protobuf import TYPES


def transposed(graph: Graph, value: Value, order: Sequence[int]) -> str:
    """A value with its axes in another order; of a constant, the constant is reordered."""
    if list(order) == list(range(len(order))):
        return graph.name(value)
    if not isinstance(value, Tensor):
        return graph.changed(value, f"order {tuple(order)}", lambda x: np.transpose(x, order))
    return graph.one("Transpose", graph.name(value), perm=order)


def _as_result(graph: Graph, equation: Any, name: str, inputs: Sequence[Value]) -> list[Value]:
    """With the type that JAX's result has."""
    made = result(equation, name)
    if np.dtype(inputs[0].dtype) != made.dtype:
        name = graph.one("Cast", name, to=TYPES[made.dtype])
    return [result(equation, name)]


def _dot(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    (contract_a, contract_b), (batch_a, batch_b) = equation.params["dimension_numbers"]
    a, b = inputs
    if not batch_a and tuple(contract_a) == (len(a.shape) - 1,) and tuple(contract_b) == (0,) and len(b.shape) == 2:
        return _as_result(graph, equation, graph.one("MatMul", graph.name(a), graph.name(b)), inputs)
    letters = iter(string.ascii_lowercase)
    left, right = [""] * len(a.shape), [""] * len(b.shape)
    for axes in (zip(batch_a, batch_b, strict=True), zip(contract_a, contract_b, strict=True)):
        for i, j in axes:
            left[i] = right[j] = next(letters)
    left, right = ([letter or next(letters) for letter in side] for side in (left, right))
    out = [left[i] for i in batch_a]
    out += [letter for i, letter in enumerate(left) if i not in batch_a and i not in contract_a]
    out += [letter for j, letter in enumerate(right) if j not in batch_b and j not in contract_b]
    equation_text = f"{''.join(left)},{''.join(right)}->{''.join(out)}"
    return _as_result(graph, equation, graph.one("Einsum", graph.name(a), graph.name(b), equation=equation_text), inputs)


def _convolution(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    parameters = equation.params
    numbers, groups = parameters["dimension_numbers"], parameters["feature_group_count"]
    if parameters["batch_group_count"] != 1:
        raise InputError("ONNX export does not know convolutions with groups of images")
    image, kernel = inputs
    spread, strides, dilation = parameters["lhs_dilation"], parameters["window_strides"], parameters["rhs_dilation"]
    taps = [kernel.shape[axis] for axis in numbers.rhs_spec[2:]]
    x = transposed(graph, image, numbers.lhs_spec)
    zero = graph.constant(np.zeros((), np.dtype(image.dtype)))
    if any(step != 1 for step in spread):
        x = _transposed_convolution(graph, equation, x, kernel, taps)
    else:
        x, padding = _bordered(graph, x, [image.shape[axis] for axis in numbers.lhs_spec[2:]], parameters["padding"], zero)
        weight = transposed(graph, kernel, numbers.rhs_spec)
        x = graph.one("Conv", x, weight, kernel_shape=taps, strides=strides, dilations=dilation, pads=padding, group=groups)
    order = np.argsort(numbers.out_spec)
    if list(order) != list(range(len(order))):
        x = graph.one("Transpose", x, perm=order)
    return _as_result(graph, equation, x, inputs)


def _bordered(graph: Graph, x: str, sides: Sequence[Any], padding: Sequence[tuple], zero: str) -> tuple[str, list[int]]:
    """What of the padding ONNX's convolution cannot do itself (cropping, sizes that are not known), done before."""
    axes = range(2, 2 + len(sides))
    if all(isinstance(width, int) and width >= 0 for row in padding for width in row):
        return x, [row[0] for row in padding] + [row[1] for row in padding]
    if any(isinstance(width, int) and width < 0 for row in padding for width in row):
        low, high = ([-min(row[i], 0) if isinstance(row[i], int) else 0 for row in padding] for i in (0, 1))
        ends = [side - crop for side, crop in zip(sides, high, strict=True)]
        x = cut(graph, x, low, ends, list(axes), [1] * len(sides))
    borders = [[max(width, 0) if isinstance(width, int) else width for width in row] for row in padding]
    x = padded(graph, x, zero, [0, 0, *(row[0] for row in borders)], [0, 0, *(row[1] for row in borders)])
    return x, [0] * (2 * len(sides))


def _transposed_convolution(graph: Graph, equation: Any, x: str, kernel: Value, taps: list[int]) -> str:
    """A convolution over an image with zeros between its pixels is ONNX's ConvTranspose with the kernel turned around."""
    parameters = equation.params
    steps, groups, numbers = parameters["lhs_dilation"], parameters["feature_group_count"], parameters["dimension_numbers"]
    plain = set(parameters["window_strides"]) == {1} and set(parameters["rhs_dilation"]) == {1} and groups == 1
    if not plain or isinstance(kernel, Tensor):
        raise InputError("ONNX export does not know transposed convolutions with strides, dilation, groups or computed kernels")
    # Pixels taken off the full result; a negative number at the end means that zeros follow.
    off = [(k - 1 - low, k - 1 - high) for k, (low, high) in zip(taps, parameters["padding"], strict=True)]
    extra = [max(-last, 0) for _, last in off]
    if any(first < 0 for first, _ in off) or any(n >= step for n, step in zip(extra, steps, strict=True)):
        raise InputError("ONNX export does not know transposed convolutions with so much padding")
    order = (numbers.rhs_spec[1], numbers.rhs_spec[0], *numbers.rhs_spec[2:])
    weight = graph.changed(kernel, f"turned {order}", lambda x: np.flip(np.transpose(x, order), tuple(range(2, x.ndim))))
    pads = [first for first, _ in off] + [max(last, 0) for _, last in off]
    return graph.one("ConvTranspose", x, weight, kernel_shape=taps, strides=steps, pads=pads, output_padding=extra)


HANDLERS: Mapping[str, Callable[[Graph, Any, Sequence[Value]], Sequence[Value]]] = {
    "dot_general": _dot,
    "conv_general_dilated": _convolution,
}
