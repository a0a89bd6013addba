"""What a camera does to the light of a whole picture: exposure, contrast, vignetting, and a shift of the frame. Nothing is clipped."""

import jax
import jax.numpy as jnp

from jaxrestore.degradations.arguments import Level
from jaxrestore.degradations.batches import each_image
from jaxrestore.ops.checks import check_range
from jaxrestore.typing import Image, Key


def exposure(key: Key, image: Image, stops: Level, gamma: Level = 2.2) -> Image:
    """More or less light: 2 ** stops times as much, in linear light.

    Args:
      key: not used.
      image: (..., H, W, C) in [0, 1].
      stops: +1 is twice the light, -1 half of it; one number, or one for each image.
      gamma: exponent of the picture's values: value ** gamma is light; > 0. 1 for raw pictures.

    Raises:
      InputError: stops is not finite, or gamma is not positive.
    """
    check_range("stops", stops)
    check_range("gamma", gamma, low=0.0, open_low=True)
    return each_image(_exposure, key, image, stops, gamma)


def _exposure(key: Key, image: jax.Array, stops: jax.Array, gamma: jax.Array) -> jax.Array:
    return image * 2.0 ** (stops / gamma)


def contrast(key: Key, image: Image, factor: Level, pivot: Level = 0.5) -> Image:
    """Values drawn towards one grey, or away from it.

    Args:
      key: not used.
      image: (..., H, W, C) in [0, 1].
      factor: what remains of the distance to the pivot, >= 0: below 1 flat, above 1 harsh; one number, or one for each image.
      pivot: the value that stays, 0..1; likewise.

    Raises:
      InputError: factor is negative, or pivot is outside 0..1.
    """
    check_range("factor", factor, low=0.0)
    check_range("pivot", pivot, low=0.0, high=1.0)
    return each_image(_contrast, key, image, factor, pivot)


def _contrast(key: Key, image: jax.Array, factor: jax.Array, pivot: jax.Array) -> jax.Array:
    return pivot + factor * (image - pivot)


def vignetting(key: Key, image: Image, strength: Level) -> Image:
    """Corners darker than the centre, by the fourth power of the cosine of the angle at which light arrives.

    Args:
      key: not used.
      image: (..., H, W, C) in [0, 1].
      strength: share of the value that is lost in the corners, 0 to below 1; one number, or one for each image.

    Raises:
      InputError: strength is outside 0..0.99.

    Reference: Goldman, "Vignette and Exposure Calibration and Compensation", TPAMI 2010, section 2.
    """
    check_range("strength", strength, low=0.0, high=0.99)
    return each_image(_vignetting, key, image, strength)


def _vignetting(key: Key, image: jax.Array, strength: jax.Array) -> jax.Array:
    rows, columns = (jnp.arange(side, dtype=image.dtype) - (side - 1) / 2 for side in image.shape[:2])
    squared = jnp.square(rows)[:, None] + jnp.square(columns)[None, :]
    # The centre of a corner's pixel is one; an image of one pixel has no corners.
    distance = squared / jnp.maximum(squared[0, 0], 1e-6)
    tangent = (1.0 - strength) ** -0.5 - 1.0
    return image / jnp.square(1.0 + tangent * distance)[:, :, None]


def pixel_shift(key: Key, image: Image, down: Level = 0.0, right: Level = 0.0) -> Image:
    """Move the picture by a fraction of a pixel or by many, interpolating linearly; the border's pixels repeat.

    Args:
      key: not used.
      image: (..., H, W, C) in [0, 1].
      down: in pixels, negative for up; one number, or one for each image.
      right: in pixels, negative for left; likewise.

    Raises:
      InputError: a shift is not finite.
    """
    check_range("down", down)
    check_range("right", right)
    return each_image(_pixel_shift, key, image, down, right)


def _pixel_shift(key: Key, image: jax.Array, down: jax.Array, right: jax.Array) -> jax.Array:
    for axis, shift in ((0, down), (1, right)):
        whole = jnp.floor(shift)
        place = jnp.arange(image.shape[axis]) - whole.astype(int)
        near, far = (jnp.take(image, place - step, axis, mode="clip") for step in (0, 1))
        image = near + (shift - whole) * (far - near)
    return image
