"""Means over a window around each pixel, for windows of any size."""

import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.ops.padding import pad
from jaxrestore.ops.symbolic import is_symbolic, smaller
from jaxrestore.typing import Image


def local_mean(image: Image, window: tuple[int, int]) -> jax.Array:
    """The mean over a window around each pixel; near the border, over the window nearest to it that lies in the image.

    Sums of 2, 4, 8... neighbours are built from each other, so that a window of k pixels costs about 2 log2(k) additions a pixel and side,
    is exact to float noise however large the image, and reads no pixel beyond the window, as running sums would.

    Args:
      image: (..., H, W, C).
      window: (height, width), in pixels, at least 1; a side longer than the image's is the whole side. An even window reaches one pixel
        farther down and to the right.

    Returns:
      (..., H, W, C), of the image's dtype, summed at least in float32.

    Raises:
      InputError: a window of no pixels.

    Reference: Chu, Chen, Chen and Lu, "Improving Image Restoration by Revisiting Global Information Aggregation", ECCV 2022, section 3.2.
    """
    if min(window) < 1:
        raise InputError(f"window is {window}: both sides must be at least 1")
    size = image.shape[-3:-1]
    x = jnp.asarray(image, jnp.promote_types(image.dtype, jnp.float32))
    if is_symbolic(*size):
        for axis, wanted in enumerate(window):
            x = _symbolic_mean(x, image.ndim - 3 + axis, wanted)
        return x.astype(image.dtype)
    for axis, (side, wanted) in enumerate(zip(size, window, strict=True)):
        length = min(side, wanted)
        x = _sums(x, image.ndim - 3 + axis, length) / length
    borders = [(side - found) for side, found in zip(size, x.shape[-3:-1], strict=True)]
    (above, below), (left, right) = ((n // 2, n - n // 2) for n in borders)
    return pad(x, (above, below), (left, right), "replicate").astype(image.dtype)


def _sums(x: jax.Array, axis: int, length: int) -> jax.Array:
    """Sums of `length` neighbours at every place where they fit."""
    count = x.shape[axis] - length + 1

    def piece(values: jax.Array, first: int) -> jax.Array:
        return jax.lax.slice_in_dim(values, first, first + count, axis=axis)

    total, done, power, width = None, 0, x, 1
    while width <= length:
        if length & width:
            part = piece(power, done)
            total, done = part if total is None else total + part, done + width
        if 2 * width <= length:
            steps = power.shape[axis] - width
            power = jax.lax.slice_in_dim(power, 0, steps, axis=axis) + jax.lax.slice_in_dim(power, width, width + steps, axis=axis)
        width *= 2
    return total


def _symbolic_mean(x: jax.Array, axis: int, wanted: int) -> jax.Array:
    """The same along one side whose length is not known yet: the program finds out which powers of two make up the window."""
    side = x.shape[axis]
    length, place = jnp.asarray(smaller(side, wanted)), jnp.arange(side)
    shape = [1] * x.ndim
    shape[axis] = -1

    def moved(values: jax.Array, by: jax.Array | int) -> jax.Array:
        return jnp.take(values, place + by, axis, mode="clip") * (place + by < side).reshape(shape)

    total, done, power, width = jnp.zeros_like(x), jnp.int32(0), x, 1
    while width <= wanted:
        wants = (length // width) % 2
        total = total + moved(power, done) * wants
        done = done + wants * width
        power = power + moved(power, width)
        width *= 2
    missing = length - 1
    first = jnp.clip(place - missing // 2, 0, jnp.asarray(side) - length)
    return jnp.take(total, first, axis, mode="clip") / length
