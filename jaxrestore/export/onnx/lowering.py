"""From a traced function (a jaxpr) to an ONNX graph: one handler for each operation of JAX, and the calls among them opened."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.export.onnx import elementwise, int8, layout, products, windows
from jaxrestore.export.onnx.graph import Graph, Tensor, Value

HANDLERS: Mapping[str, Callable[[Graph, Any, Sequence[Value]], Sequence[Value]]] = {
    **elementwise.HANDLERS,
    **layout.HANDLERS,
    **products.HANDLERS,
    **int8.HANDLERS,
    **windows.HANDLERS,
}
"""Operation of JAX -> (graph, equation, inputs) -> outputs."""

# They hold a function too, but do something else than to call it.
_NOT_CALLS = ("while", "cond", "reduce", "reduce_window")
_MOST_FOLDED = 1 << 22
"""Constants of more elements are not computed beforehand, unless from larger ones."""


def lower(graph: Graph, closed: Any, inputs: Sequence[Value]) -> list[Value]:
    """Add a traced function to a graph.

    Args:
      graph: what is added to.
      closed: the ClosedJaxpr.
      inputs: its arguments.

    Returns:
      Its results.

    Raises:
      InputError: it holds an operation that is not known here; the message names it.
    """
    return _jaxpr(graph, closed.jaxpr, closed.consts, inputs)


def _jaxpr(graph: Graph, jaxpr: Any, constants: Sequence[Any], inputs: Sequence[Value]) -> list[Value]:
    values: dict[Any, Value] = dict(zip(jaxpr.constvars, constants, strict=True)) | dict(zip(jaxpr.invars, inputs, strict=True))
    wanted = _needed(jaxpr)
    graph.rectified |= int8.rectified(jaxpr)
    for equation, needed in zip(jaxpr.eqns, wanted, strict=True):
        if needed:
            results = _equation(graph, equation, [_literal(v) if hasattr(v, "val") else values[v] for v in equation.invars])
            values.update(zip(equation.outvars, results, strict=True))
    return [_literal(v) if hasattr(v, "val") else values[v] for v in jaxpr.outvars]


def _literal(variable: Any) -> np.ndarray:
    """A number that stands in the equation itself, with the type it has there."""
    return np.asarray(variable.val, variable.aval.dtype)


def _needed(jaxpr: Any) -> list[bool]:
    """Which equations the results depend on."""
    live = {v for v in jaxpr.outvars if not hasattr(v, "val")}
    found = []
    for equation in reversed(jaxpr.eqns):
        needed = any(v in live for v in equation.outvars)
        found.append(needed)
        if needed:
            live.update(v for v in equation.invars if not hasattr(v, "val"))
    return found[::-1]


def _equation(graph: Graph, equation: Any, inputs: list[Value]) -> Sequence[Value]:
    name, parameters = equation.primitive.name, equation.params
    if name == "platform_index":  # the branch for platforms that are not named
        return [np.asarray(next(i for i, names in enumerate(parameters["platforms"]) if names is None), np.int32)]
    if name == "cond" and not isinstance(inputs[0], Tensor):
        branches = parameters["branches"]
        return lower(graph, branches[int(np.clip(int(inputs[0]), 0, len(branches) - 1))], inputs[1:])
    if name == "scan":
        return _scan(graph, parameters, inputs)
    if int8.is_rectified(equation, inputs):
        return inputs[:1]
    inner = next((parameters[key] for key in ("jaxpr", "call_jaxpr", "fun_jaxpr") if key in parameters), None)
    if inner is not None and name not in _NOT_CALLS:
        return _jaxpr(graph, getattr(inner, "jaxpr", inner), getattr(inner, "consts", []), inputs)
    if _can_fold(equation, inputs):
        return _folded(equation, inputs)
    if name not in HANDLERS:
        raise InputError(f"ONNX export does not know JAX's operation {name!r}: export StableHLO, or another network")
    return HANDLERS[name](graph, equation, [x if isinstance(x, Tensor) else np.asarray(x) for x in inputs])


def _can_fold(equation: Any, inputs: Sequence[Value]) -> bool:
    if any(isinstance(x, Tensor) for x in inputs):
        return False
    shapes = [v.aval.shape for v in equation.outvars]
    if not all(isinstance(side, int) for shape in shapes for side in shape) or equation.primitive.name == "dim_as_value":
        return False
    try:
        size = sum(int(np.prod(shape)) for shape in shapes)
        return size <= max(_MOST_FOLDED, *(2 * np.size(x) for x in inputs), 0) if inputs else size <= _MOST_FOLDED
    except TypeError:
        return True


def _folded(equation: Any, inputs: Sequence[Value]) -> Sequence[Value]:
    with jax.ensure_compile_time_eval():
        results = equation.primitive.bind(*inputs, **equation.params)
    results = results if equation.primitive.multiple_results else [results]
    keys = [jax.dtypes.issubdtype(x.dtype, jax.dtypes.extended) for x in results]
    return [x if key else np.asarray(x) for x, key in zip(results, keys, strict=True)]


def _scan(graph: Graph, parameters: Mapping[str, Any], inputs: list[Value]) -> list[Value]:
    """A loop, written out."""
    consts, carried, length = parameters["num_consts"], parameters["num_carry"], parameters["length"]
    if not isinstance(length, int) or length > 256:
        raise InputError(f"ONNX export does not know how to write out a loop of {length} rounds: export StableHLO")
    fixed, carry, sequences = inputs[:consts], list(inputs[consts : consts + carried]), inputs[consts + carried :]
    rounds: list[list[Value]] = [[] for _ in range(length)]
    for i in range(length)[:: -1 if parameters["reverse"] else 1]:
        slices = [layout.at(graph, x, i) for x in sequences]
        results = lower(graph, parameters["jaxpr"], [*fixed, *carry, *slices])
        carry, rounds[i] = results[:carried], results[carried:]
    return [*carry, *(layout.stacked(graph, column) for column in zip(*rounds, strict=True))]
