"""Root mean squared error."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxrestore.metrics.conventions import Convention, Picture, as_convention, check_pair


def rmse(a: Picture, b: Picture, convention: Convention | str = "rgb") -> Float[Array, "..."]:
    """Root of the mean squared difference, in the images' unit of [0, 1]; times 255 it is in grey levels.

    Args:
      a: image (..., H, W, C) in [0, 1], or uint8 or uint16 over the whole range.
      b: the other image, of the same shape; the order does not matter.
      convention: what is compared, or its name.

    Returns:
      One value for each image of the leading axes; PSNR is 20 log10(peak / it).

    Raises:
      InputError: the shapes differ, or do not suit the convention.
    """
    check_pair(a, b)
    return _rmse(a, b, as_convention(convention))


@partial(jax.jit, static_argnums=2)
def _rmse(a: Array, b: Array, convention: Convention) -> Array:
    rows = jnp.mean(jnp.square(convention.prepare(a) - convention.prepare(b)), axis=(-2, -1))
    return jnp.sqrt(jnp.mean(rows, axis=-1))
