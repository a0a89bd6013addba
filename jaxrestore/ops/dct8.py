"""The 8x8 discrete cosine transform of JPEG: an image cut into blocks, and each block taken to its frequencies and back."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.typing import Image

Blocks = Float[Array | np.ndarray, "... _ _ _ 8 8"]
"""(..., H / 8, W / 8, C, 8, 8): a block's two axes stand last, so that a table (8, 8), or one a channel (C, 8, 8), multiplies as it is."""

SIDE = 8


def _basis() -> np.ndarray:
    frequency, place = np.arange(SIDE)[:, None], np.arange(SIDE)[None]
    basis = np.sqrt(2.0 / SIDE) * np.cos((2 * place + 1) * frequency * np.pi / (2 * SIDE))
    basis[0] /= np.sqrt(2.0)
    return basis


BASIS = _basis()
"""(8, 8): row u holds the cosine of frequency u, of length one; the transpose is the inverse."""


@jax.jit
def to_blocks(image: Image) -> Blocks:
    """Cut an image into 8x8 blocks.

    Args:
      image: (..., H, W, C), H and W multiples of 8 (`ops.padding.pad_to_multiple`).

    Returns:
      (..., H / 8, W / 8, C, 8, 8).

    Raises:
      InputError: a side is no multiple of 8.
    """
    *batch, height, width, channels = image.shape
    if height % SIDE or width % SIDE:
        raise InputError(f"image is {height}x{width}: both sides must be multiples of {SIDE} to be cut into blocks; pad it first")
    parts = image.reshape(*batch, height // SIDE, SIDE, width // SIDE, SIDE, channels)
    n = len(batch)
    return jnp.transpose(parts, (*range(n), n, n + 2, n + 4, n + 1, n + 3))


@jax.jit
def from_blocks(blocks: Blocks) -> Image:
    """The exact inverse of `to_blocks`: (..., h, w, C, 8, 8) -> (..., 8 * h, 8 * w, C)."""
    *batch, height, width, channels, _, _ = blocks.shape
    n = len(batch)
    parts = jnp.transpose(blocks, (*range(n), n, n + 3, n + 1, n + 4, n + 2))
    return parts.reshape(*batch, SIDE * height, SIDE * width, channels)


def dct8(blocks: Blocks) -> Blocks:
    """The orthonormal DCT-II of every block.

    Args:
      blocks: (..., 8, 8), any range.

    Returns:
      (..., 8, 8): coefficient [u, v] of vertical frequency u and horizontal frequency v; [0, 0] is 8 times the block's mean. Lengths are
      kept: the squares of a block and of its coefficients have the same sum.

    Reference: Ahmed, Natarajan and Rao, "Discrete Cosine Transform", IEEE Transactions on Computers 1974; ITU-T T.81 (JPEG), section A.3.3.
    """
    return _transform(blocks, forward=True)


def inverse_dct8(coefficients: Blocks) -> Blocks:
    """The exact inverse of `dct8`, its transpose."""
    return _transform(coefficients, forward=False)


@partial(jax.jit, static_argnames="forward")
def _transform(blocks: jax.Array, forward: bool) -> jax.Array:
    basis = jnp.asarray(BASIS if forward else BASIS.T, blocks.dtype)
    # At the highest precision: accelerators would round the operands, and quantised coefficients would jump.
    return jnp.einsum("ui,...ij,vj->...uv", basis, blocks, basis, precision="highest")
