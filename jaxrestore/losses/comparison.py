"""What losses that compare two images begin and end with: their difference in float32 or wider, and a mean for each image."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.typing import Image

PerImage = Float[Array, "..."]
"""(...,): one value for each image of a batch."""


def as_single(x: Float[Array | np.ndarray, "..."]) -> Float[Array, "..."]:
    """The array in float32, or as it is where it is wider."""
    x = jnp.asarray(x)
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def check_same_shape(prediction: Float[Array | np.ndarray, "..."], target: Float[Array | np.ndarray, "..."]) -> None:
    """Two arrays that are compared have one shape.

    Raises:
      InputError: they have not.
    """
    if prediction.shape != target.shape:
        raise InputError(f"prediction {prediction.shape} and target {target.shape} differ in shape: a loss compares equal ones")


def difference(prediction: Float[Array | np.ndarray, "..."], target: Float[Array | np.ndarray, "..."]) -> Float[Array, "..."]:
    """Prediction minus target, in float32 or wider.

    Raises:
      InputError: the shapes differ.
    """
    check_same_shape(prediction, target)
    return as_single(prediction) - as_single(target)


def absolute(x: Array) -> Array:
    """|x| whose derivative at zero is zero (JAX's is one), so that pixels that agree already are left alone."""
    return x * jnp.sign(x)


def power(x: Array, exponent: float) -> Array:
    """x^exponent of numbers x >= 0, with the derivative zero at zero even where the power's is infinite."""
    positive = x > 0
    # The inner choice keeps the derivative finite where the outer one discards it.
    return jnp.where(positive, jnp.where(positive, x, 1.0) ** exponent, 0.0)


def per_image(values: Image) -> PerImage:
    """Mean over height, width and channels."""
    return jnp.mean(values, (-3, -2, -1))
