"""Methods for one channel on colour pictures: the luma through the method, the chroma through something cheaper."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.ops.color import rgb_to_ycbcr, ycbcr_to_rgb
from jaxrestore.typing import Image


def through_luma(image: Image, method: Callable[[jax.Array], jax.Array], chroma: Callable[[jax.Array], jax.Array]) -> jax.Array:
    """Apply `method` to the BT.601 luma (studio range) and `chroma` to the two other channels; an image of one channel is luma.

    Args:
      image: (..., H, W, 1) or RGB (..., H, W, 3).
      method: from (..., H, W, 1) to (..., H', W', 1).
      chroma: from (..., H, W, 2) to (..., H', W', 2).

    Raises:
      InputError: the image has neither 1 channel nor 3.
    """
    if image.shape[-1] == 1:
        return method(jnp.asarray(image))
    if image.shape[-1] != 3:
        raise InputError(f"image has {image.shape[-1]} channels: this method takes luma (1) or RGB (3)")
    luma_chroma = rgb_to_ycbcr(image)
    return ycbcr_to_rgb(jnp.concatenate([method(luma_chroma[..., :1]), chroma(luma_chroma[..., 1:])], axis=-1))
