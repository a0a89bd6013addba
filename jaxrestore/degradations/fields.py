"""Smooth random fields: what varies slowly over a picture (depth, damp, wear)."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.ops.resize import resize_taps
from jaxrestore.typing import Key

_DIGITS = 10  # binary digits of the numbers on the grid, after the point
_WEIGHT_DIGITS = 8  # and of the interpolation's weights


def smooth_field(key: Key, size: tuple[int, int], cells: int) -> jax.Array:
    """Normal numbers on a grid of `cells` x `cells`, bicubic in between.

    It is computed in whole numbers, so that it is the same to the last bit however a compiler orders or contracts sums of products.

    Args:
      key: random key.
      size: (height, width) of the result.
      cells: how many independent numbers lie along each side.

    Returns:
      (height, width), of mean 0.
    """
    field = jnp.round(jax.random.normal(key, (cells, cells)) * 2**_DIGITS).astype(jnp.int32)
    for axis, side in enumerate(size):
        taps = resize_taps(cells, side, side / cells, antialias=False)
        weights = np.round(taps.weights * 2**_WEIGHT_DIGITS).astype(np.int32)
        field = sum(
            jnp.expand_dims(jnp.asarray(weight), 1 - axis) * jnp.take(field, index, axis, mode="clip")
            for weight, index in zip(weights.T, taps.indices.T, strict=True)
        )
    return field.astype(jnp.float32) * 2.0 ** -(_DIGITS + 2 * _WEIGHT_DIGITS)
