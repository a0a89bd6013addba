"""Comparing one patch of an image, of which only some pixels are known, with every other."""

import jax
import jax.numpy as jnp

from jaxrestore.typing import ArrayLike


def patch_at(image: jax.Array, row: ArrayLike, column: ArrayLike, radius: int) -> jax.Array:
    """The square of 2 * radius + 1 pixels around a pixel: (H, W, C) -> (K, K, C); the pixel lies at least `radius` from the border."""
    side = 2 * radius + 1
    return jax.lax.dynamic_slice(image, (row - radius, column - radius, 0), (side, side, image.shape[-1]))


def distances(image: jax.Array, patch: jax.Array, weights: jax.Array) -> jax.Array:
    """Weighted sums of squared differences between a patch and all of an image's patches.

    Args:
      image: (H, W, C).
      patch: (K, K, C).
      weights: (K, K, 1), zero where the patch is not known.

    Returns:
      (H - K + 1, W - K + 1): entry [i, j] is the sum over the pixels of weights * (image[i : i + K, j : j + K] - patch)^2.
    """
    side = patch.shape[0]
    height, width = (length - side + 1 for length in image.shape[:2])

    def add(row: ArrayLike, total: jax.Array) -> jax.Array:
        strip = jax.lax.dynamic_slice_in_dim(image, row, height, 0)
        for column in range(side):
            difference = strip[:, column : column + width] - jax.lax.dynamic_slice(patch, (row, column, 0), (1, 1, patch.shape[-1]))
            total = total + jax.lax.dynamic_slice(weights, (row, column, 0), (1, 1, 1)) * difference**2
        return total

    # Squares of differences, not a difference of squares: equal patches are at the distance zero.
    return jnp.sum(jax.lax.fori_loop(0, side, add, jnp.zeros((height, width, image.shape[-1]), image.dtype)), axis=-1)


def whole_patches(known: jax.Array, side: int) -> jax.Array:
    """Which patches are known in all their pixels: (H, W, 1) -> (H - side + 1, W - side + 1)."""
    for axis in (0, 1):
        length = known.shape[axis] - side + 1
        known = jnp.stack([jax.lax.slice_in_dim(known, i, i + length, axis=axis) for i in range(side)]).all(0)
    return known[..., 0]
