"""Masks of missing pixels."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Shaped

from jaxrestore.errors import InputError
from jaxrestore.ops.checks import is_concrete
from jaxrestore.typing import Image

Mask = Shaped[Array | np.ndarray, "..."]
"""(..., H, W, 1), boolean, True where the content is missing; without leading axes it holds for every image of a batch."""


def checked_mask(image: Image, mask: Mask) -> jax.Array:
    """The mask with the image's leading axes: (..., H, W, 1), boolean.

    Raises:
      InputError: it is not boolean, belongs to another size, or leaves an image nothing that is known.
    """
    if mask.dtype != bool:
        raise InputError(f"mask is {mask.dtype}: it must be boolean, True where the content is missing")
    wanted = (*image.shape[:-1], 1)
    if mask.shape not in (wanted, wanted[-3:]):
        raise InputError(f"mask has the shape {mask.shape}: for an image of shape {image.shape} it must be {wanted}")
    if is_concrete(mask) and mask.size and np.asarray(mask).all(axis=(-3, -2, -1)).any():
        raise InputError("mask marks all of an image as missing: some pixels must be known")
    return jnp.broadcast_to(jnp.asarray(mask), wanted)


def merge(image: jax.Array, mask: jax.Array, filled: jax.Array) -> jax.Array:
    """`filled` where content is missing, within the range of each channel's known pixels; elsewhere the image, bit for bit."""
    axes = (-3, -2)
    low = jnp.min(jnp.where(mask, jnp.inf, image), axes, keepdims=True)
    high = jnp.max(jnp.where(mask, -jnp.inf, image), axes, keepdims=True)
    return jnp.where(mask, jnp.clip(filled, low, high), image)


def known_mean(image: jax.Array, mask: jax.Array) -> jax.Array:
    """(..., 1, 1, C): the mean of each channel's known pixels."""
    return jnp.mean(image, axis=(-3, -2), keepdims=True, where=~mask)
