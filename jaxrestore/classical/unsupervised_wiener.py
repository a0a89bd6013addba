"""Wiener deconvolution that finds its balance itself: the powers of noise and image are unknowns too, and sampled with it."""

from functools import partial

import jax
import jax.numpy as jnp

from jaxrestore.classical.borders import Border, check_word, deblur, extend, torus_size, transfer
from jaxrestore.classical.images import in_float
from jaxrestore.classical.psf import in_unit_sum
from jaxrestore.classical.wiener_deconvolution import Operator, operator_power, wiener_filter
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.fourier import Kernel
from jaxrestore.typing import Image, Key

# Samples before the mean begins, least number of samples, and the mean's relative change at which sampling ends.
_BURN_IN, _LEAST, _TOLERANCE = 15, 30, 1e-3


def unsupervised_wiener(
    image: Image,
    *,
    psf: Kernel,
    operator: Operator = "laplacian",
    border: Border = "open",
    iterations: int = 200,
    key: Key | None = None,
) -> Image:
    """The Wiener filter with nothing to be set: the mean over its unknown balance, by Gibbs sampling.

    In turns an image is drawn given the noise's precision and the image's, and these two given the image. The mean ratio of the two is the
    balance with which the image is filtered, as by `wiener_hunt_deconvolution`. Every channel has precisions of its own.

    Args:
      image: (..., H, W, C) in [0, 1].
      psf: point spread function, (kh, kw) or (..., kh, kw), see `classical.psf`.
      operator: what the image has little of, as for `wiener_hunt_deconvolution`.
      border: what lies beyond it, see `classical.borders`; "circular" is scikit-image's.
      iterations: most samples, >= 1.
      key: random key; that of seed 0 if none is given. A batch's images get `fold_in(key, index)`.

    Returns:
      The restored image, not clipped.

    Raises:
      InputError: fewer than 1 iteration, an unknown word, or a psf that is larger than the image, negative or nowhere above 0.

    Reference: Orieux, Giovannelli and Rodet, "Bayesian Estimation of Regularization and Point Spread Function Parameters for
      Wiener-Hunt Deconvolution", JOSA A 2010, sections 2 and 4, without the point spread function's parameters; scikit-image,
      `unsupervised_wiener`, whose result is the mean of the sampled images: this one's, and their noise.
    """
    check_range("iterations", iterations, low=1)
    check_word("operator", operator, Operator)
    check_word("border", border, Border)
    pixels = in_float(image)
    psf = in_unit_sum(psf, pixels)
    key = jax.random.key(0) if key is None else key
    size = torus_size(pixels, psf, border)
    restore = partial(_restore, operator=operator, size=size, iterations=iterations)
    if image.ndim == 3:
        return restore(key, pixels, psf).astype(image.dtype)
    flat = pixels.reshape(-1, *image.shape[-3:])
    kernels = jnp.broadcast_to(psf, (*image.shape[:-3], *psf.shape[-2:])).reshape(-1, *psf.shape[-2:])
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(len(flat)))
    return jax.lax.map(lambda one: restore(*one), (keys, flat, kernels)).reshape(image.shape).astype(image.dtype)


@partial(jax.jit, static_argnames=("operator", "size", "iterations"))
def _restore(key: Key, image: jax.Array, psf: jax.Array, operator: Operator, size: tuple[int, int], iterations: int) -> jax.Array:
    planes = jnp.moveaxis(extend(image, size), -1, 0)
    otf, power = transfer(image, psf, size), operator_power(operator, size, image.dtype)[..., 0]
    sample = jax.vmap(partial(_balance, iterations=iterations), (0, 0, None, None))
    balance = sample(jax.random.split(key, len(planes)), planes, otf[..., 0], power)
    return deblur(image, otf, wiener_filter(otf, balance[None, None], operator, size), size)


def _balance(key: Key, plane: jax.Array, otf: jax.Array, power: jax.Array, iterations: int) -> jax.Array:
    """The mean of the image's precision over the noise's, for one channel (H, W).

    Of the image that is drawn, only two energies are ever used: that of what it leaves of the data, and that of what the operator makes of
    it. Both are sums over all frequencies, of means and variances that are known, and so normal: they are drawn in its place.
    """
    height, width = plane.shape
    burn_in = min(_BURN_IN, iterations - 1)
    passed, data = _squared(otf), _squared(jnp.fft.rfft2(plane, norm="ortho"))
    # Of the half spectrum all columns but the first, and the middle one, stand for two.
    twice = jnp.full(otf.shape[-1], 2.0, plane.dtype).at[0].set(1.0)
    twice = twice if width % 2 else twice.at[-1].set(1.0)

    def total(parts: jax.Array) -> jax.Array:
        return jnp.sum(twice * jnp.sum(parts, axis=0))

    def draw(state: tuple) -> tuple:
        step, noise_precision, image_precision, balances, _ = state
        first, second, third, fourth = jax.random.normal(jax.random.fold_in(key, step), (4,), plane.dtype)
        variance = 1.0 / (noise_precision * passed + image_precision * power)
        kept, lost = noise_precision * passed * variance, image_precision * power * variance  # shares of the data; their sum is one
        mean, left = kept * noise_precision * variance * data, jnp.square(lost) * data  # squares of the mean image, and of what it leaves
        along, across = passed * variance, power * variance
        noise_spread = jnp.sqrt(total(4.0 * left * along + 2.0 * jnp.square(along)))
        shared = total(2.0 * along * across - 4.0 * across * kept * lost * data) / noise_spread
        own = jnp.sqrt(jnp.maximum(total(4.0 * power * mean * across + 2.0 * jnp.square(across)) - jnp.square(shared), 0.0))
        noise_energy = total(left + along) + noise_spread * first
        image_energy = total(power * mean + across) + shared * first + own * second
        noise_precision = _precision(third, height * width, noise_energy)
        image_precision = _precision(fourth, height * width - 1, image_energy)
        counted = jnp.maximum(step - burn_in, 0).astype(plane.dtype)  # before this one
        following = jnp.where(step >= burn_in, balances + image_precision / noise_precision, balances)
        average = following / (counted + 1.0)
        change = jnp.where(counted > 0.0, jnp.abs(average - balances / jnp.maximum(counted, 1.0)) / average, jnp.inf)
        return step + 1, noise_precision, image_precision, following, change

    def go_on(state: tuple) -> jax.Array:
        return (state[0] < iterations) & ((state[0] < _LEAST) | (state[-1] > _TOLERANCE))

    one = jnp.ones((), plane.dtype)
    count, _, _, balances, _ = jax.lax.while_loop(go_on, draw, (0, one, one, 0.0 * one, jnp.inf * one))
    return balances / (count - burn_in).astype(plane.dtype)


def _precision(normal: jax.Array, count: int, energy: jax.Array) -> jax.Array:
    """Given the energy of so many independent normal numbers: gamma distributed, by Wilson and Hilferty's cube of a normal number."""
    spread = 2.0 / (9.0 * count)
    cube = 1.0 - spread + spread**0.5 * normal
    return count * cube**3 / jnp.maximum(energy, 1e-20)


def _squared(spectrum: jax.Array) -> jax.Array:
    return jnp.square(jnp.real(spectrum)) + jnp.square(jnp.imag(spectrum))
