"""Losses that compare structure: SSIM, at one scale and at several, and its mixture with the absolute error."""

import math
from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxrestore.errors import InputError
from jaxrestore.losses.comparison import PerImage, absolute, as_single, check_same_shape, per_image
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.filtering import gaussian_taps
from jaxrestore.ops.structural_similarity import MULTISCALE_WEIGHTS, multiscale_similarity, similarity_of_means, structural_similarity
from jaxrestore.typing import Image

_WINDOW = gaussian_taps(11, 1.5)
# Standard deviations to which a window reaches on each side.
_REACH = 3.0


def ssim(prediction: Image, target: Image) -> PerImage:
    """1 - SSIM, with the 11x11 Gaussian window of the metric, inside the image.

    Args:
      prediction: (..., H, W, C) in [0, 1], at least 11x11 pixels.
      target: (..., H, W, C).

    Returns:
      (...,): one value in [0, 2] for each image, 0 for identical ones.

    Raises:
      InputError: the images are smaller than the window, or the shapes differ.

    Reference: Zhao, Gallo, Frosio and Kautz, "Loss Functions for Image Restoration With Neural Networks", TCI 2017, equation 8.
    """
    check_same_shape(prediction, target)
    return _ssim(as_single(prediction), as_single(target))


def ms_ssim(prediction: Image, target: Image, weights: Sequence[float] = MULTISCALE_WEIGHTS) -> PerImage:
    """1 - MS-SSIM, as the metric computes it: every scale half as large as the one before.

    Args:
      prediction: (..., H, W, C) in [0, 1]; five scales need 161x161 pixels. For training patches that are smaller, `l1_ms_ssim` has a form
        that needs no halving.
      target: (..., H, W, C).
      weights: exponents of the scales, from the finest; fewer of them suit smaller images.

    Returns:
      (...,): one value in [0, 1] for each image, 0 for identical ones.

    Raises:
      InputError: the images are too small for so many scales, or the shapes differ.

    Reference: Wang, Simoncelli and Bovik, "Multiscale structural similarity for image quality assessment", Asilomar 2003.
    """
    check_same_shape(prediction, target)
    return _ms_ssim(as_single(prediction), as_single(target), tuple(weights))


def l1_ms_ssim(prediction: Image, target: Image, alpha: float = 0.84, sigmas: Sequence[float] = (0.5, 1.0, 2.0, 4.0, 8.0)) -> PerImage:
    """The mixture that the paper found best: alpha * (1 - MS-SSIM) + (1 - alpha) * absolute error, both weighted by a Gaussian.

    MS-SSIM's scales are here Gaussian windows of growing width on the image as it is, so that small training patches have them all; its
    value is taken at every pixel. The absolute error is weighted by the widest window. Borders are mirrored.

    Args:
      prediction: (..., H, W, C) in [0, 1], any size.
      target: (..., H, W, C).
      alpha: share of the structural part, in 0..1.
      sigmas: standard deviations of the windows in pixels, from the finest; luminance is compared in the last.

    Returns:
      (...,): one value for each image, 0 for identical ones.

    Raises:
      InputError: alpha or a sigma out of its range, no sigmas, or the shapes differ.

    Reference: Zhao et al. 2017, section III.D (equation 14, alpha) and III.C (the windows).
    """
    check_range("alpha", alpha, low=0, high=1)
    if not sigmas:
        raise InputError("sigmas is empty: there must be at least one window")
    for sigma in sigmas:
        check_range("sigmas", sigma, low=0, open_low=True)
    check_same_shape(prediction, target)
    return _l1_ms_ssim(as_single(prediction), as_single(target), alpha, tuple(sigmas))


@jax.jit
def _ssim(prediction: jax.Array, target: jax.Array) -> jax.Array:
    return 1.0 - structural_similarity(prediction, target, _WINDOW)


@partial(jax.jit, static_argnums=2)
def _ms_ssim(prediction: jax.Array, target: jax.Array, weights: tuple[float, ...]) -> jax.Array:
    return 1.0 - multiscale_similarity(prediction, target, _WINDOW, weights=weights)


@partial(jax.jit, static_argnums=(2, 3))
def _l1_ms_ssim(prediction: jax.Array, target: jax.Array, alpha: float, sigmas: tuple[float, ...]) -> jax.Array:
    similarity = jnp.ones((), prediction.dtype)
    for sigma in sigmas:
        blur = partial(_blur, sigma=sigma)
        luminance, structure = similarity_of_means(prediction, target, blur)
        similarity = similarity * structure
    return per_image(alpha * (1.0 - luminance * similarity) + (1.0 - alpha) * blur(absolute(prediction - target)))


def _blur(image: jax.Array, sigma: float) -> jax.Array:
    """A Gaussian mean with mirrored borders, as products with a matrix: of wide windows on small images faster than sums of shifts."""
    rows, columns = (jnp.asarray(_blur_matrix(side, sigma), image.dtype) for side in image.shape[-3:-1])
    image = jnp.einsum("ij,...jwc->...iwc", rows, image, precision=lax.Precision.HIGHEST)
    return jnp.einsum("ij,...hjc->...hic", columns, image, precision=lax.Precision.HIGHEST)


def _blur_matrix(side: int, sigma: float) -> np.ndarray:
    reach = math.ceil(_REACH * sigma)
    taps = gaussian_taps(2 * reach + 1, sigma)
    unit = np.pad(np.eye(side), ((reach, reach), (0, 0)), "symmetric")
    return sum(tap * unit[i : i + side] for i, tap in enumerate(taps))
