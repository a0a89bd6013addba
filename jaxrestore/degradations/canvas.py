"""Images of a drawn size inside compiled programs: each lies on a canvas whose size is compiled in.

The image has its first pixel at (MARGIN, MARGIN) of the canvas and goes on beyond its border with what lies there: its edge pixels, as
resizing writes them. So filters and encoders need no border of their own.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp

from jaxrestore.ops.filtering import filter_2d
from jaxrestore.typing import ArrayLike

MARGIN = 16
"""Pixels around the image: a multiple of JPEG's largest blocks, and more than half of the largest kernel."""

METHODS = ("area", "bilinear", "bicubic")


def canvas_side(side: int) -> int:
    """Side of a canvas that holds images of up to `side` pixels; a multiple of 16."""
    return -(-side // 16) * 16 + 2 * MARGIN


def lay_out(image: jax.Array) -> jax.Array:
    """A canvas that holds the image and no larger one."""
    rows, columns = (canvas_side(side) - MARGIN - side for side in image.shape[:2])
    return jnp.pad(image, ((MARGIN, rows), (MARGIN, columns), (0, 0)), "edge")


def take_off(canvas: jax.Array, size: tuple[int, int]) -> jax.Array:
    """The image of a size that is known at last."""
    return canvas[MARGIN : MARGIN + size[0], MARGIN : MARGIN + size[1]]


def resize(canvas: jax.Array, old: jax.Array, new: jax.Array, sides: tuple[int, int], method: jax.Array) -> jax.Array:
    """Resize from one drawn size to another, without antialiasing but for the area method, as PyTorch and OpenCV do.

    Args:
      canvas: holds the image.
      old: (height, width) of the image.
      new: of the result.
      sides: of the canvas of the result.
      method: place in `METHODS`; bicubic has a = -0.75, and area is the mean of what a pixel of the result covers.
    """
    return _resampled(canvas, *(_weights(canvas.shape[i], sides[i], old[i], new[i], method, canvas.dtype) for i in (0, 1)))


def shrink_gaussian(canvas: jax.Array, factor: jax.Array, new: jax.Array, sides: tuple[int, int], sigma: jax.Array) -> jax.Array:
    """Shrink by a whole drawn number: each pixel of the result is a Gaussian mean, up to 12 pixels around the middle of what it covers."""

    def weights(side: int, new_side: int, new: jax.Array) -> jax.Array:
        place = jnp.clip(jnp.arange(new_side) - MARGIN, 0, new - 1).astype(canvas.dtype)[:, None]
        distance = (place + 0.5) * factor - 0.5 - (jnp.arange(side) - MARGIN).astype(canvas.dtype)[None, :]
        # The exponent counts from the nearest pixel, so that a narrow Gaussian between two pixels keeps a weight.
        nearest = jnp.min(jnp.abs(distance), axis=1, keepdims=True)
        weight = jnp.where(jnp.abs(distance) <= 12.5, jnp.exp((nearest**2 - distance**2) / (2 * sigma**2)), 0.0)
        return weight / jnp.sum(weight, axis=1, keepdims=True)

    return _resampled(canvas, *(weights(canvas.shape[i], sides[i], new[i]) for i in (0, 1)))


def _resampled(canvas: jax.Array, rows: jax.Array, columns: jax.Array) -> jax.Array:
    canvas = jnp.einsum("pr,rcx->pcx", rows, canvas, precision="highest")
    return jnp.einsum("qc,pcx->pqx", columns, canvas, precision="highest")


def _weights(side: int, new_side: int, old: jax.Array, new: jax.Array, method: jax.Array, dtype: jnp.dtype) -> jax.Array:
    """(new_side, side): how much each pixel of a canvas gives to each of the next one's."""
    step = old / new
    place = jnp.clip(jnp.arange(new_side) - MARGIN, 0, new - 1).astype(dtype)[:, None]
    pixel = (jnp.arange(side) - MARGIN).astype(dtype)[None, :]
    distance = jnp.abs((place + 0.5) * step - 0.5 - pixel)

    def area() -> jax.Array:
        first, last = place * step, (place + 1.0) * step
        return jnp.maximum(jnp.minimum(last, pixel + 1.0) - jnp.maximum(first, pixel), 0.0) / step

    def bilinear() -> jax.Array:
        return jnp.maximum(1.0 - distance, 0.0)

    def bicubic() -> jax.Array:
        a, x = -0.75, distance
        near, far = ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0, a * (((x - 5.0) * x + 8.0) * x - 4.0)
        return jnp.where(x <= 1.0, near, jnp.where(x < 2.0, far, 0.0))

    return jax.lax.switch(method, (area, bilinear, bicubic))


def correlate(canvas: jax.Array, kernel: jax.Array) -> jax.Array:
    """Correlate with a kernel of odd size, by Fourier transforms: on a CPU 2.5 ms against 7 by a sum of shifts, for 21x21 on 304x304x3."""
    return filter_2d(canvas, kernel, "edge", "fft")


def worthwhile(sides: Sequence[int]) -> list[int]:
    """Those of some ascending sides of canvases that are much smaller than the next one that is kept; the last always is."""
    kept = [sides[-1]]
    for side in reversed(sides[:-1]):
        if side < 0.75 * kept[0]:
            kept.insert(0, side)
    return kept


def on_smallest(function: Callable[[jax.Array], jax.Array], canvas: jax.Array, size: jax.Array, sides: Sequence[int]) -> jax.Array:
    """Apply a function that keeps the size to the smallest of some canvases that holds the image, and not to all of this one."""
    needed = jnp.max(size) + 2 * MARGIN
    sides = worthwhile([*sides, min(canvas.shape[:2])])[:-1]

    def apply(side: int | None) -> Callable[[], jax.Array]:
        if side is None:
            return lambda: function(canvas)
        return lambda: jax.lax.dynamic_update_slice(canvas, function(canvas[:side, :side]), (0, 0, 0))

    index = jnp.sum(jnp.asarray(sides, jnp.int32) < needed) if sides else 0
    return jax.lax.switch(index, [apply(side) for side in [*sides, None]])


def each_alone_on_cpu(function: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    """The function, which `jax.vmap` applies to one example after the other on a CPU, and to all at once elsewhere.

    Where examples take different branches, all of them at once compute every branch for every example.
    """
    mapped = jax.custom_batching.custom_vmap(function)

    @mapped.def_vmap
    def batched(axis_size: int, in_batched: list[bool], *arguments: ArrayLike) -> tuple[jax.Array, bool]:
        arguments = [a if b else jnp.broadcast_to(a, (axis_size, *jnp.shape(a))) for a, b in zip(arguments, in_batched, strict=True)]

        def one_after_the_other(*arguments: jax.Array) -> jax.Array:
            return jax.lax.map(lambda one: function(*one), arguments)

        return jax.lax.platform_dependent(*arguments, cpu=one_after_the_other, default=jax.vmap(function)), True

    return mapped
