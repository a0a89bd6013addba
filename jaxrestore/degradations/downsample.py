"""Low resolution. Results are not clipped.

The kinds of shrinking: "bicubic" is MATLAB's antialiased `imresize`, the degradation of the super-resolution benchmarks; "area" the mean of
the pixels that become one; "bilinear", "nearest" and "bicubic_sharp" (a = -0.75) are not antialiased, as in PyTorch's `interpolate`
and OpenCV's `resize`, and leave aliasing.
"""

from functools import partial

import jax
from jax import lax

from jaxrestore.degradations.arguments import Count
from jaxrestore.degradations.batches import each_image
from jaxrestore.degradations.checks import check_count
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.resize import imresize
from jaxrestore.typing import Image, Key

KINDS = ("bicubic", "bicubic_sharp", "bilinear", "area", "nearest")


def downsample(key: Key, image: Image, scale: int = 4, kind: str = "bicubic") -> Image:
    """Shrink by a whole number.

    Args:
      key: not used; resizing is not random.
      image: (..., H, W, C) in [0, 1].
      scale: how many times smaller, >= 1.
      kind: "bicubic", "bicubic_sharp", "bilinear", "area" or "nearest".

    Returns:
      (..., ceil(H / scale), ceil(W / scale), C).

    Raises:
      InputError: scale is below 1, or an unknown kind.
    """
    check_range("scale", scale, low=1)
    _check_kind(kind)
    return each_image(_downsample, key, image, scale=scale, kind=kind)


def _downsample(key: Key, image: jax.Array, scale: int, kind: str) -> jax.Array:
    if kind == "bicubic":
        return imresize(image, 1.0 / scale)
    height, width = image.shape[:2]
    return interpolate(image, size=(-(-height // scale), -(-width // scale)), method=kind.removesuffix("_sharp"))


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise InputError(f"kind is {kind!r}: it must be one of {', '.join(KINDS)}")


def low_resolution(key: Key, image: Image, scale: Count = 4) -> Image:
    """Shrink by a whole number and enlarge back to the same size, both bicubic: only the detail is lost.

    Args:
      key: random key, used where the scale is drawn.
      image: (..., H, W, C) in [0, 1].
      scale: how many times smaller the detail's resolution becomes, >= 1; (low, high) draws a whole number for each image, both ends
        included.

    Returns:
      (..., H, W, C).

    Raises:
      InputError: scale is below 1.
    """
    low, high = check_count("scale", scale, low=1)
    return each_image(_low_resolution, key, image, low=low, high=high)


def _low_resolution(key: Key, image: jax.Array, low: int, high: int) -> jax.Array:
    at_scale = [partial(_at_resolution, scale=scale) for scale in range(low, high + 1)]
    if len(at_scale) == 1:
        return at_scale[0](image)
    return lax.switch(jax.random.randint(key, (), 0, len(at_scale)), at_scale, image)


def _at_resolution(image: jax.Array, scale: int) -> jax.Array:
    height, width = image.shape[:2]
    # By size and not by factor, so that a side that is no multiple of the factor comes back without a shift.
    small = imresize(image, size=(-(-height // scale), -(-width // scale)))
    return imresize(small, size=(height, width))
