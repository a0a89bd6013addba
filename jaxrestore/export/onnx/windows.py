"""Sums, maxima and places over axes and over windows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.export.onnx.elementwise import result
from jaxrestore.export.onnx.graph import Graph, Value
from jaxrestore.export.onnx.protobuf import TYPES


def _reduce(kind: str) -> Callable[[Graph, Any, Sequence[Value]], list[Value]]:
    def handle(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
        axes = equation.params["axes"]
        if kind == "ReduceSum":
            return [result(equation, graph.one(kind, graph.name(inputs[0]), graph.ints(axes), keepdims=0))]
        return [result(equation, graph.one(kind, graph.name(inputs[0]), axes=axes, keepdims=0))]

    return handle


def _any(kind: str) -> Callable[[Graph, Any, Sequence[Value]], list[Value]]:
    def handle(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
        numbers = graph.one("Cast", graph.name(inputs[0]), to=TYPES[np.dtype(np.float32)])
        found = graph.one(kind, numbers, axes=equation.params["axes"], keepdims=0)
        return [result(equation, graph.one("Cast", found, to=TYPES[np.dtype(np.bool_)]))]

    return handle


def _place(kind: str) -> Callable[[Graph, Any, Sequence[Value]], list[Value]]:
    def handle(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
        (axis,) = equation.params["axes"]
        name = graph.one(kind, graph.name(inputs[0]), axis=axis, keepdims=0)
        return [result(equation, graph.one("Cast", name, to=TYPES[np.dtype(equation.params["index_dtype"])]))]

    return handle


def _cumulative_sum(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    axis = graph.constant(np.int64(equation.params["axis"]))
    return [result(equation, graph.one("CumSum", graph.name(inputs[0]), axis, reverse=int(equation.params["reverse"])))]


def _pool(kind: str) -> Callable[[Graph, Any, Sequence[Value]], list[Value]]:
    def handle(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
        parameters = equation.params
        window, strides, padding = (parameters[key] for key in ("window_dimensions", "window_strides", "padding"))
        rank = len(window)
        inside = [axis for axis in range(rank) if (window[axis], strides[axis], *padding[axis]) != (1, 1, 0, 0)]
        outside = [axis for axis in range(rank) if axis not in inside]
        known = all(isinstance(n, int) and n >= 0 for axis in inside for n in padding[axis])
        spread = {*parameters["base_dilation"], *(() if kind == "MaxPool" else parameters["window_dilation"])}
        if len(outside) < 2 or spread != {1} or not known or not inside:
            raise InputError("ONNX export does not know windows over these axes: export StableHLO")
        outside, inside = outside[:2], sorted([*inside, *outside[2:]])
        order = [*outside, *inside]
        name = graph.one("Transpose", graph.name(inputs[0]), perm=order)
        options = dict(
            kernel_shape=[window[axis] for axis in inside],
            strides=[strides[axis] for axis in inside],
            pads=[padding[axis][0] for axis in inside] + [padding[axis][1] for axis in inside],
        )
        if kind == "MaxPool":
            name = graph.one(kind, name, **options, dilations=[parameters["window_dilation"][axis] for axis in inside])
        else:
            name = graph.one("AveragePool", name, **options, count_include_pad=1)
            count = graph.constant(np.asarray(np.prod([window[axis] for axis in inside]), np.dtype(inputs[0].dtype)))
            name = graph.one("Mul", name, count)
        return [result(equation, graph.one("Transpose", name, perm=np.argsort(order)))]

    return handle


HANDLERS: Mapping[str, Callable[[Graph, Any, Sequence[Value]], Sequence[Value]]] = {
    "reduce_sum": _reduce("ReduceSum"),
    "reduce_max": _reduce("ReduceMax"),
    "reduce_min": _reduce("ReduceMin"),
    "reduce_prod": _reduce("ReduceProd"),
    "reduce_or": _any("ReduceMax"),
    "reduce_and": _any("ReduceMin"),
    "argmax": _place("ArgMax"),
    "argmin": _place("ArgMin"),
    "cumsum": _cumulative_sum,
    "reduce_window_max": _pool("MaxPool"),
    "reduce_window_sum": _pool("AveragePool"),
}
