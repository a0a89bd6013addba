"""Shrinking by two without aliasing."""

import jax
import jax.numpy as jnp

from jaxrestore.ops.padding import pad
from jaxrestore.typing import Image


def blur_pool(image: Image) -> jax.Array:
    """Every second pixel of the image after the binomial filter 1 2 1 along both sides; the border is mirrored.

    Args:
      image: (..., H, W, C).

    Returns:
      (..., ceil(H / 2), ceil(W / 2), C).

    Reference: Zhang, "Making Convolutional Networks Shift-Invariant Again", ICML 2019, section 3.2.
    """
    height, width = image.shape[-3:-1]
    x = pad(jnp.asarray(image), (1, 1), (1, 1), "reflect")
    x = (x[..., 0:height:2, :, :] + 2 * x[..., 1 : height + 1 : 2, :, :] + x[..., 2 : height + 2 : 2, :, :]) / 4
    return (x[..., 0:width:2, :] + 2 * x[..., 1 : width + 1 : 2, :] + x[..., 2 : width + 2 : 2, :]) / 4
