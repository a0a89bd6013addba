"""The noise level as a network's second input: a map beside the image."""

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.typing import Image


def level_map(module: nn.Module, image: Image, noise_level: Image | None) -> Image:
    """The map that a network was given, of the image's size and type.

    Args:
      module: the network that needs it.
      image: (N, H, W, C).
      noise_level: standard deviation of the noise in the image's unit, (N, H, W, 1), or (N, 1, 1, 1) where it is the same everywhere. None
        is allowed while the network is being initialised, so that an image alone gives the parameters' shapes.

    Returns:
      (N, H, W, 1).

    Raises:
      InputError: no map, or one of another shape.
    """
    batch, height, width, _ = image.shape
    if noise_level is None:
        if not module.is_initializing():
            raise InputError(f"noise_level is missing: {type(module).__name__} needs a map (N, H, W, 1) beside the image")
        return jnp.zeros((batch, height, width, 1), image.dtype)
    if noise_level.shape not in ((batch, height, width, 1), (batch, 1, 1, 1)):
        raise InputError(f"noise_level has the shape {noise_level.shape}: it must be {(batch, height, width, 1)} or {(batch, 1, 1, 1)}")
    return jnp.broadcast_to(noise_level.astype(image.dtype), (batch, height, width, 1))
