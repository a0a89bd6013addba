"""Fewer grey levels: what is lost in a file of low bit depth, or before a display with few tones.

Values are clipped to [0, 1] first, since no level lies outside, and go to the nearest of equally spaced levels; halfway ones go up (as in
MATLAB; NumPy's `round` sends them to the even level). With 256 levels this is what saving as an 8-bit file does.
"""

import jax
import jax.numpy as jnp

from jaxrestore.degradations.batches import each_image
from jaxrestore.ops.checks import check_range
from jaxrestore.typing import Image, Key


def quantise(key: Key, image: Image, levels: int = 256) -> Image:
    """Round to `levels` equally spaced values from 0 to 1.

    Args:
      key: not used; rounding is not random.
      image: (..., H, W, C); values outside [0, 1] are clipped.
      levels: number of values, 2..65536; 2 leaves black and white.

    Raises:
      InputError: levels is outside 2..65536.
    """
    check_range("levels", levels, low=2, high=65536)
    return each_image(_quantise, key, image, levels=levels)


def bit_depth(key: Key, image: Image, bits: int = 8) -> Image:
    """Round to `2**bits` equally spaced values from 0 to 1.

    Args:
      key: not used; rounding is not random.
      image: (..., H, W, C); values outside [0, 1] are clipped.
      bits: 1..16.

    Raises:
      InputError: bits is outside 1..16.
    """
    check_range("bits", bits, low=1, high=16)
    return each_image(_quantise, key, image, levels=2**bits)


def _quantise(key: Key, image: jax.Array, levels: int) -> jax.Array:
    return jnp.floor(jnp.clip(image, 0.0, 1.0) * (levels - 1) + 0.5) / (levels - 1)
