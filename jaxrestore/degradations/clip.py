"""The limits of a sensor or a file: nothing is darker than black or brighter than white."""

import jax
import jax.numpy as jnp

from jaxrestore.degradations.batches import each_image
from jaxrestore.typing import Image, Key


def clip(key: Key, image: Image) -> Image:
    """Clip to [0, 1].

    Args:
      key: not used; clipping is not random.
      image: (..., H, W, C), any finite values.
    """
    return each_image(_clip, key, image)


def _clip(key: Key, image: jax.Array) -> jax.Array:
    return jnp.clip(image, 0.0, 1.0)
