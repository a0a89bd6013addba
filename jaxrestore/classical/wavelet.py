"""Wavelet shrinkage: noise is spread over all coefficients of a wavelet transform, a picture over few, so the small ones go."""

from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.classical.images import in_float
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.haar import Details, Haar, haar, inverse_haar
from jaxrestore.ops.padding import pad
from jaxrestore.typing import Image

_LEVELS = 255.0
# The median of the magnitude of a standard normal variable.
_NORMAL_MEDIAN = 0.6744897501960817


def wavelet(
    image: Image,
    *,
    sigma: float | int | None = None,
    threshold: Literal["bayes", "universal"] = "bayes",
    shrinkage: Literal["soft", "hard"] = "soft",
    levels: int = 4,
    spins: int = 4,
) -> Image:
    """Shrink the Haar coefficients of shifted copies of the image, and average what they give.

    A single transform leaves blocks; the average over shifts ("cycle spinning") does not.

    Args:
      image: (..., H, W, C), each channel by itself.
      sigma: noise level in grey levels, >= 0; None estimates it from the finest diagonal details of each channel.
      threshold: "bayes" gives every scale and direction its own, small where there is much to see (BayesShrink); "universal" is so large
        that hardly any noise is left (VisuShrink).
      shrinkage: "soft" takes the threshold off every coefficient, "hard" leaves those above it as they are.
      levels: scales of the transform, >= 1.
      spins: shifts along each axis, >= 1: 1 is the plain transform; spins**2 transforms are computed.

    Raises:
      InputError: a value outside its range, or more scales than the image has.

    Reference: Chang, Yu and Vetterli, "Adaptive Wavelet Thresholding for Image Denoising and Compression", IEEE Transactions on Image
      Processing 2000, section II; Donoho and Johnstone, "Ideal Spatial Adaptation by Wavelet Shrinkage", Biometrika 1994; Coifman and
      Donoho, "Translation-Invariant De-Noising", 1995.
    """
    if sigma is not None:
        check_range("sigma", sigma, low=0.0)
    check_range("spins", spins, low=1)
    check_range("levels", levels, low=1)
    sigma = None if sigma is None else float(sigma) / _LEVELS
    return _wavelet(in_float(image), sigma, threshold, shrinkage, levels, spins).astype(image.dtype)


def noise_level(image: Image) -> jax.Array:
    """The standard deviation of white Gaussian noise, from the median of the finest diagonal details, which hold little else.

    Args:
      image: (..., H, W, C).

    Returns:
      (..., 1, 1, C) in the image's unit.

    Reference: Donoho and Johnstone, "Ideal Spatial Adaptation by Wavelet Shrinkage", Biometrika 1994, section 4.2.
    """
    diagonal = haar(image).details[0].diagonal
    return jnp.median(jnp.abs(diagonal), axis=(-3, -2), keepdims=True) / _NORMAL_MEDIAN


@partial(jax.jit, static_argnames=("threshold", "shrinkage", "levels", "spins"))
def _wavelet(image: jax.Array, sigma: jax.Array | None, threshold: str, shrinkage: str, levels: int, spins: int) -> jax.Array:
    *batch, height, width, channels = image.shape
    sigma = noise_level(image) if sigma is None else jnp.asarray(sigma, image.dtype)
    size = (height + spins - 1, width + spins - 1)
    padded = pad(image, (spins - 1, spins - 1), (spins - 1, spins - 1), "symmetric")
    shifts = jnp.asarray([(i, j) for i in range(spins) for j in range(spins)], jnp.int32)
    zero = jnp.zeros((), jnp.int32)

    def shrink(band: jax.Array) -> jax.Array:
        if threshold == "universal":
            limit = sigma * np.sqrt(2.0 * np.log(height * width))
        else:
            signal = jnp.mean(jnp.square(band), axis=(-3, -2), keepdims=True) - jnp.square(sigma)
            limit = jnp.square(sigma) / jnp.sqrt(jnp.maximum(signal, jnp.finfo(band.dtype).tiny))
        if shrinkage == "hard":
            return jnp.where(jnp.abs(band) > limit, band, 0.0)
        return jnp.sign(band) * jnp.maximum(jnp.abs(band) - limit, 0.0)

    def add(index: jax.Array, total: jax.Array) -> jax.Array:
        row, column = shifts[index]
        start = [zero] * len(batch)
        shifted = jax.lax.dynamic_slice(padded, (*start, row, column, zero), (*batch, *size, channels))
        approximation, details = haar(shifted, levels)
        shrunk = Haar(approximation, tuple(Details(*(shrink(band) for band in bands)) for bands in details))
        restored = inverse_haar(shrunk, size)
        inside = (*start, spins - 1 - row, spins - 1 - column, zero)
        return total + jax.lax.dynamic_slice(restored, inside, image.shape)

    return jax.lax.fori_loop(0, spins**2, add, jnp.zeros_like(image)) / spins**2
