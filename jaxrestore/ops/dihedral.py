"""The eight symmetries of the square (the dihedral group): quarter turns, and mirroring before them."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.typing import Image

COUNT = 8


def dihedral(image: Image, index: int) -> Float[Array, "... _ _ _"]:
    """One of the eight views of an image.

    Args:
      image: (..., H, W, C).
      index: 0 to 7: index % 4 quarter turns anticlockwise, from 4 on after exchanging left and right; 0 is the image itself.

    Returns:
      (..., H, W, C), or (..., W, H, C) where the number of turns is odd.

    Raises:
      InputError: another index.
    """
    _check(index)
    image = jnp.asarray(image)
    return jnp.rot90(jnp.flip(image, -2) if index >= 4 else image, index % 4, axes=(-3, -2))


def inverse_dihedral(image: Image, index: int) -> Float[Array, "... _ _ _"]:
    """The exact inverse of `dihedral` of the same index."""
    _check(index)
    turned = jnp.rot90(jnp.asarray(image), -(index % 4), axes=(-3, -2))
    return jnp.flip(turned, -2) if index >= 4 else turned


def _check(index: int) -> None:
    if not 0 <= index < COUNT:
        raise InputError(f"index is {index}: the symmetries of the square have the numbers 0 to {COUNT - 1}")
