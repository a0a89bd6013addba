"""Gradient error: how much steeper or flatter edges have become."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxrestore.metrics.conventions import Convention, Picture, as_convention, check_pair, check_size

_SIDE = 3


def gradient_error(a: Picture, b: Picture, convention: Convention | str = "rgb") -> Float[Array, "..."]:
    """Mean absolute difference of the magnitudes of Sobel's gradient, channel by channel.

    The gradient is in units of the range [0, 1] per pixel: (1, 2, 1) / 4 along an edge times (-1, 0, 1) / 2 across it, so that a ramp of
    slope s has magnitude s. It is taken where its 3x3 window lies inside the image. Blur gives flatter edges, noise and ringing new ones.

    Args:
      a: image (..., H, W, C) in [0, 1], or uint8 or uint16 over the whole range.
      b: the other image, of the same shape; the order does not matter.
      convention: what is compared, or its name.

    Returns:
      One value for each image of the leading axes, at least 0.

    Raises:
      InputError: the shapes differ or do not suit the convention, or there are fewer than 3x3 pixels.

    Reference: Sobel and Feldman, "A 3x3 Isotropic Gradient Operator for Image Processing", 1968; in Duda and Hart, "Pattern Classification
      and Scene Analysis", 1973, section 7.3.
    """
    check_pair(a, b)
    convention = as_convention(convention)
    check_size("gradient error", a.shape, convention, _SIDE)
    return _gradient_error(a, b, convention)


@partial(jax.jit, static_argnums=2)
def _gradient_error(a: Array, b: Array, convention: Convention) -> Array:
    difference = jnp.abs(_magnitude(convention.prepare(a)) - _magnitude(convention.prepare(b)))
    return jnp.mean(jnp.mean(difference, axis=(-2, -1)), axis=-1)


def _magnitude(image: Array) -> Array:
    """(..., H, W, C) -> (..., H - 2, W - 2, C)."""
    above, middle, below = image[..., :-2, :, :], image[..., 1:-1, :, :], image[..., 2:, :, :]
    smooth, steep = (above + 2 * middle + below) / 4, (below - above) / 2
    right = (smooth[..., 2:, :] - smooth[..., :-2, :]) / 2
    down = (steep[..., :-2, :] + 2 * steep[..., 1:-1, :] + steep[..., 2:, :]) / 4
    return jnp.hypot(right, down)
