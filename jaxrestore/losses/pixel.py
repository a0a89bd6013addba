"""Losses that compare two images pixel by pixel.

All take a prediction and a target (..., H, W, C) of one shape and give the mean over height, width and channels: one value for each image,
in float32 or wider, whatever the computation type of the network.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.typing import Image

PerImage = Float[Array, "..."]
"""(...,): one value for each image of a batch."""


def l1(prediction: Image, target: Image) -> PerImage:
    """Mean absolute error."""
    return _per_image(_absolute(_difference(prediction, target)))


def mse(prediction: Image, target: Image) -> PerImage:
    """Mean squared error."""
    return _per_image(jnp.square(_difference(prediction, target)))


def charbonnier(prediction: Image, target: Image, epsilon: float = 1e-3) -> PerImage:
    """Mean of sqrt(d^2 + epsilon^2): the absolute error, made smooth at zero.

    Args:
      prediction: (..., H, W, C).
      target: (..., H, W, C).
      epsilon: half-width of the rounded tip, in the image's unit, > 0.

    Raises:
      InputError: epsilon is not positive, or the shapes differ.

    Reference: Lai et al., "Deep Laplacian Pyramid Networks", CVPR 2017, section 3.2.
    """
    if not epsilon > 0:
        raise InputError(f"epsilon is {epsilon}: the Charbonnier loss needs a positive number")
    return _per_image(jnp.sqrt(jnp.square(_difference(prediction, target)) + epsilon**2))


def huber(prediction: Image, target: Image, delta: float = 1.0) -> PerImage:
    """Mean of d^2 / 2 where |d| <= delta and of delta * (|d| - delta / 2) elsewhere.

    Args:
      prediction: (..., H, W, C).
      target: (..., H, W, C).
      delta: where the parabola becomes a line, in the image's unit, > 0; at 1 and above it is half the `mse` of images in [0, 1].

    Raises:
      InputError: delta is not positive, or the shapes differ.

    Reference: Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics 1964.
    """
    if not delta > 0:
        raise InputError(f"delta is {delta}: the Huber loss needs a positive number")
    distance = _absolute(_difference(prediction, target))
    near = jnp.minimum(distance, delta)
    return _per_image(near * (distance - 0.5 * near))


def _difference(prediction: Image, target: Image) -> Array:
    if prediction.shape != target.shape:
        raise InputError(f"prediction {prediction.shape} and target {target.shape} differ in shape: a pixel loss compares equal ones")
    dtype = jnp.promote_types(jnp.promote_types(prediction.dtype, target.dtype), jnp.float32)
    return jnp.asarray(prediction, dtype) - jnp.asarray(target, dtype)


def _absolute(x: Array) -> Array:
    # JAX's derivative of abs is 1 at zero; this one's is 0, so that pixels that agree already are left alone.
    return x * jnp.sign(x)


def _per_image(values: Array) -> PerImage:
    return jnp.mean(values, (-3, -2, -1))
