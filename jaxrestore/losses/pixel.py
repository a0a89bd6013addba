"""Losses that compare two images pixel by pixel.

All take a prediction and a target (..., H, W, C) of one shape and give the mean over height, width and channels: one value for each image,
in float32 or wider, whatever the computation type of the network.
"""

import jax.numpy as jnp

from jaxrestore.losses.comparison import PerImage, absolute, difference, per_image
from jaxrestore.ops.checks import check_range
from jaxrestore.typing import Image


def l1(prediction: Image, target: Image) -> PerImage:
    """Mean absolute error."""
    return per_image(absolute(difference(prediction, target)))


def mse(prediction: Image, target: Image) -> PerImage:
    """Mean squared error."""
    return per_image(jnp.square(difference(prediction, target)))


def charbonnier(prediction: Image, target: Image, epsilon: float = 1e-3) -> PerImage:
    """Mean of sqrt(d^2 + epsilon^2): the absolute error, made smooth at zero.

    Args:
      prediction: (..., H, W, C).
      target: (..., H, W, C).
      epsilon: half-width of the rounded tip, in the image's unit, > 0.

    Raises:
      InputError: epsilon is not positive, or the shapes differ.

    Reference: Lai et al., "Deep Laplacian Pyramid Networks", CVPR 2017, section 3.2.
    """
    check_range("epsilon", epsilon, low=0, open_low=True)
    return per_image(jnp.sqrt(jnp.square(difference(prediction, target)) + epsilon**2))


def huber(prediction: Image, target: Image, delta: float = 1.0) -> PerImage:
    """Mean of d^2 / 2 where |d| <= delta and of delta * (|d| - delta / 2) elsewhere.

    Args:
      prediction: (..., H, W, C).
      target: (..., H, W, C).
      delta: where the parabola becomes a line, in the image's unit, > 0; at 1 and above it is half the `mse` of images in [0, 1].

    Raises:
      InputError: delta is not positive, or the shapes differ.

    Reference: Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics 1964.
    """
    check_range("delta", delta, low=0, open_low=True)
    distance = absolute(difference(prediction, target))
    near = jnp.minimum(distance, delta)
    return per_image(near * (distance - 0.5 * near))


def psnr_loss(prediction: Image, target: Image, epsilon: float = 1e-8) -> PerImage:
    """The mean squared error in decibels, 10 log10(mse + epsilon): the negative PSNR of images whose peak is 1.

    Args:
      prediction: (..., H, W, C).
      target: (..., H, W, C).
      epsilon: what keeps the logarithm finite, > 0; the loss of identical images is 10 log10(epsilon).

    Raises:
      InputError: epsilon is not positive, or the shapes differ.

    Reference: Chen et al., "Simple Baselines for Image Restoration", ECCV 2022 (NAFNet), the training loss of its public code.
    """
    check_range("epsilon", epsilon, low=0, open_low=True)
    return 10.0 * jnp.log10(per_image(jnp.square(difference(prediction, target))) + epsilon)
