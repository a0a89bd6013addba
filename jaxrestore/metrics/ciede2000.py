"""Colour difference by the formula CIEDE2000."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.metrics.conventions import Convention, Picture, as_convention, check_pair
from jaxrestore.ops.cielab import rgb_to_lab

Lab = Float[Array | np.ndarray, "... 3"]
"""(..., 3): L*, a*, b*."""


def ciede2000(a: Picture, b: Picture, convention: Convention | str = "rgb") -> Float[Array, "..."]:
    """Mean colour difference over the pixels: about 1 is just noticeable between two large patches, 100 is black against white.

    Args:
      a: sRGB image (..., H, W, 3) in [0, 1], or uint8 or uint16 over the whole range. Values outside are clipped.
      b: the other image, of the same shape; the order does not matter.
      convention: "rgb", with a border or rounding to 8 bits where wanted.

    Returns:
      One value for each image of the leading axes.

    Raises:
      InputError: the shapes differ, the images have not three channels, or the convention leaves no colours to compare.

    Reference: CIE 142-2001; computed as in Sharma, Wu and Dalal, "The CIEDE2000 Color-Difference Formula: Implementation Notes,
      Supplementary Test Data, and Mathematical Observations", Color Research and Application 2005, with all weights one. White is D65.
    """
    check_pair(a, b)
    convention = as_convention(convention)
    if convention.color != "rgb" or a.shape[-1] != 3:
        raise InputError(f"CIEDE2000 compares colours: it takes 3 channels and rgb, not the shape {a.shape} and {convention.name}")
    return _ciede2000(a, b, convention)


@jax.jit
def color_difference(a: Lab, b: Lab) -> Float[Array, "..."]:
    """CIEDE2000 of two colours, or of arrays of them.

    Args:
      a: (..., 3), L* in [0, 100], a*, b*.
      b: the other colours, of the same shape; the order does not matter.

    Returns:
      (...,), 0 for equal colours.

    Reference: as for `ciede2000`; numbers in the comments are the paper's equations.
    """
    lightness, along, across = (jnp.stack([jnp.asarray(x)[..., i] for x in (a, b)]) for i in range(3))
    # (2)-(7): the red-green axis is stretched near grey; then polar coordinates.
    seventh = jnp.mean(jnp.hypot(along, across), axis=0, keepdims=True) ** 7
    along = along * (1.5 - 0.5 * jnp.sqrt(seventh / (seventh + 25.0**7)))
    chroma = jnp.hypot(along, across)
    # Zero to a full turn: the mean of two hues exactly opposite depends on where the count begins.
    hue = jnp.mod(jnp.arctan2(across, along), 2 * jnp.pi)
    gray = chroma[0] * chroma[1] == 0
    # (8)-(11): differences; the hue's goes the shorter way round.
    turn = hue[1] - hue[0]
    around = jnp.where(turn > jnp.pi, -2 * jnp.pi, jnp.where(turn < -jnp.pi, 2 * jnp.pi, 0.0))
    d_lightness, d_chroma = lightness[1] - lightness[0], chroma[1] - chroma[0]
    d_hue = jnp.where(gray, 0.0, 2 * jnp.sqrt(chroma[0] * chroma[1]) * jnp.sin((turn + around) / 2))
    # (12)-(14): means; of two hues it lies on the shorter way, of one hue and grey it is that hue.
    mean_lightness, mean_chroma = jnp.mean(lightness, axis=0), jnp.mean(chroma, axis=0)
    mean_hue = jnp.where(gray, hue[0] + hue[1], hue[0] + (turn + around) / 2)
    # (15)-(21): weights of the three differences, and the rotation in the blue.
    mix = (
        1
        - 0.17 * jnp.cos(mean_hue - jnp.deg2rad(30.0))
        + 0.24 * jnp.cos(2 * mean_hue)
        + 0.32 * jnp.cos(3 * mean_hue + jnp.deg2rad(6.0))
        - 0.20 * jnp.cos(4 * mean_hue - jnp.deg2rad(63.0))
    )
    from_blue = jnp.rad2deg(jnp.mod(mean_hue, 2 * jnp.pi)) - 275.0
    seventh = mean_chroma**7
    rotation = -2 * jnp.sqrt(seventh / (seventh + 25.0**7)) * jnp.sin(jnp.deg2rad(60.0) * jnp.exp(-jnp.square(from_blue / 25)))
    middle = jnp.square(mean_lightness - 50)
    in_lightness = d_lightness / (1 + 0.015 * middle / jnp.sqrt(20 + middle))
    in_chroma = d_chroma / (1 + 0.045 * mean_chroma)
    in_hue = d_hue / (1 + 0.015 * mean_chroma * mix)
    # (22); rounding can take the sum of equal colours below zero.
    total = jnp.square(in_lightness) + jnp.square(in_chroma) + jnp.square(in_hue) + rotation * in_chroma * in_hue
    return jnp.sqrt(jnp.maximum(total, 0.0))


@partial(jax.jit, static_argnums=2)
def _ciede2000(a: Array, b: Array, convention: Convention) -> Array:
    difference = color_difference(*(rgb_to_lab(jnp.clip(convention.prepare(image), 0.0, 1.0)) for image in (a, b)))
    return jnp.mean(jnp.mean(difference, axis=-1), axis=-1)
