"""Low resolution: MATLAB's antialiased bicubic, the degradation of the super-resolution benchmarks. Results are not clipped."""

import jax

from jaxrestore.degradations.batches import each_image
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.resize import imresize
from jaxrestore.typing import Image, Key


def downsample(key: Key, image: Image, scale: int = 4) -> Image:
    """Shrink by a whole number.

    Args:
      key: not used; resizing is not random.
      image: (..., H, W, C) in [0, 1].
      scale: how many times smaller, >= 1.

    Returns:
      (..., ceil(H / scale), ceil(W / scale), C).

    Raises:
      InputError: scale is below 1.
    """
    check_range("scale", scale, low=1)
    return each_image(_downsample, key, image, scale=scale)


def _downsample(key: Key, image: jax.Array, scale: int) -> jax.Array:
    return imresize(image, 1.0 / scale)


def low_resolution(key: Key, image: Image, scale: int = 4) -> Image:
    """Shrink by a whole number and enlarge back to the same size, both bicubic: only the detail is lost.

    Args:
      key: not used; resizing is not random.
      image: (..., H, W, C) in [0, 1].
      scale: how many times smaller the detail's resolution becomes, >= 1.

    Returns:
      (..., H, W, C).

    Raises:
      InputError: scale is below 1.
    """
    check_range("scale", scale, low=1)
    return each_image(_low_resolution, key, image, scale=scale)


def _low_resolution(key: Key, image: jax.Array, scale: int) -> jax.Array:
    height, width = image.shape[:2]
    # By size and not by factor, so that a side that is no multiple of the factor comes back without a shift.
    small = imresize(image, size=(-(-height // scale), -(-width // scale)))
    return imresize(small, size=(height, width))
