"""CIELAB, in which distances are roughly those that people see, and the sRGB curve that leads there."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.typing import Image

# Linear sRGB to XYZ, and XYZ of its white, D65 for the 2 degree observer.
_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
_WHITE = np.array([0.95047, 1.0, 1.08883])

# Where the cube root goes over into a line, and the line's slope: CIE's fractions, not the digits 0.008856 and 7.787 of older texts.
_EPSILON, _SLOPE = 216 / 24389, 24389 / (27 * 116)


@jax.jit
def srgb_to_linear(image: Image) -> Image:
    """Light from sRGB values: (..., H, W, C) in [0, 1], channel by channel; below zero a line.

    Reference: IEC 61966-2-1, section 5.2.
    """
    image = jnp.asarray(image)
    curved = image > 0.04045
    return jnp.where(curved, ((jnp.where(curved, image, 1.0) + 0.055) / 1.055) ** 2.4, image / 12.92)


@jax.jit
def linear_to_srgb(image: Image) -> Image:
    """The inverse of `srgb_to_linear`, with the standard's own threshold."""
    image = jnp.asarray(image)
    curved = image > 0.0031308
    return jnp.where(curved, 1.055 * jnp.where(curved, image, 1.0) ** (1 / 2.4) - 0.055, 12.92 * image)


@jax.jit
def rgb_to_lab(image: Image) -> Float[Array, "... _ _ _"]:
    """Lightness and the two opponent colours (L*, a*, b*) of an sRGB image.

    Args:
      image: (..., H, W, 3) in [0, 1].

    Returns:
      (..., H, W, 3): L* in [0, 100]; a* and b* roughly within 110 of zero.

    Raises:
      InputError: the image has not three channels.

    Reference: CIE 15:2004, section 8.2.1, for the white D65 and the 2 degree observer.
    """
    if image.shape[-1] != 3:
        raise InputError(f"colour: expected an image of 3 channels, got the shape {image.shape}")
    linear = srgb_to_linear(image)
    red, green, blue = (linear[..., i] for i in range(3))
    # Sums of products, not a matrix product: accelerators round the operands of a matrix product.
    rows = (_XYZ / _WHITE[:, None]).astype(linear.dtype)
    x, y, z = (_root(row[0] * red + row[1] * green + row[2] * blue) for row in rows)
    return jnp.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=-1)


@jax.jit
def lab_to_rgb(image: Float[Array | np.ndarray, "... _ _ _"]) -> Image:
    """The inverse of `rgb_to_lab`, not clipped: colours that sRGB does not have lie outside [0, 1]."""
    if image.shape[-1] != 3:
        raise InputError(f"colour: expected an image of 3 channels, got the shape {image.shape}")
    lightness, a, b = (jnp.asarray(image)[..., i] for i in range(3))
    y = (lightness + 16.0) / 116.0
    x, y, z = (_unroot(f) for f in (y + a / 500.0, y, y - b / 200.0))
    rows = (np.linalg.inv(_XYZ) * _WHITE).astype(image.dtype)
    return linear_to_srgb(jnp.stack([row[0] * x + row[1] * y + row[2] * z for row in rows], axis=-1))


def _root(t: jax.Array) -> jax.Array:
    curved = t > _EPSILON
    return jnp.where(curved, jnp.cbrt(jnp.where(curved, t, 1.0)), _SLOPE * t + 16 / 116)


def _unroot(f: jax.Array) -> jax.Array:
    return jnp.where(f > 6 / 29, f**3, (f - 16 / 116) / _SLOPE)
