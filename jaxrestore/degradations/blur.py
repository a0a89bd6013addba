"""Blur by a lens or by an algorithm: convolution with a kernel of `ops.blur_kernels`, drawn or given.

`size` is the side of the array that holds the kernel, which is compiled in; what the kernel has outside is cut off. Angles are in degrees,
counter-clockwise from the horizontal. Beyond its border an image goes on as `padding` says ("reflect", "symmetric", "edge", "wrap",
"constant": see `ops.padding.pad`). Results are not clipped.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxrestore.degradations.arguments import Level
from jaxrestore.degradations.batches import each_image
from jaxrestore.errors import InputError
from jaxrestore.ops import blur_kernels
from jaxrestore.ops.checks import check_image, check_range
from jaxrestore.ops.filtering import filter_2d, filter_separable
from jaxrestore.ops.padding import PADDINGS
from jaxrestore.typing import Image, Key

SIZE = 21
"""Side of the largest kernel of BSRGAN and Real-ESRGAN."""


def gaussian_blur(key: Key, image: Image, sigma: Level, size: int = SIZE, padding: str = "reflect") -> Image:
    """Blur by an isotropic Gaussian.

    Args:
      key: not used.
      image: (..., H, W, C) in [0, 1].
      sigma: standard deviation in pixels, >= 0; one number, or one for each image.
      size: of the kernel in pixels, odd, at most the image's shorter side; a Gaussian needs about 6 sigma.
      padding: how the image goes on beyond its border.

    Raises:
      InputError: sigma is negative, the size is even or larger than the image, or an unknown padding.
    """
    check_range("sigma", sigma, low=0.0)
    check_kernel(image, size, padding)
    return each_image(_gaussian, key, image, sigma, size=size, padding=padding)


def _gaussian(key: Key, image: jax.Array, sigma: jax.Array, size: int, padding: str) -> jax.Array:
    # The row through the centre of a separable kernel is its taps, up to their sum.
    taps = blur_kernels.gaussian_kernel(size, sigma)[size // 2]
    return _separable(image, taps / jnp.sum(taps), padding)


def anisotropic_blur(
    key: Key, image: Image, sigma_long: Level, sigma_short: Level, angle: Level = 0.0, size: int = SIZE, padding: str = "reflect"
) -> Image:
    """Blur by a Gaussian that is longer along one axis.

    Args:
      key: not used.
      image: (..., H, W, C) in [0, 1].
      sigma_long: standard deviation along the axis of `angle` in pixels, >= 0; one number, or one for each image, as all levels here.
      sigma_short: standard deviation across it, >= 0.
      angle: of the first axis.
      size: as for `gaussian_blur`.
      padding: how the image goes on beyond its border.

    Raises:
      InputError: a sigma is negative, or as for `gaussian_blur`.

    Reference: Zhang et al., "Designing a Practical Degradation Model for Deep Blind Image Super-Resolution", ICCV 2021, section 3.1.
    """
    check_range("sigma_long", sigma_long, low=0.0)
    check_range("sigma_short", sigma_short, low=0.0)
    check_range("angle", angle)
    check_kernel(image, size, padding)
    return each_image(_anisotropic, key, image, sigma_long, sigma_short, angle, size=size, padding=padding)


def _anisotropic(
    key: Key, image: jax.Array, sigma_long: jax.Array, sigma_short: jax.Array, angle: jax.Array, size: int, padding: str
) -> jax.Array:
    return filter_2d(image, blur_kernels.anisotropic_gaussian_kernel(size, sigma_long, sigma_short, angle), padding)


def generalised_gaussian_blur(
    key: Key,
    image: Image,
    sigma_long: Level,
    sigma_short: Level,
    angle: Level = 0.0,
    shape: Level = 1.0,
    size: int = SIZE,
    padding: str = "reflect",
) -> Image:
    """Blur by exp(-q ** shape / 2), q the squared distance in units of sigma: peaked below 1, a Gaussian at 1, flat above.

    Args:
      key: not used.
      image: (..., H, W, C) in [0, 1].
      sigma_long: scale along the axis of `angle` in pixels, > 0.
      sigma_short: scale across it, > 0.
      angle: of the first axis.
      shape: exponent (the paper's beta), > 0; the paper draws from 0.5..4.
      size: as for `gaussian_blur`.
      padding: how the image goes on beyond its border.

    Raises:
      InputError: a sigma or the shape is not positive, or as for `gaussian_blur`.

    Reference: Wang et al., "Real-ESRGAN", ICCV Workshops 2021, section 3.1.
    """
    _check_shaped(image, sigma_long, sigma_short, angle, shape, size, padding)
    kernel = blur_kernels.generalised_gaussian_kernel
    return each_image(_shaped, key, image, sigma_long, sigma_short, angle, shape, kernel=kernel, size=size, padding=padding)


def plateau_blur(
    key: Key,
    image: Image,
    sigma_long: Level,
    sigma_short: Level,
    angle: Level = 0.0,
    shape: Level = 1.0,
    size: int = SIZE,
    padding: str = "reflect",
) -> Image:
    """Blur by 1 / (1 + q ** shape), q the squared distance in units of sigma: a flat top with tails.

    Args:
      key: not used.
      image: (..., H, W, C) in [0, 1].
      sigma_long: distance of half the height along the axis of `angle` in pixels, > 0.
      sigma_short: the same across it, > 0.
      angle: of the first axis.
      shape: exponent (the paper's beta), > 0; the paper draws from 1..2.
      size: as for `gaussian_blur`.
      padding: how the image goes on beyond its border.

    Raises:
      InputError: a sigma or the shape is not positive, or as for `gaussian_blur`.

    Reference: Wang et al., "Real-ESRGAN", ICCV Workshops 2021, section 3.1.
    """
    _check_shaped(image, sigma_long, sigma_short, angle, shape, size, padding)
    kernel = blur_kernels.plateau_kernel
    return each_image(_shaped, key, image, sigma_long, sigma_short, angle, shape, kernel=kernel, size=size, padding=padding)


def _shaped(
    key: Key,
    image: jax.Array,
    sigma_long: jax.Array,
    sigma_short: jax.Array,
    angle: jax.Array,
    shape: jax.Array,
    kernel: Callable[..., jax.Array],
    size: int,
    padding: str,
) -> jax.Array:
    return filter_2d(image, kernel(size, sigma_long, sigma_short, angle, shape), padding)


def sinc_blur(key: Key, image: Image, cutoff: Level, size: int = SIZE, padding: str = "reflect") -> Image:
    """The ideal low-pass filter: leaves ringing and overshoot, as sharpening and strong compression do.

    Args:
      key: not used.
      image: (..., H, W, C) in [0, 1].
      cutoff: frequencies that pass, in radians for each pixel, > 0 and at most pi; the paper draws from pi / 3..pi.
      size: as for `gaussian_blur`.
      padding: how the image goes on beyond its border.

    Raises:
      InputError: the cutoff is outside its range, or as for `gaussian_blur`.

    Reference: Wang et al., "Real-ESRGAN", ICCV Workshops 2021, section 3.3, equation 6.
    """
    check_range("cutoff", cutoff, low=0.0, high=math.pi, open_low=True)
    check_kernel(image, size, padding)
    return each_image(_sinc, key, image, cutoff, size=size, padding=padding)


def _sinc(key: Key, image: jax.Array, cutoff: jax.Array, size: int, padding: str) -> jax.Array:
    return filter_2d(image, blur_kernels.sinc_kernel(size, cutoff), padding)


def box_blur(key: Key, image: Image, width: Level, size: int = SIZE, padding: str = "reflect") -> Image:
    """The mean over a square.

    Args:
      key: not used.
      image: (..., H, W, C) in [0, 1].
      width: side of the square in pixels, >= 0, whole or not; up to 1 changes nothing.
      size: as for `gaussian_blur`.
      padding: how the image goes on beyond its border.

    Raises:
      InputError: the width is negative, or as for `gaussian_blur`.
    """
    check_range("width", width, low=0.0)
    check_kernel(image, size, padding)
    return each_image(_box, key, image, width, size=size, padding=padding)


def _box(key: Key, image: jax.Array, width: jax.Array, size: int, padding: str) -> jax.Array:
    taps = blur_kernels.box_kernel(size, width)[size // 2]
    return _separable(image, taps / jnp.sum(taps), padding)


def defocus(key: Key, image: Image, radius: Level, size: int = SIZE, padding: str = "reflect") -> Image:
    """The mean over a disk: a lens out of focus.

    Args:
      key: not used.
      image: (..., H, W, C) in [0, 1].
      radius: of the disk in pixels, >= 0, whole or not; up to 1/2 changes nothing.
      size: as for `gaussian_blur`.
      padding: how the image goes on beyond its border.

    Raises:
      InputError: the radius is negative, or as for `gaussian_blur`.
    """
    check_range("radius", radius, low=0.0)
    check_kernel(image, size, padding)
    return each_image(_defocus, key, image, radius, size=size, padding=padding)


def _defocus(key: Key, image: jax.Array, radius: jax.Array, size: int, padding: str) -> jax.Array:
    return filter_2d(image, blur_kernels.disk_kernel(size, radius), padding)


def check_kernel(image: Image, size: int, padding: str) -> None:
    """A kernel of this size is odd and fits into the image, and the padding has a name that is known.

    Raises:
      InputError: it is not so.
    """
    check_image(image)
    blur_kernels.check_size(size)
    height, width = image.shape[-3:-1]
    if size > min(height, width):
        raise InputError(f"size is {size}: the kernel must fit into the image, which is {height}x{width}")
    if padding not in PADDINGS:
        raise InputError(f"padding is {padding!r}: it must be one of {', '.join(PADDINGS)}")


def _check_shaped(image: Image, sigma_long: Level, sigma_short: Level, angle: Level, shape: Level, size: int, padding: str) -> None:
    check_range("sigma_long", sigma_long, low=0.0, open_low=True)
    check_range("sigma_short", sigma_short, low=0.0, open_low=True)
    check_range("shape", shape, low=0.0, open_low=True)
    check_range("angle", angle)
    check_kernel(image, size, padding)


def _separable(image: jax.Array, taps: jax.Array, padding: str) -> jax.Array:
    return filter_separable(image, taps, taps, padding)
