"""Where content is missing, as a network's second input: a mask beside the image."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.typing import ArrayLike, Image


def missing_map(module: nn.Module, image: Image | jax.ShapeDtypeStruct, mask: ArrayLike | None) -> jax.Array:
    """The mask that a network was given, of the image's size.

    Args:
      module: the network that needs it.
      image: (N, H, W, C); only its shape matters.
      mask: (N, H, W, 1), true where content is missing. None is allowed while the network is being initialised, so that an image alone
        gives the parameters' shapes.

    Returns:
      (N, H, W, 1), boolean.

    Raises:
      InputError: no mask, or one of another shape.
    """
    wanted = (*image.shape[:-1], 1)
    if mask is None:
        if not module.is_initializing():
            raise InputError(f"mask is missing: {type(module).__name__} needs (N, H, W, 1) beside the image, true where content is missing")
        return jnp.zeros(wanted, bool)
    if jnp.shape(mask) != wanted:
        raise InputError(f"mask has the shape {jnp.shape(mask)}: for an image of shape {image.shape} it must be {wanted}")
    return jnp.asarray(mask) != 0
