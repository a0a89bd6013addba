"""How far the pixels of an image lie from thick line segments: what brush strokes, scratches and letters are drawn with."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def segments_distance(
    size: tuple[int, int], starts: Float[Array, "n 2"], ends: Float[Array, "n 2"], radii: Float[Array, " n"]
) -> Float[Array, "height width"]:
    """Distance of every pixel's centre to the nearest of some segments with round ends, in pixels.

    Args:
      size: (height, width) of the image.
      starts: (row, column) of each segment's first end; the image spans 0..height and 0..width, so pixel centres lie at half-integers.
      ends: of its second; equal to the first for a disc.
      radii: half the segment's width; minus infinity leaves a segment out.

    Returns:
      (height, width), negative inside the union of the segments; infinite where there is none.
    """
    dtype = starts.dtype
    if not len(starts):
        return jnp.full(size, jnp.inf, dtype)
    rows = jnp.arange(size[0], dtype=dtype)[:, None] + 0.5
    columns = jnp.arange(size[1], dtype=dtype)[None, :] + 0.5

    # One segment at a time: all of them at once would need memory for an image each.
    def nearer(i: jax.Array, nearest: jax.Array) -> jax.Array:
        (row, column), (down, right) = starts[i], ends[i] - starts[i]
        along = (rows - row) * down + (columns - column) * right
        share = jnp.clip(along / jnp.maximum(down * down + right * right, jnp.finfo(dtype).tiny), 0.0, 1.0)
        distance = jnp.hypot(rows - row - share * down, columns - column - share * right)
        return jnp.minimum(nearest, distance - radii[i])

    return jax.lax.fori_loop(0, len(starts), nearer, jnp.full(size, jnp.inf, dtype))
