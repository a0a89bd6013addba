"""The negative log-likelihood of an image whose every element has a Gaussian of its own, as a network predicts it."""

import math

import jax.numpy as jnp

from jaxrestore.losses.comparison import PerImage, as_single, check_same_shape, difference, per_image
from jaxrestore.typing import Image


def gaussian_likelihood(mean: Image, log_variance: Image, target: Image) -> PerImage:
    """Mean of -log N(target; mean, exp(log_variance)) over height, width and channels.

    Args:
      mean: (..., H, W, C).
      log_variance: (..., H, W, C), the logarithm of each element's variance.
      target: (..., H, W, C).

    Raises:
      InputError: the shapes differ.

    Reference: Kendall and Gal, "What Uncertainties Do We Need in Bayesian Deep Learning for Computer Vision?", NeurIPS 2017, equation 8
      (there without the constant log(2 pi) / 2).
    """
    check_same_shape(mean, log_variance)
    squares = jnp.square(difference(mean, target))
    log_variance = as_single(log_variance)
    return 0.5 * per_image(squares * jnp.exp(-log_variance) + log_variance + math.log(2 * math.pi))
