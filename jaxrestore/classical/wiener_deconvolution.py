"""Wiener deconvolution: the linear filter that weighs, frequency by frequency, what blur has left of an image against the noise.

Both functions solve a quadratic problem in one step in the Fourier domain,

    minimise over x:  |psf * x - image|^2 + balance |operator * x|^2,

where the second term stands for the noise's power over the image's. They differ in who says what that is.
"""

from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.classical.borders import Border, check_word, deblur, torus_size, transfer
from jaxrestore.classical.images import in_float
from jaxrestore.classical.psf import in_unit_sum
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.fourier import Kernel
from jaxrestore.typing import Image

Operator = Literal["identity", "gradient", "laplacian"]
"""What the restored image should have little of: brightness, differences of first or of second order."""

Number = jax.Array | float | int

_GREY_LEVELS = 255.0
# An image of one colour has no power; it must not be divided by.
_LEAST_POWER = 1e-10


def wiener_deconvolution(image: Image, *, psf: Kernel, sigma: float | int, border: Border = "open") -> Image:
    """The Wiener filter for a photograph: its spectrum falls with the square of the frequency, and its power is measured.

    A photograph's power at frequency f is close to A / |f|^2, so that its differences have the same power A at all frequencies. A is found
    for each image and channel from the differences of the blurred image, less the noise's.

    Args:
      image: (..., H, W, C) in [0, 1].
      psf: point spread function, (kh, kw) or (..., kh, kw), see `classical.psf`.
      sigma: standard deviation of the noise in grey levels, >= 0.
      border: what lies beyond it, see `classical.borders`.

    Returns:
      The restored image, not clipped.

    Raises:
      InputError: sigma is negative, an unknown border, or a psf that is larger than the image, negative or nowhere above 0.

    Reference: Wiener, Extrapolation, Interpolation, and Smoothing of Stationary Time Series, 1949; the spectrum: Field, "Relations between
    the Statistics of Natural Images and the Response Properties of Cortical Cells", JOSA A 1987.
    """
    check_range("sigma", sigma, low=0.0)
    check_word("border", border, Border)
    pixels = in_float(image)
    return _natural(pixels, in_unit_sum(psf, pixels), sigma, border).astype(image.dtype)


def wiener_hunt_deconvolution(
    image: Image, *, psf: Kernel, balance: float | int = 0.01, operator: Operator = "laplacian", border: Border = "open"
) -> Image:
    """The Wiener filter with a given balance: Hunt's constrained least squares, or a constant ratio of noise to signal.

    Args:
      image: (..., H, W, C) in [0, 1].
      psf: point spread function, (kh, kw) or (..., kh, kw), see `classical.psf`.
      balance: weight of the operator's power, >= 0. For "identity" it is the power of the noise over that of the image.
      operator: "laplacian" is Hunt's and scikit-image's, "identity" the textbook filter with a constant ratio, "gradient" lies between.
      border: what lies beyond it, see `classical.borders`; "circular" is scikit-image's.

    Returns:
      The restored image, not clipped.

    Raises:
      InputError: balance is negative, an unknown word, or a psf that is larger than the image, negative or nowhere above 0.

    Reference: Hunt, "The Application of Constrained Least Squares Estimation to Image Restoration by Digital Computer", IEEE Transactions
    on Computers 1973; Gonzalez and Woods, Digital Image Processing, 4th edition, sections 5.8 and 5.9.
    """
    check_range("balance", balance, low=0.0)
    check_word("operator", operator, Operator)
    check_word("border", border, Border)
    pixels = in_float(image)
    return _given(pixels, in_unit_sum(psf, pixels), balance, operator, border).astype(image.dtype)


@partial(jax.jit, static_argnames="border")
def _natural(image: jax.Array, psf: jax.Array, sigma: Number, border: Border) -> jax.Array:
    size = torus_size(image, psf, border)
    otf = transfer(image, psf, size)
    noise = jnp.square(jnp.asarray(sigma, image.dtype) / _GREY_LEVELS)
    # White noise has four times its power in the differences along two axes.
    along = (jnp.mean(jnp.square(jnp.diff(image, axis=axis)), axis=(-3, -2), keepdims=True) for axis in (-3, -2))
    power = jnp.maximum(sum(along) - 4.0 * noise, 0.0) / jnp.mean(jnp.square(jnp.abs(otf)), axis=(-3, -2), keepdims=True)
    return deblur(image, otf, wiener_filter(otf, noise / jnp.maximum(power, _LEAST_POWER), "gradient", size), size)


@partial(jax.jit, static_argnames=("operator", "border"))
def _given(image: jax.Array, psf: jax.Array, balance: Number, operator: Operator, border: Border) -> jax.Array:
    size = torus_size(image, psf, border)
    otf = transfer(image, psf, size)
    return deblur(image, otf, wiener_filter(otf, jnp.asarray(balance, image.dtype), operator, size), size)


def wiener_filter(otf: jax.Array, balance: jax.Array, operator: Operator, size: tuple[int, int]) -> jax.Array:
    """The filter's transfer function; zero where nothing is known and nothing wanted. The balance has the axes of the image's spectrum."""
    power = operator_power(operator, size, balance.dtype)
    # In real numbers: complex division and the length of a complex number guard against overflow, which costs more than the transforms.
    along, across = jnp.real(otf), jnp.imag(otf)
    denominator = jnp.square(along) + jnp.square(across) + balance * power.reshape((1,) * (otf.ndim - 3) + power.shape)
    inverse = jnp.where(denominator > 0.0, 1.0 / jnp.where(denominator > 0.0, denominator, 1.0), 0.0)
    return jax.lax.complex(along * inverse, -across * inverse)


def operator_power(operator: Operator, size: tuple[int, int], dtype: object) -> jax.Array:
    """The squared transfer function of an operator on a torus: (H, W // 2 + 1, 1)."""
    if operator == "identity":
        return jnp.ones((size[0], size[1] // 2 + 1, 1), dtype)
    frequencies = (np.arange(n) / side for n, side in zip((size[0], size[1] // 2 + 1), size, strict=True))
    rows, columns = (2.0 - 2.0 * np.cos(2.0 * np.pi * frequency) for frequency in frequencies)
    laplacian = rows[:, None, None] + columns[None, :, None]
    return jnp.asarray(laplacian if operator == "gradient" else np.square(laplacian), dtype)
