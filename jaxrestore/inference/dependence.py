"""Dependence made visible: a function evaluated so that NaN in its input reaches every output that depends on it.

Arithmetic hands NaN on by itself, zero times NaN included. What selects does not: a selection drops the value it does not take, and
compiled maxima drop NaN on some paths (on the CPU: pooling of large images). So the operations that select are given NaN explicitly.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxrestore.inference.program import Literal, Operation, flatten
from jaxrestore.typing import Tree


def propagating(function: Callable[[Tree, jax.Array], jax.Array]) -> Callable[[Tree, jax.Array], jax.Array]:
    """The same function of variables and an image, except that NaN reaches whatever depends on it.

    Dependence through integers (the place of a maximum, a comparison) is not followed, nor selections inside loops of JAX.
    """

    def evaluate(variables: Tree, image: jax.Array) -> jax.Array:
        program = flatten(function, variables, image)
        values = dict(zip((*program.variables, program.image), (*jax.tree.leaves(variables), image), strict=True)) | program.constants
        for operation in program.operations:
            inputs = [value.value if isinstance(value, Literal) else values[value] for value in operation.inputs]
            values.update(zip(operation.outputs, _marked(operation, inputs), strict=True))
        return values[program.result]

    return evaluate


def _marked(operation: Operation, inputs: list) -> list:
    outputs = operation.run(inputs)
    mark = _MARKS.get(operation.name)
    if mark is None or not jnp.issubdtype(outputs[0].dtype, jnp.floating):
        return outputs
    return [jnp.where(mark(operation.parameters, *inputs), jnp.nan, output) for output in outputs]


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
