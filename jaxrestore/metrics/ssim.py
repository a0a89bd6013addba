"""Structural similarity, at one scale and at several."""

from functools import partial

import jax
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.metrics.conventions import WINDOWS, Convention, Picture, Window, as_convention, check_pair, check_size
from jaxrestore.ops.filtering import gaussian_taps
from jaxrestore.ops.structural_similarity import multiscale_similarity, smallest_side, structural_similarity


def ssim(a: Picture, b: Picture, convention: Convention | str = "rgb") -> Float[Array, "..."]:
    """Mean structural similarity over the positions of the window, channel by channel, then over the channels.

    Args:
      a: image (..., H, W, C) in [0, 1], or uint8 or uint16 over the whole range.
      b: the other image, of the same shape; the order does not matter.
      convention: what is compared and in which window, or its name.

    Returns:
      One value in [-1, 1] for each image of the leading axes: a scalar for (H, W, C), (N,) for (N, H, W, C). 1 for identical images.

    Raises:
      InputError: the shapes differ or do not suit the convention, or the window does not fit into the image.

    Reference: Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment: From Error Visibility to Structural Similarity", TIP 2004,
      equation 13, with the authors' window and constants.
    """
    check_pair(a, b)
    convention = as_convention(convention)
    check_size("SSIM", a.shape, convention, WINDOWS[convention.window].size)
    return _ssim(a, b, convention)


def ms_ssim(a: Picture, b: Picture, convention: Convention | str = "rgb") -> Float[Array, "..."]:
    """Multi-scale structural similarity: five scales, each half the one before, with the authors' weights.

    Args:
      a: image (..., H, W, C) in [0, 1], or uint8 or uint16 over the whole range; at least 161x161 pixels inside the convention's border.
      b: the other image, of the same shape; the order does not matter.
      convention: what is compared and in which window, or its name.

    Returns:
      One value in [0, 1] for each image of the leading axes: a scalar for (H, W, C), (N,) for (N, H, W, C). 1 for identical images.

    Raises:
      InputError: the shapes differ or do not suit the convention, or the window does not fit into the smallest scale.

    Reference: Wang, Simoncelli and Bovik, "Multiscale structural similarity for image quality assessment", Asilomar 2003, equation 7. Where
      a scale has an odd number of rows or columns the last is repeated before halving, as the authors do; pytorch_msssim and piq put a
      row of zeros there, and give other numbers for such sizes.
    """
    check_pair(a, b)
    convention = as_convention(convention)
    check_size("MS-SSIM", a.shape, convention, smallest_side(WINDOWS[convention.window].size))
    return _ms_ssim(a, b, convention)


@partial(jax.jit, static_argnums=2)
def _ssim(a: Array, b: Array, convention: Convention) -> Array:
    window = WINDOWS[convention.window]
    images = convention.prepare(a), convention.prepare(b)
    return structural_similarity(*images, _taps(window), convention.peak, window.sample_covariance)


@partial(jax.jit, static_argnums=2)
def _ms_ssim(a: Array, b: Array, convention: Convention) -> Array:
    window = WINDOWS[convention.window]
    images = convention.prepare(a), convention.prepare(b)
    return multiscale_similarity(*images, _taps(window), convention.peak, window.sample_covariance)


def _taps(window: Window) -> np.ndarray:
    return gaussian_taps(window.size, window.sigma) if window.sigma else np.full(window.size, 1.0 / window.size)
