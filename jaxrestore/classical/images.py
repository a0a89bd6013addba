"""What every method does with its image first."""

import jax
import jax.numpy as jnp

from jaxrestore.ops.checks import check_image
from jaxrestore.typing import Image


def in_float(image: Image) -> jax.Array:
    """The image in float32, or in float64 where it is given so.

    Raises:
      InputError: it is not (..., H, W, C), floating point and finite.
    """
    pixels = jnp.asarray(image)  # once: from NumPy it is a copy
    check_image(pixels)
    return pixels.astype(jnp.promote_types(image.dtype, jnp.float32))
