"""Neighbor2Neighbor's loss: denoising learned from noisy images alone."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.losses.pixel import PerImage, mse
from jaxrestore.ops.checks import check_range
from jaxrestore.typing import Image


def neighbor2neighbor(
    prediction: Image, target: Image, denoised: tuple[Image, Image], weight: float | int | Float[Array, ""] = 2.0
) -> PerImage:
    """The squared error between two neighbouring sub-images, and a regulariser that allows for what they differ in without noise.

    Args:
      prediction: (..., H, W, C), the network's output for the first sub-image (`ops.neighbor_pairs.neighbor_pair`).
      target: (..., H, W, C), the second sub-image, noisy.
      denoised: both sub-images, by the same choices, of the network's output for the whole image; the authors let no gradient through
        (`jax.lax.stop_gradient`).
      weight: of the regulariser, >= 0; the authors raise it linearly during training, to 1 for camera noise of sRGB images, 2 for
        synthetic noise.

    Returns:
      (...,): one value for each image, mse(prediction, target) + weight * mean((prediction - target - (denoised[0] - denoised[1]))^2).

    Raises:
      InputError: the shapes differ, or the weight is negative.

    Reference: Huang et al., "Neighbor2Neighbor: Self-Supervised Denoising from Single Noisy Images", CVPR 2021, equation 8.
    """
    check_range("weight", weight, low=0)
    for image in denoised:
        if image.shape != prediction.shape:
            raise InputError(f"prediction {prediction.shape} and denoised sub-image {image.shape} differ in shape")
    expected = jnp.asarray(target) + jnp.asarray(denoised[0]) - jnp.asarray(denoised[1])
    return mse(prediction, target) + weight * mse(prediction, expected)
