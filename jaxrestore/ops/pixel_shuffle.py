"""Sub-pixel rearrangement in torch's order: channel c*r*r + i*r + j belongs to row offset i and column offset j."""

import jax.numpy as jnp

from jaxrestore.typing import Image


def pixel_shuffle(image: Image, scale: int) -> Image:
    """Move channels into space: (..., H, W, C*scale*scale) -> (..., scale*H, scale*W, C) (Shi et al., CVPR 2016).

    Raises:
      ValueError: the channels are no multiple of scale squared.
    """
    *batch, height, width, channels = image.shape
    if channels % scale**2:
        raise ValueError(f"pixel_shuffle: {channels} channels are no multiple of scale**2 = {scale**2}")
    if scale == 1:
        return image
    x = image.reshape(*batch, height, width, channels // scale**2, scale, scale)
    n = len(batch)
    x = jnp.transpose(x, (*range(n), n, n + 3, n + 1, n + 4, n + 2))
    return x.reshape(*batch, height * scale, width * scale, channels // scale**2)


def pixel_unshuffle(image: Image, scale: int) -> Image:
    """The exact inverse: (..., scale*H, scale*W, C) -> (..., H, W, C*scale*scale).

    Raises:
      ValueError: height or width is no multiple of scale.
    """
    *batch, height, width, channels = image.shape
    if height % scale or width % scale:
        raise ValueError(f"pixel_unshuffle: size {height}x{width} is no multiple of scale = {scale}")
    if scale == 1:
        return image
    x = image.reshape(*batch, height // scale, scale, width // scale, scale, channels)
    n = len(batch)
    x = jnp.transpose(x, (*range(n), n, n + 2, n + 4, n + 1, n + 3))
    return x.reshape(*batch, height // scale, width // scale, channels * scale**2)
