"""Richardson-Lucy deconvolution: the image that makes what was counted most likely, found by multiplications that keep it positive."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp

from jaxrestore.classical.borders import check_word, extend, seen_pixels, torus_size, transfer
from jaxrestore.classical.images import in_float
from jaxrestore.classical.psf import in_unit_sum
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.fourier import Kernel, apply_otf
from jaxrestore.ops.padding import crop, pad
from jaxrestore.typing import Image

Border = Literal["open", "circular", "zeros"]
"""Beyond the border: "open", a scene that was not seen; "circular", the opposite side; "zeros", black, as the sky around a star."""

Number = jax.Array | float | int

_GREY_LEVELS = 255.0
# What a prediction is never taken to be below when data are divided by it; scikit-image's number.
_LEAST = 1e-12
# Pixels beyond an open border that send less of their light into the picture than this are not estimated.
_LEAST_SEEN = 1e-2
# White's N: how sharply damping sets in.
_DAMPING_POWER = 10


def richardson_lucy(
    image: Image,
    *,
    psf: Kernel,
    iterations: int = 30,
    filter_epsilon: float | int = 0.0,
    damping: float | int = 0.0,
    acceleration: bool = False,
    border: Border = "open",
) -> Image:
    """Richardson-Lucy deconvolution, x <- x * adjoint(image / (psf * x)), from a grey start.

    The number of iterations regularises: early ones sharpen, late ones fit the noise. With a circular border every iteration keeps the sum
    of the image.

    Args:
      image: (..., H, W, C) in [0, 1]; negative values are taken as 0.
      psf: point spread function, (kh, kw) or (..., kh, kw), see `classical.psf`.
      iterations: at least 1.
      filter_epsilon: where the prediction is below this the quotient is taken as 0, >= 0; against division by what is almost black.
      damping: deviations of the prediction below about this many grey levels are taken for noise and not fitted, >= 0; 0 fits all.
        Two or three times the noise's standard deviation keeps flat areas flat.
      acceleration: extrapolate between iterations; does the work of several iterations in one.
      border: what lies beyond it. "zeros" with an odd psf is scikit-image's, which darkens or brightens a photograph's rim.

    Returns:
      The restored image, not clipped, not negative.

    Raises:
      InputError: a value out of its range, an unknown border, or a psf that is larger than the image, negative or nowhere above 0.

    Reference: Richardson, "Bayesian-Based Iterative Method of Image Restoration", JOSA 1972; Lucy, "An Iterative Technique for the
    Rectification of Observed Distributions", Astronomical Journal 1974; damping: White, "Image Restoration Using the Damped
    Richardson-Lucy Method", 1994, with the deviance of Gaussian noise; acceleration: Biggs and Andrews, "Acceleration of Iterative Image
    Restoration Algorithms", Applied Optics 1997, equations 4 to 8; open borders: Bertero and Boccacci, "A Simple Method for the Reduction
    of Boundary Effects in the Richardson-Lucy Approach to Image Deconvolution", Astronomy & Astrophysics 2005, section 3.
    """
    check_range("iterations", iterations, low=1)
    check_range("filter_epsilon", filter_epsilon, low=0.0)
    check_range("damping", damping, low=0.0)
    check_word("border", border, Border)
    pixels = in_float(image)
    settings = (filter_epsilon, damping)
    return _richardson_lucy(pixels, in_unit_sum(psf, pixels), iterations, settings, bool(damping), acceleration, border).astype(image.dtype)


@partial(jax.jit, static_argnums=(4, 5, 6))
def _richardson_lucy(
    image: jax.Array,
    psf: jax.Array,
    iterations: Number,
    settings: tuple[Number, Number],
    damped: bool,
    accelerated: bool,
    border: Border,
) -> jax.Array:
    # Channels become leading axes: Fourier transforms along the last two axes need no transposition.
    data = jnp.maximum(jnp.moveaxis(image, -1, 0)[..., None], 0.0)
    seen = (image.shape[-3], image.shape[-2])
    size = torus_size(image, psf, "circular" if border == "circular" else "open")
    otf = transfer(data, psf, size)
    adjoint = jnp.conj(otf)
    filter_epsilon, damping = (jnp.asarray(number, image.dtype) for number in settings)

    def beyond(values: jax.Array) -> jax.Array:
        return pad(values, (0, size[0] - seen[0]), (0, size[1] - seen[1]), "zeros")

    start = jnp.full((*data.shape[:-3], *size, 1), 0.5, image.dtype)
    share = jnp.ones((), image.dtype)
    if border == "zeros":
        start = beyond(crop(start, seen))
        share = seen_pixels(data, size)
    elif border == "open":
        light = apply_otf(seen_pixels(data, size), adjoint)
        # What sends next to no light into the picture stays as the picture's smooth continuation.
        estimated = light > _LEAST_SEEN
        start = jnp.where(estimated, start, extend(data, size))
        share = jnp.where(estimated, 1.0 / jnp.where(estimated, light, 1.0), 0.0)

    def once(estimate: jax.Array) -> jax.Array:
        predicted = jnp.maximum(crop(apply_otf(estimate, otf), seen), 0.0) + _LEAST
        quotient = jnp.where(predicted < filter_epsilon, 0.0, data / predicted)
        if damped:
            deviance = jnp.minimum(jnp.square((data - predicted) * (_GREY_LEVELS / damping)), 1.0)
            kept = deviance ** (_DAMPING_POWER - 1) * (_DAMPING_POWER - (_DAMPING_POWER - 1) * deviance)
            quotient = 1.0 + kept * (quotient - 1.0)
        factor = share * apply_otf(beyond(quotient), adjoint)
        if border == "open":
            factor = jnp.where(estimated, factor, 1.0)
        return estimate * jnp.maximum(factor, 0.0)

    if accelerated:
        estimate = _accelerated(once, start, iterations)
    else:
        estimate = jax.lax.fori_loop(0, iterations, lambda _, estimate: once(estimate), start)
    return jnp.moveaxis(crop(estimate, seen)[..., 0], 0, -1)


def _accelerated(once: Callable[[jax.Array], jax.Array], start: jax.Array, iterations: Number) -> jax.Array:
    def step(
        _: jax.Array | int, state: tuple[jax.Array, jax.Array, jax.Array, jax.Array]
    ) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
        estimate, before, change, change_before = state
        products, squares = (jnp.sum(change_before * c, axis=(-3, -2, -1), keepdims=True) for c in (change, change_before))
        ahead = jnp.clip(jnp.where(squares > 0.0, products / jnp.where(squares > 0.0, squares, 1.0), 0.0), 0.0, 1.0)
        predicted = jnp.maximum(estimate + ahead * (estimate - before), 0.0)
        following = once(predicted)
        return following, estimate, following - predicted, change

    nothing = jnp.zeros_like(start)
    return jax.lax.fori_loop(0, iterations, step, (start, start, nothing, nothing))[0]
