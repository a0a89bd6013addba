"""The negative log-likelihood of an image under mixtures of logistic distributions, one mixture for each pixel (PixelCNN++)."""

import math
from functools import partial

import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.losses.comparison import PerImage, as_single
from jaxrestore.ops.checks import check_range
from jaxrestore.typing import Image

_LEAST_LOG_SCALE = -7.0
_VALUES = {1: 3, 3: 10}  # image channels -> parameters of one component


def logistic_mixture(parameters: Image, image: Image, levels: int | None = 256) -> PerImage:
    """Mean of -log p(image) over height, width and channels, in nats; divide by log(2) for bits per dimension.

    A component holds all channels of a pixel: its mean of green depends on the pixel's red, that of blue on red and green. Of discrete
    levels the lowest has all probability below it, the highest all above. Every probability is computed by its logarithm, without a
    threshold below which it is approximated.

    Args:
      parameters: (..., H, W, 10 K) for RGB, (..., H, W, 3 K) for one channel, K components: first K logits of the components' weights, then
        for each channel K means, K logarithms of scales and, for RGB, K coefficients (red in green, red in blue, green in blue; their tanh
        is taken). Means and scales are those of images in [-1, 1]; scales below exp(-7) count as exp(-7).
      image: (..., H, W, 3) or (..., H, W, 1) in [0, 1], the values multiples of 1 / (levels - 1).
      levels: number of grey levels, at least 2; None for the density of continuous values.

    Returns:
      (...,): one value for each image, >= 0 where there are levels.

    Raises:
      InputError: fewer than two levels, another number of channels or parameters, or the sizes differ.

    Reference: Salimans, Karpathy, Chen and Kingma, "PixelCNN++: Improving the PixelCNN with Discretized Logistic Mixture Likelihood and
      Other Modifications", ICLR 2017, sections 2.1 and 2.2; the layout is that of its public code.
    """
    if levels is not None:
        check_range("levels", levels, low=2)
    channels, values = image.shape[-1], parameters.shape[-1]
    if channels not in _VALUES:
        raise InputError(f"image has {channels} channels: logistic mixtures are for 1 or 3")
    if not values or values % _VALUES[channels]:
        raise InputError(f"parameters has {values} channels: images of {channels} need a multiple of {_VALUES[channels]}")
    if parameters.shape[:-1] != image.shape[:-1]:
        raise InputError(f"parameters {parameters.shape} and image {image.shape} differ in more than the last axis")
    return _logistic_mixture(parameters, image, levels)


@partial(jax.jit, static_argnums=2)
def _logistic_mixture(parameters: jax.Array, image: jax.Array, levels: int | None) -> jax.Array:
    channels = image.shape[-1]
    components = parameters.shape[-1] // _VALUES[channels]
    parameters, image = as_single(parameters), as_single(image)
    logits = parameters[..., :components]
    parts = parameters[..., components:].reshape(*image.shape, -1)
    mean, log_scale, *coefficients = jnp.split(parts, parts.shape[-1] // components, -1)  # each (..., H, W, C, K)
    x = (2.0 * image - 1.0)[..., None]
    if coefficients:
        c = jnp.tanh(coefficients[0])
        red, green = x[..., 0, :], x[..., 1, :]
        shift = (jnp.zeros_like(c[..., 0, :]), c[..., 0, :] * red, c[..., 1, :] * red + c[..., 2, :] * green)
        mean = mean + jnp.stack(shift, -2)
    log_scale = jnp.maximum(log_scale, _LEAST_LOG_SCALE)
    log_probability = _density(x - mean, log_scale) if levels is None else _probability(x, mean, log_scale, levels)
    log_probability = jnp.sum(log_probability, -2) + jax.nn.log_softmax(logits)
    return -jnp.mean(jax.nn.logsumexp(log_probability, -1), (-2, -1)) / channels


def _density(distance: jax.Array, log_scale: jax.Array) -> jax.Array:
    z = distance * jnp.exp(-log_scale)
    return math.log(2.0) - log_scale + jax.nn.log_sigmoid(z) + jax.nn.log_sigmoid(-z)  # [0, 1] is half as wide as [-1, 1]


def _probability(x: jax.Array, mean: jax.Array, log_scale: jax.Array, levels: int) -> jax.Array:
    """Logarithm of the distribution's mass between the middles to the neighbouring levels."""
    half = 1.0 / (levels - 1)
    sharpness = jnp.exp(-log_scale)
    below, above = sharpness * (x - mean - half), sharpness * (x - mean + half)
    lowest, highest = jax.nn.log_sigmoid(above), jax.nn.log_sigmoid(-below)
    # sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - exp(b - a)): no digits are lost where both are near 0 or near 1.
    between = lowest + highest + jnp.log(-jnp.expm1(-2.0 * half * sharpness))
    return jnp.where(x < half - 1.0, lowest, jnp.where(x > 1.0 - half, highest, between))
