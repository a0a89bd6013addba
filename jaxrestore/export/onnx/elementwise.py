"""Operations on each number by itself."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.export.onnx.graph import Graph, Tensor, Value
from jaxrestore.export.onnx.protobuf import TYPES


def result(equation: Any, name: str, index: int = 0) -> Tensor:
    """What the equation gives, under this name."""
    value = equation.outvars[index].aval
    return Tensor(name, tuple(value.shape), np.dtype(value.dtype))


def simple(kind: str) -> Callable[[Graph, Any, Sequence[Value]], list[Value]]:
    """An operation that ONNX has too, under this name; scalars and narrow tensors are broadcast."""

    def handle(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
        return [_broadcasting(graph, equation, inputs, lambda *names: graph.one(kind, *names))]

    return handle


def _broadcasting(graph: Graph, equation: Any, inputs: Sequence[Value], make: Callable[..., str]) -> Tensor:
    """The operation on narrow tensors; where all of them are, its result is narrow too."""
    shape = tuple(equation.outvars[0].aval.shape)
    wide = [_is_wide(x, shape) for x in inputs]
    name = make(*(graph.narrow(x) for x in inputs))
    if any(wide):
        return result(equation, name)
    return Tensor("", shape, np.dtype(equation.outvars[0].aval.dtype), name)


def _is_wide(value: Value, shape: tuple) -> bool:
    """Whether a value has the full shape in the graph."""
    return not value.narrow and len(value.shape) == len(shape) if isinstance(value, Tensor) else value.shape == shape


def _composed(make: Callable[..., str]) -> Callable[[Graph, Any, Sequence[Value]], list[Value]]:
    """An operation made of several; `make` takes the graph, the equation and names."""

    def handle(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
        return [_broadcasting(graph, equation, inputs, lambda *names: make(graph, equation, *names))]

    return handle


def _number(graph: Graph, equation: Any, value: float | int) -> str:
    return graph.constant(np.asarray(value, equation.invars[0].aval.dtype))


def _cast(graph: Graph, equation: Any, x: str) -> str:
    dtype = np.dtype(equation.params["new_dtype"])
    if dtype not in TYPES:
        raise InputError(f"ONNX export does not know numbers of type {dtype}")
    return graph.one("Cast", x, to=TYPES[dtype])


def _power(graph: Graph, equation: Any, x: str) -> str:
    exponent = equation.params["y"]
    if exponent == 2:
        return graph.one("Mul", x, x)
    return graph.one("Pow", x, _number(graph, equation, exponent))


def _round(graph: Graph, equation: Any, x: str) -> str:
    if "EVEN" in str(equation.params["rounding_method"]):
        return graph.one("Round", x)
    away = graph.one("Floor", graph.one("Add", graph.one("Abs", x), _number(graph, equation, 0.5)))
    return graph.one("Mul", graph.one("Sign", x), away)


def _is_finite(graph: Graph, equation: Any, x: str) -> str:
    return graph.one("Not", graph.one("Or", graph.one("IsNaN", x), graph.one("IsInf", x)))


def _choose(graph: Graph, equation: Any, which: str, *cases: str) -> str:
    if len(cases) != 2 or np.dtype(equation.invars[0].aval.dtype) != np.bool_:
        raise InputError("ONNX export does not know a choice among more than two")
    return graph.one("Where", which, cases[1], cases[0])


def _remainder(graph: Graph, equation: Any, x: str, y: str) -> str:
    return graph.one("Mod", x, y, fmod=1)


def _bits(kind: str) -> Callable[[Graph, Any, Sequence[Value]], list[Value]]:
    def make(graph: Graph, equation: Any, *names: str) -> str:
        if np.dtype(equation.invars[0].aval.dtype) != np.bool_:
            raise InputError(f"ONNX export does not know {equation.primitive.name!r} of whole numbers")
        return graph.one(kind, *names)

    return _composed(make)


def _identity(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    return [inputs[0]]


HANDLERS: Mapping[str, Callable[[Graph, Any, Sequence[Value]], Sequence[Value]]] = {
    **{name: simple(name.capitalize()) for name in ("abs", "neg", "exp", "log", "tanh", "sqrt", "sin", "cos", "tan", "floor", "ceil")},
    **{name: simple(name.capitalize()) for name in ("sign", "erf", "add", "sub", "mul", "div", "max", "min", "pow")},
    "logistic": simple("Sigmoid"),
    "eq": simple("Equal"),
    "lt": simple("Less"),
    "le": simple("LessOrEqual"),
    "gt": simple("Greater"),
    "ge": simple("GreaterOrEqual"),
    "ne": _composed(lambda graph, equation, x, y: graph.one("Not", graph.one("Equal", x, y))),
    "and": _bits("And"),
    "or": _bits("Or"),
    "xor": _bits("Xor"),
    "not": _bits("Not"),
    "rem": _composed(_remainder),
    "square": _composed(lambda graph, equation, x: graph.one("Mul", x, x)),
    "integer_pow": _composed(_power),
    "rsqrt": _composed(lambda graph, equation, x: graph.one("Reciprocal", graph.one("Sqrt", x))),
    "erfc": _composed(lambda graph, equation, x: graph.one("Sub", _number(graph, equation, 1), graph.one("Erf", x))),
    "log1p": _composed(lambda graph, equation, x: graph.one("Log", graph.one("Add", x, _number(graph, equation, 1)))),
    "expm1": _composed(lambda graph, equation, x: graph.one("Sub", graph.one("Exp", x), _number(graph, equation, 1))),
    "exp2": _composed(lambda graph, equation, x: graph.one("Pow", _number(graph, equation, 2), x)),
    "is_finite": _composed(_is_finite),
    "round": _composed(_round),
    "clamp": _composed(lambda graph, equation, low, x, high: graph.one("Min", graph.one("Max", x, low), high)),
    "select_n": _composed(_choose),
    "convert_element_type": _composed(_cast),
    **dict.fromkeys(("copy", "copy_p", "stop_gradient", "optimization_barrier", "reduce_precision"), _identity),
}
