"""Hue, saturation and value."""

import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.typing import Image


@jax.jit
def rgb_to_hsv(image: Image) -> Image:
    """Hue, saturation and value of an RGB image.

    Args:
      image: (..., H, W, 3) in [0, 1].

    Returns:
      (..., H, W, 3): hue in [0, 1), a turn beginning at red (0 where there is none), saturation and value in [0, 1].

    Raises:
      InputError: the image has not three channels.

    Reference: Smith, "Color Gamut Transform Pairs", SIGGRAPH 1978.
    """
    _check(image)
    red, green, blue = (jnp.asarray(image)[..., i] for i in range(3))
    value = jnp.maximum(jnp.maximum(red, green), blue)
    chroma = value - jnp.minimum(jnp.minimum(red, green), blue)
    # Divisors of one where there is no hue keep derivatives finite.
    divisor = jnp.where(chroma > 0, chroma, 1.0)
    sixths = jnp.where(
        value == red, (green - blue) / divisor, jnp.where(value == green, 2.0 + (blue - red) / divisor, 4.0 + (red - green) / divisor)
    )
    hue = jnp.where(chroma > 0, jnp.where(sixths < 0, sixths + 6.0, sixths) / 6.0, 0.0)
    saturation = jnp.where(value > 0, chroma / jnp.where(value > 0, value, 1.0), 0.0)
    return jnp.stack([jnp.where(hue >= 1.0, 0.0, hue), saturation, value], axis=-1)


@jax.jit
def hsv_to_rgb(image: Image) -> Image:
    """The inverse of `rgb_to_hsv`; hues beyond [0, 1) are turned back into it."""
    _check(image)
    hue, saturation, value = (jnp.asarray(image)[..., i] for i in range(3))
    channels = []
    for offset in (5.0, 3.0, 1.0):
        distance = jnp.mod(6.0 * hue + offset, 6.0)
        channels.append(value * (1.0 - saturation * jnp.clip(jnp.minimum(distance, 4.0 - distance), 0.0, 1.0)))
    return jnp.stack(channels, axis=-1)


def _check(image: Image) -> None:
    if image.shape[-1] != 3:
        raise InputError(f"colour: expected an image of 3 channels, got the shape {image.shape}")
