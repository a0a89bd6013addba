"""Derivatives against finite differences, in float64."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.compiled import compiled

STEP = 1e-6


def derivatives(function: Callable, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The derivative of a fixed mixture of a function's values along a fixed direction: by differentiation, and by central differences."""
    generator = np.random.default_rng(7)
    direction = jnp.asarray(generator.standard_normal(x.shape), x.dtype)
    weights = jnp.asarray(generator.uniform(0.5, 1.5, jax.eval_shape(function, x).shape), x.dtype)

    def mixture(x: jax.Array) -> jax.Array:
        return jnp.sum(weights * function(x))

    # One call for both ends, so that the function is compiled once.
    ends = jax.lax.map(lambda sign: mixture(x + sign * STEP * direction), jnp.array([1.0, -1.0], x.dtype))
    return jnp.sum(jax.grad(mixture)(x) * direction), (ends[0] - ends[1]) / (2 * STEP)


def assert_gradient(function: Callable, x: Any, rtol: float = 1e-6) -> None:
    """The gradient of `function` at the array `x` is what finite differences say."""
    with jax.enable_x64(True):
        analytic, numeric = compiled(lambda x: derivatives(function, x))(jnp.asarray(x, jnp.float64))
        assert analytic.dtype == jnp.float64
    assert abs(float(analytic)) > 1e-6
    np.testing.assert_allclose(analytic, numeric, rtol=rtol)
