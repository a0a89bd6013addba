"""Peak signal-to-noise ratio."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxrestore.metrics.conventions import Convention, Picture, as_convention, check_pair


def psnr(a: Picture, b: Picture, convention: Convention | str = "rgb") -> Float[Array, "..."]:
    """10 log10(peak^2 / MSE) in dB.

    Args:
      a: image (..., H, W, C) in [0, 1], or uint8 or uint16 over the whole range.
      b: the other image, of the same shape; the order does not matter.
      convention: what is compared, or its name, such as "luma+border4+round8".

    Returns:
      One value for each image of the leading axes: a scalar for (H, W, C), (N,) for (N, H, W, C). Infinite for identical images.

    Raises:
      InputError: the shapes differ, or do not suit the convention.
    """
    check_pair(a, b)
    return _psnr(a, b, as_convention(convention))


@partial(jax.jit, static_argnums=2)
def _psnr(a: Array, b: Array, convention: Convention) -> Array:
    difference = convention.prepare(a) - convention.prepare(b)
    # Row by row, then the rows: one running float32 sum over a large image would lose digits.
    rows = jnp.mean(jnp.square(difference), axis=(-2, -1))
    return 10.0 * jnp.log10(convention.peak**2 / jnp.mean(rows, axis=-1))
