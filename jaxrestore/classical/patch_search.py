"""Comparing one patch of an image, of which only some pixels are known, with every other; and keeping up a map that changes near one."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp

from jaxrestore.typing import ArrayLike


def patch_at(image: jax.Array, row: ArrayLike, column: ArrayLike, radius: int) -> jax.Array:
    """The square of 2 * radius + 1 pixels around a pixel: (H, W, C) -> (K, K, C); the pixel lies at least `radius` from the border."""
    side = 2 * radius + 1
    return jax.lax.dynamic_slice(image, (row - radius, column - radius, 0), (side, side, image.shape[-1]))


def distances(planes: jax.Array, patch: jax.Array, weights: jax.Array) -> jax.Array:
    """Weighted sums of squared differences between a patch and all of an image's patches.

    Args:
      planes: (C, H, W): channels first, so that whole rows are computed with one number of the patch.
      patch: (K, K, C).
      weights: (K, K, 1), zero where the patch is not known.

    Returns:
      (H - K + 1, W - K + 1): entry [i, j] is the sum over the pixels of weights * (planes[:, i : i + K, j : j + K] - patch)^2.
    """
    side = patch.shape[0]
    channels, *size = planes.shape
    height, width = (length - side + 1 for length in size)

    def add(row: ArrayLike, total: jax.Array) -> jax.Array:
        strip = jax.lax.dynamic_slice_in_dim(planes, row, height, 1)
        values, shares = (jax.lax.dynamic_index_in_dim(x, row, 0, keepdims=False) for x in (patch, weights[..., 0]))
        for column in range(side):
            squares = (jnp.square(strip[c, :, column : column + width] - values[column, c]) for c in range(channels))
            total = total + shares[column] * sum(squares)
        return total

    # Squares of differences, not a difference of squares: equal patches are at the distance zero.
    return jax.lax.fori_loop(0, side, add, jnp.zeros((height, width), planes.dtype))


def whole_patches(known: jax.Array, side: int) -> jax.Array:
    """Which patches are known in all their pixels: (H, W, 1) -> (H - side + 1, W - side + 1)."""
    for axis in (0, 1):
        length = known.shape[axis] - side + 1
        known = jnp.stack([jax.lax.slice_in_dim(known, i, i + length, axis=axis) for i in range(side)]).all(0)
    return known[..., 0]


def place_of_least(image: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Row and column of the least value of (H, W): columns' minima first, which a CPU finds much faster than a place."""
    column = jnp.argmin(jnp.min(image, axis=0))
    return jnp.argmin(image[:, column]), column


def refresh(
    whole: jax.Array,
    function: Callable[..., jax.Array],
    images: Sequence[jax.Array],
    middle: tuple[ArrayLike, ArrayLike],
    changed: int,
    reach: int,
) -> jax.Array:
    """Compute a map of an image anew near a place where the image has changed; elsewhere it stays.

    Args:
      whole: (H, W), what `function` of the images was before.
      function: from images (h, w, C) of any size to (h, w); a pixel depends on those up to `reach` rows and columns away, and on the
        image's border if that is near.
      images: (H, W, C) each, as they are now.
      middle: row and column of the place.
      changed: how many rows and columns from there the images may have changed.
      reach: of the function.

    Returns:
      (H, W), `function(*images)`.
    """
    size = [min(side, 2 * (changed + 2 * reach) + 1) for side in whole.shape]
    start = [jnp.clip(place - length // 2, 0, side - length) for place, length, side in zip(middle, size, whole.shape, strict=True)]
    new = function(*(jax.lax.dynamic_slice(image, (*start, 0), (*size, image.shape[-1])) for image in images))
    # The cut is no border of the image: what lies near it does not see all that it depends on.
    sound = []
    for first, length, side in zip(start, size, whole.shape, strict=True):
        place = jnp.arange(length)
        sound.append(((place >= reach) | (first == 0)) & ((place < length - reach) | (first + length == side)))
    old = jax.lax.dynamic_slice(whole, start, size)
    return jax.lax.dynamic_update_slice(whole, jnp.where(sound[0][:, None] & sound[1][None], new, old), start)
