"""Structural similarity of two images, at one scale and at several: what the metrics report and the losses minimise."""

from collections.abc import Callable, Sequence
from functools import partial

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.ops.filtering import filter_valid
from jaxrestore.ops.padding import pad_to_multiple
from jaxrestore.typing import Image

MULTISCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the scales, from the finest, as Wang, Simoncelli and Bovik (2003) found them in an experiment; their sum is one."""

_K1, _K2 = 0.01, 0.03


def similarity_maps(
    a: Image, b: Image, taps: Sequence[float] | np.ndarray, peak: float = 1.0, sample_covariance: bool = False
) -> tuple[Float[Array, "... _ _ _"], Float[Array, "... _ _ _"]]:
    """The two factors of structural similarity at every position of the window: luminance, and contrast times structure.

    Args:
      a: (..., H, W, C) in [0, peak].
      b: of the same shape.
      taps: weights of the window along a row and along a column, K of them, whose sum is one.
      peak: largest value of the images.
      sample_covariance: divide variances by one less than the number of pixels; for uniform windows.

    Returns:
      Both (..., H - K + 1, W - K + 1, C); luminance in (0, 1], the other in [-1, 1].

    Raises:
      InputError: the window does not fit into the images.

    Reference: Wang, Bovik, Sheikh and Simoncelli, "Image Quality Assessment: From Error Visibility to Structural Similarity", TIP 2004,
      equations 6 and 13.
    """
    window = len(taps) ** 2
    return similarity_of_means(a, b, partial(filter_valid, taps=taps), peak, window / (window - 1) if sample_covariance else 1.0)


def similarity_of_means(
    a: Image, b: Image, local_mean: Callable[[Array], Array], peak: float = 1.0, unbiased: float = 1.0
) -> tuple[Float[Array, "... _ _ _"], Float[Array, "... _ _ _"]]:
    """`similarity_maps` with any local mean.

    Args:
      a: (..., H, W, C) in [0, peak].
      b: of the same shape.
      local_mean: (..., H, W, C) -> (..., H', W', C), weighted means whose weights sum to one; any number of leading axes.
      peak: largest value of the images.
      unbiased: factor of variances and covariances.

    Returns:
      Luminance, and contrast times structure, both (..., H', W', C).
    """
    # (Co)variances do not change with the origin; from the middle of the range their float32 error is smaller.
    middle = peak / 2
    a, b = a - middle, b - middle
    difference = a - b
    mean_a, mean_b, product, square = local_mean(jnp.stack([a, b, a * b, difference * difference]))
    covariance = unbiased * (product - mean_a * mean_b)
    variance = unbiased * jnp.maximum(square - (mean_a - mean_b) ** 2, 0.0)  # of the difference
    mean_a, mean_b = mean_a + middle, mean_b + middle
    # The sums of squares in the denominators, written with the difference: identical images then give exactly 1.
    luminance = 2 * mean_a * mean_b + (_K1 * peak) ** 2
    structure = 2 * covariance + (_K2 * peak) ** 2
    return luminance / (luminance + (mean_a - mean_b) ** 2), structure / (structure + variance)


def structural_similarity(
    a: Image, b: Image, taps: Sequence[float] | np.ndarray, peak: float = 1.0, sample_covariance: bool = False
) -> Float[Array, "..."]:
    """SSIM: the mean of `similarity_maps`' product over the positions, then over the channels.

    Args:
      a: (..., H, W, C) in [0, peak].
      b: of the same shape.
      taps: as for `similarity_maps`.
      peak: largest value of the images.
      sample_covariance: as for `similarity_maps`.

    Returns:
      One value in [-1, 1] for each image of the leading axes.
    """
    luminance, structure = similarity_maps(a, b, taps, peak, sample_covariance)
    return jnp.mean(jnp.mean(luminance * structure, axis=(-2, -1)), axis=-1)


def multiscale_similarity(
    a: Image,
    b: Image,
    taps: Sequence[float] | np.ndarray,
    peak: float = 1.0,
    sample_covariance: bool = False,
    weights: Sequence[float] = MULTISCALE_WEIGHTS,
) -> Float[Array, "..."]:
    """MS-SSIM: contrast and structure of every scale, luminance of the coarsest, each to the power of its weight, multiplied.

    A scale is half the one before: means of 2x2 pixels, where the last row or column of an odd number is repeated. Factors below zero,
    which have no power, count as zero; their gradient is zero. The mean over the channels is taken last.

    Args:
      a: (..., H, W, C) in [0, peak].
      b: of the same shape.
      taps: as for `similarity_maps`.
      peak: largest value of the images.
      sample_covariance: as for `similarity_maps`.
      weights: the exponents, from the finest scale.

    Returns:
      One value in [0, 1] for each image of the leading axes.

    Raises:
      InputError: the window does not fit into the coarsest scale: both sides must exceed (K - 1) * 2**(scales - 1).

    Reference: Wang, Simoncelli and Bovik, "Multiscale structural similarity for image quality assessment", Asilomar 2003, equation 7.
    """
    least = smallest_side(len(taps), len(weights))
    if min(a.shape[-3:-1]) < least:
        raise InputError(f"MS-SSIM of {len(weights)} scales needs images of at least {least}x{least} pixels, got the shape {a.shape}")
    product = jnp.ones((), a.dtype)
    for scale, weight in enumerate(weights):
        luminance, structure = similarity_maps(a, b, taps, peak, sample_covariance)
        coarsest = scale == len(weights) - 1
        factor = jnp.mean(jnp.mean(luminance * structure if coarsest else structure, axis=-2), axis=-2)
        positive = factor > 0
        # The inner choice keeps the power's gradient finite where the outer one discards it.
        product = product * jnp.where(positive, jnp.where(positive, factor, 1.0) ** weight, 0.0)
        if not coarsest:
            a, b = _halve(a), _halve(b)
    return jnp.mean(product, axis=-1)


def smallest_side(taps: int, scales: int = len(MULTISCALE_WEIGHTS)) -> int:
    """Pixels that a side must have for `multiscale_similarity`: 161 for 11 taps and five scales."""
    return (taps - 1) * 2 ** (scales - 1) + 1


def _halve(image: Image) -> Array:
    image = pad_to_multiple(image, 2, "replicate")
    return 0.25 * sum(image[..., i::2, j::2, :] for i in (0, 1) for j in (0, 1))
