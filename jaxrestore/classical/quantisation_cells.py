"""What a JPEG file says about its picture: which of its quantiser's cells every DCT coefficient lay in."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Real

from jaxrestore.ops.dct8 import dct8, from_blocks, inverse_dct8, to_blocks
from jaxrestore.typing import ArrayLike, Image

Table = Real[Array | np.ndarray, "8 8"]

_LEVELS = 255.0
_MIDDLE = 128.0  # JPEG's coefficients are those of values around zero


class Cells(NamedTuple):
    """Closed boxes of coefficients: all pictures that a quantiser maps to one file.

    Attributes:
      centre: (..., h, w, C, 8, 8), what the file stores, in grey levels.
      half: half the boxes' sides, in the same shape.
    """

    centre: jax.Array
    half: jax.Array

    def nearest(self, image: Image) -> jax.Array:
        """The projection: the nearest image inside the boxes, (..., H, W, C) in [0, 1] with sides that are multiples of 8."""
        return from_coefficients(self.centre + jnp.clip(coefficients(image) - self.centre, -self.half, self.half))


def cells(image: Image, steps: Table, width: ArrayLike = 1.0) -> Cells:
    """The cells of a decoded picture.

    Args:
      image: (..., H, W, C) in [0, 1], sides multiples of 8.
      steps: (8, 8) quantisation table, in grey levels.
      width: of the boxes, as a share of the quantiser's cells; a share because the coefficients that a cell held crowd around its middle.
    """
    centre = quantise(coefficients(image), steps)
    return Cells(centre, jnp.broadcast_to(0.5 * width * jnp.asarray(steps, centre.dtype), centre.shape))


def coefficients(image: Image) -> jax.Array:
    """(..., H, W, C) in [0, 1] -> (..., H / 8, W / 8, C, 8, 8) in grey levels."""
    return dct8(to_blocks(_LEVELS * image - _MIDDLE))


def from_coefficients(blocks: jax.Array) -> jax.Array:
    """The exact inverse of `coefficients`."""
    return (from_blocks(inverse_dct8(blocks)) + _MIDDLE) / _LEVELS


def quantise(blocks: jax.Array, steps: Table) -> jax.Array:
    """Coefficients rounded to multiples of their steps."""
    steps = jnp.broadcast_to(jnp.asarray(steps, blocks.dtype), blocks.shape)
    return steps * jnp.round(blocks / steps)
