"""Gaussian pyramids: an image and its halves, quarters..."""

import jax

from jaxrestore.errors import InputError
from jaxrestore.ops.filtering import filter_separable, gaussian_taps
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.typing import Image

# Two thirds of a pixel, out to four deviations.
_SIGMA = 2.0 * 2.0 / 6.0
_TAPS = 7


def gaussian_pyramid(image: Image, levels: int = 3) -> tuple[jax.Array, ...]:
    """An image and its reductions by two, each blurred by a Gaussian (sigma 2/3) and interpolated bilinearly from the one before.

    Args:
      image: (..., H, W, C).
      levels: number of images, at least 1.

    Returns:
      The image, then (..., ceil(H / 2), ceil(W / 2), C), and so on.

    Raises:
      InputError: no level.

    Reference: Burt and Adelson, "The Laplacian Pyramid as a Compact Image Code", 1983; the constants are scikit-image's `pyramid_gaussian`.
    """
    if levels < 1:
        raise InputError(f"levels is {levels}: a pyramid has at least 1")
    taps = gaussian_taps(_TAPS, _SIGMA)
    images = [jax.numpy.asarray(image)]
    for _ in range(levels - 1):
        smooth = filter_separable(images[-1], taps, taps, "symmetric").astype(image.dtype)
        height, width = smooth.shape[-3:-1]
        images.append(interpolate(smooth, size=(-(-height // 2), -(-width // 2))))
    return tuple(images)
