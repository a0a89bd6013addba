"""Bits per dimension: how well a generative model predicts images, in a unit that does not depend on their size."""

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.errors import InputError


def bits_per_dimension(
    negative_log_likelihood: Float[Array | np.ndarray, "..."] | float, dimensions: int, levels: int = 1
) -> Float[Array, "..."]:
    """The negative logarithm of an image's probability, in bits for each of its values.

    Args:
      negative_log_likelihood: -log p(image) in nats, summed over the image's values; one for each image.
      dimensions: values of an image, H * W * C.
      levels: 1 where p is a probability of discrete levels (PixelCNN); 256 where p is a density over [0, 1] of 8-bit images (a flow, a
        Gaussian), to count what one level of width 1 / 256 holds.

    Returns:
      As many values. Images of 256 equally likely levels have 8 bits per dimension, better models fewer.

    Raises:
      InputError: `dimensions` or `levels` is below 1.

    Reference: Theis, van den Oord and Bethge, "A note on the evaluation of generative models", ICLR 2016, section 3.1.
    """
    if dimensions < 1 or levels < 1:
        raise InputError(f"dimensions {dimensions} and levels {levels} must be at least 1")
    return jnp.asarray(negative_log_likelihood) / (dimensions * math.log(2.0)) + math.log2(levels)
