"""Dithering by error diffusion: few tones, the error of each pixel handed on to neighbours that are still to come.

A pixel depends on its left neighbour and on three pixels of the row above. Pixels (y, x) with the same x + 2y therefore do not depend on
each other: all of them are done at once, so that an image takes W + 2H steps and not W * H. The results are those of the plain loop.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxrestore.degradations.batches import each_image
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range
from jaxrestore.typing import Image, Key


def dither_error_diffusion(key: Key, image: Image, levels: int = 2, method: str = "floyd_steinberg") -> Image:
    """Floyd-Steinberg dithering to few levels, each channel by itself.

    Args:
      key: not used; error diffusion is not random.
      image: (..., H, W, C) in [0, 1]; values outside are clipped.
      levels: number of equally spaced values from 0 to 1, 2..256.
      method: "floyd_steinberg", the textbook's, whose errors are kept as they are; or, for 2 levels only, the arithmetic of 8-bit programs:
        "pillow", Pillow's `convert("1")` (whole errors, sums clipped to 0..255), or "in_place", a loop found in many repositories, which
        rounds and clips each share as it is written into the 8-bit picture, and leaves the first row and column as they are.

    Raises:
      InputError: levels is outside 2..256 or is not the method's, or an unknown method.

    Reference: Floyd and Steinberg, "An Adaptive Algorithm for Spatial Greyscale", Proc. SID 17/2, 1976.
    """
    check_range("levels", levels, low=2, high=256)
    if method not in _METHODS:
        raise InputError(f"method is {method!r}: it must be one of {', '.join(_METHODS)}")
    if method != "floyd_steinberg" and levels != 2:
        raise InputError(f"levels is {levels}: it must be 2 with method={method!r}; floyd_steinberg takes 2..256")
    return each_image(_dither, key, image, levels=levels, method=method)


def _dither(key: Key, image: jax.Array, levels: int, method: str) -> jax.Array:
    return _METHODS[method](jnp.clip(image, 0.0, 1.0), levels)


def _textbook(image: jax.Array, levels: int) -> jax.Array:
    def choose(value: jax.Array, left: jax.Array, above: tuple[jax.Array, ...], at: jax.Array) -> tuple[jax.Array, jax.Array]:
        value = value + (7 * left + above[0] + 5 * above[1] + 3 * above[2]) / 16
        chosen = jnp.clip(jnp.floor(value * (levels - 1) + 0.5), 0, levels - 1) / (levels - 1)
        return chosen, value - chosen

    return _diffuse(image, choose)


def _pillow(image: jax.Array, levels: int) -> jax.Array:
    def choose(value: jax.Array, left: jax.Array, above: tuple[jax.Array, ...], at: jax.Array) -> tuple[jax.Array, jax.Array]:
        share = 7 * left + above[0] + 5 * above[1] + 3 * above[2]
        value = jnp.clip(value + jax.lax.div(share, jnp.full_like(share, 16)), 0, 255)  # rounds to zero, as C does
        chosen = jnp.where(value > 128, 255, 0)
        return chosen, value - chosen

    return _diffuse(_in_8_bits(image).astype(jnp.int32), choose).astype(image.dtype) / 255.0


def _in_place(image: jax.Array, levels: int) -> jax.Array:
    def choose(value: jax.Array, left: jax.Array, above: tuple[jax.Array, ...], at: jax.Array) -> tuple[jax.Array, jax.Array]:
        original = value
        # In the order in which the loop writes them.
        for error, weight in ((above[0], 1), (above[1], 5), (above[2], 3), (left, 7)):
            value = jnp.clip(value + jnp.round(error * weight / 16), 0, 255)
        chosen = jnp.where(at, jnp.where(value >= 128, 255, 0), original)
        return chosen, value - chosen

    return _diffuse(_in_8_bits(image), choose, first=1) / 255.0


def _in_8_bits(image: jax.Array) -> jax.Array:
    return jnp.floor(image * 255.0 + 0.5)


_METHODS: dict[str, Callable[[jax.Array, int], jax.Array]] = {"floyd_steinberg": _textbook, "pillow": _pillow, "in_place": _in_place}


def _diffuse(image: jax.Array, choose: Callable, first: int = 0) -> jax.Array:
    """Scan over x + 2y.

    Args:
      image: (H, W, C).
      choose: (value, error of the left neighbour, errors of the (left, middle, right) neighbours above, whether the pixel takes part) ->
        (output, error); elementwise.
      first: rows and columns before it take no part: they have no error.
    """
    height, width = image.shape[:2]
    if not image.size:
        return image
    steps = width + 2 * (height - 1)
    row = jnp.arange(height)[:, None]

    def step(errors: tuple[jax.Array, jax.Array, jax.Array], now: tuple[jax.Array, jax.Array]) -> tuple[tuple, jax.Array]:
        time, value = now
        column = time - 2 * row
        at = (column >= first) & (column < width) & (row >= first)
        # The pixel to the right above was one step ago, the middle one two, the left one three.
        right, middle, left = (jnp.pad(e[:-1], ((1, 0), (0, 0))) for e in errors)
        chosen, error = choose(value, errors[0], (left, middle, right), at)
        return (jnp.where(at, error, jnp.zeros_like(error)), *errors[:2]), chosen

    none = jnp.zeros_like(image[:, 0])
    _, chosen = jax.lax.scan(step, (none, none, none), (jnp.arange(steps), _skew(image, steps)))
    return _straighten(chosen, width)


def _skew(image: jax.Array, steps: int) -> jax.Array:
    """(H, W, C) -> (steps, H, C): what row y shows at time t is pixel t - 2y."""
    height, width, channels = image.shape
    padded = jnp.pad(image, ((0, 0), (0, steps + 2 - width), (0, 0)))
    # Rows that are read as two pixels shorter than they were written start two pixels later each.
    flat = padded.reshape(height * (steps + 2), channels)[: height * steps]
    return jnp.moveaxis(flat.reshape(height, steps, channels), 1, 0)


def _straighten(skewed: jax.Array, width: int) -> jax.Array:
    steps, height, channels = skewed.shape
    flat = jnp.pad(jnp.moveaxis(skewed, 0, 1).reshape(height * steps, channels), ((0, 2 * height), (0, 0)))
    return flat.reshape(height, steps + 2, channels)[:, :width]
