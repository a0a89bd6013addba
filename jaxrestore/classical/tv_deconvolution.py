"""Deconvolution with total variation: the sharp image is one that has edges and little else.

    minimise over x:  1/2 |seen * (psf * x) - image|^2 + weight * TV(x)

by the alternating direction method of multipliers. Two splittings, u = psf * x and d = differences of x, make each step exact: x by one
division in the Fourier domain, u pixel by pixel (where nothing was seen it is what x says), d by shrinking.
"""

from functools import partial

import jax
import jax.numpy as jnp

from jaxrestore.classical.borders import Border, check_word, extend, seen_pixels, torus_size, transfer
from jaxrestore.classical.images import in_float
from jaxrestore.classical.psf import in_unit_sum
from jaxrestore.classical.wiener_deconvolution import operator_power
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.fourier import Kernel, from_spectrum, to_spectrum
from jaxrestore.ops.padding import crop
from jaxrestore.typing import Image

Number = jax.Array | float | int

_GREY_LEVELS = 255.0
# The size of a difference between neighbours in photographs; a weight of the noise's variance over it gave the best PSNR.
_TYPICAL_DIFFERENCE = 0.06
# Penalties of the two splittings decide how fast it gets there, not where: that of u in units of the data term, that of d in units of the
# weight over a difference.
_DATA_PENALTY = 0.1
_DIFFERENCE_PENALTY = 1.5
# A weight for images without noise; rounding is noise, too.
_LEAST_SIGMA = 0.1


def tv_deconvolution(
    image: Image,
    *,
    psf: Kernel,
    sigma: float | int,
    strength: float | int = 1.0,
    isotropic: bool = True,
    iterations: int = 50,
    border: Border = "open",
) -> Image:
    """Minimise 1/2 |psf * x - image|^2 + weight TV(x), with a weight that suits the noise.

    Args:
      image: (..., H, W, C) in [0, 1].
      psf: point spread function, (kh, kw) or (..., kh, kw), see `classical.psf`.
      sigma: standard deviation of the noise in grey levels, >= 0; below 0.1 it counts as that.
      strength: factor on the weight (sigma / 255)^2 / 0.06, > 0; above 1 is smoother.
      isotropic: lengths of the differences along rows, columns and channels together, as one vector for each pixel; otherwise the sum of
        their absolute values.
      iterations: of the alternating directions, at least 1.
      border: what lies beyond it, see `classical.borders`.

    Returns:
      The restored image, not clipped.

    Raises:
      InputError: a value out of its range, an unknown border, or a psf that is larger than the image, negative or nowhere above 0.

    Reference: the model: Rudin and Osher, "Total Variation Based Image Restoration with Free Local Constraints", ICIP 1994; the splitting
    of differences: Wang, Yang, Yin and Zhang, "A New Alternating Minimization Algorithm for Total Variation Image Reconstruction", SIAM
    Journal on Imaging Sciences 2008; multipliers and the open border: Almeida and Figueiredo, "Deconvolving Images with Unknown Boundaries
    Using the Alternating Direction Method of Multipliers", IEEE TIP 2013, section V.
    """
    check_range("sigma", sigma, low=0.0)
    check_range("strength", strength, low=0.0, open_low=True)
    check_range("iterations", iterations, low=1)
    check_word("border", border, Border)
    pixels = in_float(image)
    return _tv(pixels, in_unit_sum(psf, pixels), sigma, strength, iterations, isotropic, border).astype(image.dtype)


@partial(jax.jit, static_argnums=(5, 6))
def _tv(
    image: jax.Array, psf: jax.Array, sigma: Number, strength: Number, iterations: Number, isotropic: bool, border: Border
) -> jax.Array:
    noise = jnp.maximum(jnp.asarray(sigma, image.dtype), _LEAST_SIGMA) / _GREY_LEVELS
    weight = strength * jnp.square(noise) / _TYPICAL_DIFFERENCE
    penalty = _DIFFERENCE_PENALTY * weight / _TYPICAL_DIFFERENCE
    shrink = shrink_vectors if isotropic else shrink_numbers
    size = torus_size(image, psf, border)
    otf = transfer(image, psf, size)
    seen = seen_pixels(image, size)
    data = extend(image, size)
    roughness = operator_power("gradient", size, image.dtype)
    roughness = roughness.reshape((1,) * (image.ndim - 3) + roughness.shape)
    system = _DATA_PENALTY * jnp.square(jnp.abs(otf)) + penalty * roughness

    def step(_: jax.Array | int, state: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        u, u_dual, down, right, down_dual, right_dual, _ = state
        right_side = jnp.conj(otf) * to_spectrum(_DATA_PENALTY * (u + u_dual))
        right_side += to_spectrum(penalty * adjoint_differences(down + down_dual, right + right_dual))
        spectrum = right_side / system
        x = from_spectrum(spectrum, size)
        blurred = from_spectrum(otf * spectrum, size)
        wanted = blurred - u_dual
        u = (seen * data + _DATA_PENALTY * wanted) / (seen + _DATA_PENALTY)
        x_down, x_right = differences(x)
        down, right = shrink(x_down - down_dual, x_right - right_dual, weight / penalty)
        return u, u_dual + u - blurred, down, right, down_dual + down - x_down, right_dual + right - x_right, x

    zero = jnp.zeros_like(data)
    state = (data, zero, *differences(data), zero, zero, data)
    return crop(jax.lax.fori_loop(0, iterations, step, state)[-1], (image.shape[-3], image.shape[-2]))


def differences(image: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Forward differences on a torus, downwards and to the right."""
    return jnp.roll(image, -1, -3) - image, jnp.roll(image, -1, -2) - image


def adjoint_differences(down: jax.Array, right: jax.Array) -> jax.Array:
    """The adjoint of `differences`."""
    return jnp.roll(down, 1, -3) - down + jnp.roll(right, 1, -2) - right


def shrink_vectors(down: jax.Array, right: jax.Array, weight: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Shorten the vector of each pixel's differences in all channels by `weight`: the proximal operator of the isotropic TV."""
    length = jnp.sqrt(jnp.sum(jnp.square(down) + jnp.square(right), axis=-1, keepdims=True))
    factor = jnp.maximum(length - weight, 0.0) / jnp.where(length > 0.0, length, 1.0)
    return factor * down, factor * right


def shrink_numbers(down: jax.Array, right: jax.Array, weight: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Bring every difference nearer to zero by `weight`: the proximal operator of the anisotropic TV."""
    shrunk = (jnp.sign(part) * jnp.maximum(jnp.abs(part) - weight, 0.0) for part in (down, right))
    return next(shrunk), next(shrunk)
