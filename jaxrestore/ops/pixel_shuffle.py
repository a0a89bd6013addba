"""Sub-pixel rearrangement in torch's order: channel c*r*r + i*r + j belongs to row offset i and column offset j."""

import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.typing import Image


def pixel_shuffle(image: Image, scale: int) -> Image:
    """Move channels into space.

    Args:
      image: (..., H, W, C * scale * scale).
      scale: enlargement, at least 1.

    Returns:
      (..., scale * H, scale * W, C).

    Raises:
      InputError: the channels are no multiple of scale squared, or the scale is not positive.

    Reference: Shi et al., "Real-Time Single Image and Video Super-Resolution", CVPR 2016, equation 4 (in torch's order of channels).
    """
    *batch, height, width, channels = image.shape
    if scale < 1 or channels % scale**2:
        raise InputError(f"pixel_shuffle by {scale}: the {channels} channels must be a multiple of scale squared, and the scale at least 1")
    if scale == 1:
        return image
    x = image.reshape(*batch, height, width, channels // scale**2, scale, scale)
    n = len(batch)
    x = jnp.transpose(x, (*range(n), n, n + 3, n + 1, n + 4, n + 2))
    return x.reshape(*batch, height * scale, width * scale, channels // scale**2)


def pixel_unshuffle(image: Image, scale: int) -> Image:
    """The exact inverse of `pixel_shuffle`: move space into channels.

    Args:
      image: (..., scale * H, scale * W, C).
      scale: reduction, at least 1.

    Returns:
      (..., H, W, C * scale * scale).

    Raises:
      InputError: height or width is no multiple of the scale, or the scale is not positive.
    """
    *batch, height, width, channels = image.shape
    if scale < 1 or height % scale or width % scale:
        raise InputError(
            f"pixel_unshuffle by {scale}: both sides of {height}x{width} must be multiples of the scale, and the scale at least 1"
        )
    if scale == 1:
        return image
    x = image.reshape(*batch, height // scale, scale, width // scale, scale, channels)
    n = len(batch)
    x = jnp.transpose(x, (*range(n), n, n + 2, n + 4, n + 1, n + 3))
    return x.reshape(*batch, height // scale, width // scale, channels * scale**2)
