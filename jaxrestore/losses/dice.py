"""Overlap of regions, for masks and segmentations."""

import jax.numpy as jnp

from jaxrestore.losses.comparison import PerImage, as_single, check_same_shape
from jaxrestore.ops.checks import check_range
from jaxrestore.typing import Image


def dice(probability: Image, mask: Image, smooth: float = 1.0, squared: bool = False) -> PerImage:
    """1 - (2 sum(p m) + smooth) / (sum(p) + sum(m) + smooth) over height and width; the mean over the classes.

    Args:
      probability: (..., H, W, K) in [0, 1], one channel for each class; a sigmoid's or a softmax's result.
      mask: (..., H, W, K) in [0, 1], 1 where the class is.
      smooth: what makes an empty mask with an empty prediction a perfect match, > 0, in pixels.
      squared: sum p^2 and m^2 in the denominator, as the paper does.

    Returns:
      (...,): one value in [0, 1) for each image, 0 for a perfect match of masks of zeros and ones.

    Raises:
      InputError: smooth is not positive, or the shapes differ.

    Reference: Milletari, Navab and Ahmadi, "V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image Segmentation", 3DV
      2016, section 3.
    """
    check_range("smooth", smooth, low=0, open_low=True)
    check_same_shape(probability, mask)
    p, m = as_single(probability), as_single(mask)
    overlap = jnp.sum(p * m, (-3, -2))
    total = jnp.sum(p * p + m * m if squared else p + m, (-3, -2))
    return jnp.mean(1.0 - (2.0 * overlap + smooth) / (total + smooth), -1)
