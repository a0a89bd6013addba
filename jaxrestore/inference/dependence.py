"""Dependence made visible: a function evaluated so that NaN in its input reaches every output that depends on it.

Arithmetic hands NaN on by itself, zero times NaN included. What selects does not: a selection drops the value it does not take, and
compiled maxima drop NaN on some paths (on the CPU: pooling of large images). So the operations that select are given NaN explicitly.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxrestore.typing import Tree

_CONTROL = ("scan", "while", "cond")  # evaluated as they stand


def propagating(function: Callable[..., Tree]) -> Callable[..., Tree]:
    """The same function, except that NaN reaches whatever depends on it.

    Dependence through integers (the place of a maximum, a comparison) is not followed, nor selections inside loops of JAX.
    """

    def evaluate(*arguments: Tree) -> Tree:
        closed, shape = jax.make_jaxpr(function, return_shape=True)(*arguments)
        results = _evaluate(closed.jaxpr, closed.consts, jax.tree.leaves(arguments))
        return jax.tree.unflatten(jax.tree.structure(shape), results)

    return evaluate


def _evaluate(jaxpr: Any, constants: list, arguments: list) -> list:
    values: dict[Any, jax.Array] = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*constants, *arguments], strict=True))

    def read(variable: Any) -> Any:
        return variable.val if hasattr(variable, "val") else values[variable]

    for equation in jaxpr.eqns:
        inputs = [read(variable) for variable in equation.invars]
        outputs = _operation(equation, inputs)
        values.update(zip(equation.outvars, outputs, strict=True))
    return [read(variable) for variable in jaxpr.outvars]


def _operation(equation: Any, inputs: list) -> list:
    name, parameters = equation.primitive.name, equation.params
    inner = parameters.get("jaxpr", parameters.get("call_jaxpr"))
    if inner is not None and name not in _CONTROL:
        return _evaluate(getattr(inner, "jaxpr", inner), getattr(inner, "consts", []), inputs)
    result = equation.primitive.bind(*inputs, **parameters)
    outputs = list(result) if equation.primitive.multiple_results else [result]
    if name in _MARKS and jnp.issubdtype(outputs[0].dtype, jnp.floating):
        return [jnp.where(_MARKS[name](parameters, *inputs), jnp.nan, output) for output in outputs]
    return outputs


def _any_input(parameters: dict, *inputs: Any) -> jax.Array:
    mark = jnp.isnan(inputs[0])
    for value in inputs[1:]:
        mark = mark | jnp.isnan(value)
    return mark


def _any_along(parameters: dict, image: jax.Array) -> jax.Array:
    return jnp.isnan(image).any(axis=parameters["axes"])


def _any_in_window(parameters: dict, image: jax.Array) -> jax.Array:
    names = ("window_dimensions", "window_strides", "padding", "base_dilation", "window_dilation")
    return lax.reduce_window(jnp.isnan(image).astype(jnp.float32), 0.0, lax.add, *(parameters[n] for n in names)) > 0


# Operation -> where its result depends on a NaN, given its parameters and inputs.
_MARKS: dict[str, Callable[..., jax.Array]] = {
    "max": _any_input,
    "min": _any_input,
    "clamp": _any_input,
    "select_n": lambda parameters, which, *cases: _any_input(parameters, *cases),
    "reduce_max": _any_along,
    "reduce_min": _any_along,
    "reduce_window_max": _any_in_window,
    "reduce_window_min": _any_in_window,
}
