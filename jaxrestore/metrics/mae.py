"""Mean absolute error."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxrestore.metrics.conventions import Convention, Picture, as_convention, check_pair


def mae(a: Picture, b: Picture, convention: Convention | str = "rgb") -> Float[Array, "..."]:
    """Mean absolute difference, in the images' unit of [0, 1]; times 255 it is in grey levels.

    Args:
      a: image (..., H, W, C) in [0, 1], or uint8 or uint16 over the whole range.
      b: the other image, of the same shape.
      convention: what is compared, or its name.

    Returns:
      One value for each image of the leading axes.

    Raises:
      InputError: the shapes differ, or do not suit the convention.
    """
    check_pair(a, b)
    return _mae(a, b, as_convention(convention))


@partial(jax.jit, static_argnums=2)
def _mae(a: Array, b: Array, convention: Convention) -> Array:
    rows = jnp.mean(jnp.abs(convention.prepare(a) - convention.prepare(b)), axis=(-2, -1))
    return jnp.mean(rows, axis=-1)
