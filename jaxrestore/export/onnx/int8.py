"""Convolutions of whole numbers: ONNX's QLinearConv, from eight bits to eight bits.

Its results are rounded to 256 levels again, within the range that calibration found. Where a ReLU follows and nothing else reads them, the
levels begin at zero, which is the ReLU; and the next convolution takes the whole numbers as they are. Between them no number of 32 bits is
ever written. Everything else takes them as numbers of 32 bits (DequantizeLinear).

On x86 processors without VNNI onnxruntime adds pairs of products in 16 bits, where large ones are cut off.
Reference: https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html, "When and why do I need to try U8U8?".
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from jaxrestore.export.int8_convolution import LEAST, Levels, levels
from jaxrestore.export.onnx.elementwise import result
from jaxrestore.export.onnx.graph import Graph, Tensor, Value, Whole


def rectified(jaxpr: Any) -> set[Any]:
    """Variables of a jaxpr that come out of a convolution of whole numbers and that nothing but a ReLU reads."""
    found = {equation.outvars[0] for equation in jaxpr.eqns if equation.primitive.name == "int8_convolution"}
    if found:
        readers = [equation.invars for equation in jaxpr.eqns if not _is_relu(equation)]
        found -= {variable for variables in (jaxpr.outvars, *readers) for variable in variables if not hasattr(variable, "val")}
    return found


def is_rectified(equation: Any, inputs: Sequence[Value]) -> bool:
    """Whether an operation is a ReLU of whole numbers that stand for nothing below zero: then it changes nothing."""
    whole = inputs[0].whole if inputs and isinstance(inputs[0], Tensor) else None
    return whole is not None and whole.levels.zero == LEAST and _is_relu(equation)


def _is_relu(equation: Any) -> bool:
    inner = equation.params.get("call_jaxpr", equation.params.get("jaxpr"))
    if inner is not None:
        return len(inner.eqns) == 1 and _is_relu(inner.eqns[0])
    with_what = [variable.val for variable in equation.invars if hasattr(variable, "val")]
    return equation.primitive.name == "max" and len(with_what) == 1 and bool(np.all(np.asarray(with_what[0]) == 0))


def _convolution(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    parameters = equation.params
    image, kernel, steps, bias = inputs
    whole = _whole(graph, image, parameters["given"])
    x = graph.one("Transpose", whole.name, perm=(0, 3, 1, 2))
    low, high = parameters["result"]
    after = levels(0.0 if equation.outvars[0] in graph.rectified else low, high)
    weight = graph.changed(kernel, "order of ONNX", lambda value: np.transpose(value, (3, 2, 0, 1)))
    steps = np.asarray(steps, np.float32)
    bias = np.rint(np.asarray(bias, np.float64) / (whole.levels.step * steps.astype(np.float64)))
    limits = np.iinfo(np.int32)
    above_and_left, below_and_right = zip(*parameters["padding"], strict=True)
    made = graph.add(
        "QLinearConv",
        [
            x,
            *graph.levels(whole.levels),
            weight,
            graph.constant(steps),
            graph.constant(np.zeros(steps.shape, np.int8)),
            *graph.levels(after),
            graph.constant(np.clip(bias, limits.min, limits.max).astype(np.int32)),
        ],
        kernel_shape=kernel.shape[:2],
        strides=parameters["strides"],
        dilations=parameters["dilation"],
        pads=(*above_and_left, *below_and_right),
    )[0]
    name = graph.one("Transpose", made, perm=(0, 2, 3, 1))
    value = result(equation, "")
    return [Tensor("", value.shape, value.dtype, whole=Whole(name, after))]


def _whole(graph: Graph, image: Value, wanted: Levels) -> Whole:
    """An image in whole numbers: those it is stored in already, or its nearest levels."""
    if isinstance(image, Tensor) and image.whole:
        return image.whole
    return Whole(graph.one("QuantizeLinear", graph.name(image), *graph.levels(wanted)), wanted)


HANDLERS: Mapping[str, Callable[[Graph, Any, Sequence[Value]], Sequence[Value]]] = {"int8_convolution": _convolution}
