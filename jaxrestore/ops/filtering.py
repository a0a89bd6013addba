"""Linear filters along rows and columns."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.typing import Image


def gaussian_taps(size: int, sigma: float) -> np.ndarray:
    """A sampled Gaussian of `size` taps whose sum is one, in float64."""
    distance = np.arange(size) - (size - 1) / 2
    taps = np.exp(-0.5 * np.square(distance / sigma))
    return taps / taps.sum()


def filter_valid(image: Image, taps: Sequence[float] | np.ndarray) -> Image:
    """Correlate with the same taps along columns and rows, where they lie inside the image.

    Sums of shifted images: on a CPU many times faster than a depthwise convolution, and free of the rounded products of accelerators.

    Args:
      image: (..., H, W, C).
      taps: weights of one dimension, K of them.

    Returns:
      (..., H - K + 1, W - K + 1, C).

    Raises:
      InputError: the image is smaller than the filter.
    """
    height, width = (side - len(taps) + 1 for side in image.shape[-3:-1])
    if height < 1 or width < 1:
        raise InputError(f"a window of {len(taps)}x{len(taps)} does not fit into an image of shape {image.shape}")
    image = jnp.asarray(image)
    taps = np.asarray(taps, image.dtype)
    columns = sum(tap * image[..., i : i + height, :, :] for i, tap in enumerate(taps))
    return sum(tap * columns[..., i : i + width, :] for i, tap in enumerate(taps))
