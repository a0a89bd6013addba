"""Median filters: the plain one, and one that grows its window where impulses are dense."""

from functools import partial

import jax
import jax.numpy as jnp

from jaxrestore.classical.images import in_float
from jaxrestore.errors import InputError
from jaxrestore.ops import median as windows
from jaxrestore.ops.padding import pad
from jaxrestore.typing import Image


def median(image: Image, *, size: int = 3, padding: str = "symmetric") -> Image:
    """The median of the window around every pixel, channel by channel.

    Args:
      image: (..., H, W, C).
      size: side of the window in pixels, odd.
      padding: how the image goes on outside; see `ops.padding.pad`.

    Raises:
      InputError: an even size, or an unknown padding.

    Reference: Tukey, "Exploratory Data Analysis", 1977, chapter 7.
    """
    return jnp.asarray(windows.median_filter(in_float(image), size, padding)).astype(image.dtype)


def adaptive_median(image: Image, *, largest: int = 7, padding: str = "symmetric") -> Image:
    """Replace impulses by the median, and leave every other pixel as it is.

    The window grows from 3x3 until its median is no impulse itself: neither its least nor its greatest value. Then a pixel that is the
    least or greatest of the window is replaced.

    Args:
      image: (..., H, W, C), each channel by itself.
      largest: side of the largest window in pixels, odd, >= 3; where even its median is an impulse, the pixel becomes this median.
      padding: how the image goes on outside; see `ops.padding.pad`.

    Raises:
      InputError: a size that is even or below 3, or an unknown padding.

    Reference: Hwang and Haddad, "Adaptive Median Filters: New Algorithms and Results", IEEE Transactions on Image Processing 1995, the
      ranked-order algorithm (RAMF).
    """
    if largest < 3 or largest % 2 == 0:
        raise InputError(f"largest is {largest}: the largest window's side must be odd and at least 3")
    return _adaptive(in_float(image), largest, padding).astype(image.dtype)


@partial(jax.jit, static_argnames=("largest", "padding"))
def _adaptive(image: jax.Array, largest: int, padding: str) -> jax.Array:
    result = jnp.asarray(windows.median_filter(image, largest, padding))
    for size in range(largest, 1, -2):
        middle = jnp.asarray(windows.median_filter(image, size, padding))
        least, greatest = (_extreme(image, size, padding, reduce) for reduce in (jnp.minimum, jnp.maximum))
        kept = jnp.where((least < image) & (image < greatest), image, middle)
        result = jnp.where((least < middle) & (middle < greatest), kept, result)
    return result


def _extreme(image: jax.Array, size: int, padding: str, reduce) -> jax.Array:
    """Minimum or maximum of the window, along rows and then along columns."""
    height, width = image.shape[-3:-1]
    padded = pad(image, (size // 2,) * 2, (size // 2,) * 2, padding)
    rows = padded[..., :height, :, :]
    for i in range(1, size):
        rows = reduce(rows, padded[..., i : i + height, :, :])
    result = rows[..., :width, :]
    for j in range(1, size):
        result = reduce(result, rows[..., j : j + width, :])
    return result
