"""Linear filters with a Gaussian: smoothing, and sharpening by what smoothing takes away."""

from functools import partial

import jax

from jaxrestore.classical.images import in_float
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.filtering import filter_separable, gaussian_taps
from jaxrestore.typing import Image


def gaussian_filter(image: Image, *, sigma_spatial: float | int = 1.0, truncate: float | int = 4.0, padding: str = "symmetric") -> Image:
    """Smooth with a Gaussian.

    Args:
      image: (..., H, W, C).
      sigma_spatial: standard deviation in pixels, >= 0.
      truncate: where the Gaussian ends, in standard deviations, >= 0.
      padding: how the image goes on outside: "symmetric", "edge", "reflect", "wrap" or "constant" (zeros); see `ops.padding.pad`.

    Raises:
      InputError: a value is outside its range, or an unknown padding.
    """
    check_range("sigma_spatial", sigma_spatial, low=0.0)
    check_range("truncate", truncate, low=0.0)
    return _gaussian(in_float(image), float(sigma_spatial), float(truncate), padding).astype(image.dtype)


def unsharp_mask(image: Image, *, sigma_spatial: float | int = 2.0, amount: float | int = 1.0, padding: str = "symmetric") -> Image:
    """Sharpen: add what a Gaussian takes away.

    Args:
      image: (..., H, W, C).
      sigma_spatial: standard deviation of the Gaussian in pixels, >= 0.
      amount: how much of the difference is added; below 0 it smooths.
      padding: as for `gaussian_filter`.

    Returns:
      The sharpened image, not clipped.

    Raises:
      InputError: as for `gaussian_filter`.
    """
    check_range("sigma_spatial", sigma_spatial, low=0.0)
    check_range("amount", amount)
    pixels = in_float(image)
    return (pixels + amount * (pixels - _gaussian(pixels, float(sigma_spatial), 4.0, padding))).astype(image.dtype)


@partial(jax.jit, static_argnames=("sigma", "truncate", "padding"))
def _gaussian(image: jax.Array, sigma: float, truncate: float, padding: str) -> jax.Array:
    radius = int(truncate * sigma + 0.5)
    if not radius:
        return image
    taps = gaussian_taps(2 * radius + 1, sigma)
    return filter_separable(image, taps, taps, padding)
