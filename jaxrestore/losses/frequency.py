"""Losses that compare spectra.

They work on the half of the spectrum that a real image has; each frequency counts as often as it occurs in the whole one.
"""

import jax
import jax.numpy as jnp
from jax import lax

from jaxrestore.losses.comparison import PerImage, absolute, difference, power
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.fourier import to_spectrum
from jaxrestore.typing import Image


def fft(prediction: Image, target: Image) -> PerImage:
    """Mean absolute difference of the real and of the imaginary parts of the two-dimensional spectra, which are not normalised.

    Args:
      prediction: (..., H, W, C).
      target: (..., H, W, C).

    Raises:
      InputError: the shapes differ.

    Reference: Cho et al., "Rethinking Coarse-to-Fine Approach in Single Image Deblurring", ICCV 2021 (MIMO-UNet), equation 8, which adds it
      to `l1` with the weight 0.1.
    """
    spectrum = to_spectrum(difference(prediction, target))
    return _mean(0.5 * (absolute(spectrum.real) + absolute(spectrum.imag)), prediction.shape[-2])


def focal_frequency(prediction: Image, target: Image, alpha: float = 1.0) -> PerImage:
    """Mean squared difference of the orthonormal spectra, each frequency weighted by how wrong it is.

    The weight is |difference|^alpha divided by its largest value in the channel; no gradient flows through it.

    Args:
      prediction: (..., H, W, C).
      target: (..., H, W, C).
      alpha: how much the loss dwells on the worst frequencies, >= 0; 0 is the `mse`.

    Raises:
      InputError: alpha is negative, or the shapes differ.

    Reference: Jiang et al., "Focal Frequency Loss for Image Reconstruction and Synthesis", ICCV 2021, equations 7 to 9.
    """
    check_range("alpha", alpha, low=0)
    height, width = prediction.shape[-3:-1]
    spectrum = to_spectrum(difference(prediction, target))
    squares = (jnp.square(spectrum.real) + jnp.square(spectrum.imag)) / (height * width)
    weights = power(lax.stop_gradient(squares), 0.5 * alpha) if alpha else jnp.ones_like(squares)
    largest = jnp.max(weights, (-3, -2), keepdims=True)
    weights = weights / jnp.where(largest > 0, largest, 1.0)
    return _mean(weights * squares, width)


def _mean(values: jax.Array, width: int) -> PerImage:
    """Mean over the whole spectrum of values that are known for its half, (..., H, W // 2 + 1, C)."""
    columns = jnp.mean(values, (-3, -1))
    # The first column is its own mirror image, and so is the last where the width is even.
    twice = columns[..., 1 : (width + 1) // 2]
    once = jnp.concatenate([columns[..., :1], columns[..., (width + 1) // 2 :]], -1)
    return (jnp.sum(once, -1) + 2.0 * jnp.sum(twice, -1)) / width
