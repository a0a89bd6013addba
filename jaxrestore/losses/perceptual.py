"""Losses that compare images by the features that a fixed network finds in them: content, style and texture.

The network is any function `features(image)` from images (N, H, W, C) to one array (N, h, w, c) for each layer, such as `model.apply` of a
`jaxrestore.models.features` network with its variables filled in. No gradient flows into the target's features.
"""

from collections.abc import Callable, Sequence

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.losses.comparison import PerImage, as_single, check_same_shape
from jaxrestore.losses.pixel import mse
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.patches import extract_patches
from jaxrestore.typing import Image

FeatureFunction = Callable[[Image], Sequence[Array]]
"""images (N, H, W, C) -> one array (N, h, w, c) for each layer."""

Distance = Callable[[Array, Array], PerImage]


def perceptual(
    features: FeatureFunction, prediction: Image, target: Image, weights: Sequence[float] | None = None, distance: Distance = mse
) -> PerImage:
    """Sum over the layers of weight * distance(features of the prediction, features of the target).

    Args:
      features: the network.
      prediction: (N, H, W, C).
      target: (N, H, W, C).
      weights: one for each layer; None for ones.
      distance: `pixel.mse` (SRGAN) or `pixel.l1` (ESRGAN).

    Returns:
      (N,): one value for each image.

    Raises:
      InputError: the shapes differ, or there is not one weight for each layer.

    Reference: Johnson, Alahi and Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", ECCV 2016, equation 2.
    """
    check_same_shape(prediction, target)
    return _compare(features, prediction, target, weights, distance)


def gram(features: Image) -> Float[Array, "... _ _"]:
    """The Gram matrix of a layer: products of each two channels, averaged over the positions and divided by the number of channels.

    Args:
      features: (..., h, w, c).

    Returns:
      (..., c, c), float32 or wider, symmetric.

    Reference: Gatys, Ecker and Bethge, "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016, equation 3, normalised as by
      Johnson et al. 2016, equation 3.
    """
    f = as_single(features)
    return jnp.einsum("...hwi,...hwj->...ij", f, f, precision=lax.Precision.HIGHEST) / (f.shape[-3] * f.shape[-2] * f.shape[-1])


def style(features: FeatureFunction, prediction: Image, target: Image, weights: Sequence[float] | None = None) -> PerImage:
    """Sum over the layers of weight * |Gram matrix of the prediction - Gram matrix of the target|^2, the Frobenius norm.

    Args:
      features: the network.
      prediction: (N, H, W, C).
      target: (N, H, W, C); for a style that is not the image's own (N, H', W', C).
      weights: one for each layer; None for ones.

    Returns:
      (N,): one value for each image.

    Raises:
      InputError: there is not one weight for each layer.

    Reference: Johnson et al. 2016, equation 4.
    """

    def distance(a: Array, b: Array) -> PerImage:  # the sizes may differ, the channels not
        return jnp.sum(jnp.square(gram(a) - gram(b)), (-2, -1))

    return _compare(features, prediction, target, weights, distance)


def texture(
    features: FeatureFunction, prediction: Image, target: Image, patch: int = 4, weights: Sequence[float] | None = None
) -> PerImage:
    """`style` in small patches that do not overlap: the mean over them, so that textures match place by place.

    Args:
      features: the network.
      prediction: (N, H, W, C).
      target: (N, H, W, C).
      patch: side of the patches in pixels of the features, at least 1; what is left over at the bottom and right does not count. The paper
        takes 16 pixels of the image.
      weights: one for each layer; None for ones.

    Returns:
      (N,): one value for each image.

    Raises:
      InputError: the shapes differ, a layer is smaller than a patch, or there is not one weight for each layer.

    Reference: Sajjadi, Schölkopf and Hirsch, "EnhanceNet: Single Image Super-Resolution Through Automated Texture Synthesis", ICCV 2017,
      section 4.2.3.
    """
    check_range("patch", patch, low=1)
    check_same_shape(prediction, target)

    def distance(a: Array, b: Array) -> PerImage:
        return jnp.mean(
            jnp.sum(jnp.square(gram(extract_patches(a, patch, patch)) - gram(extract_patches(b, patch, patch))), (-2, -1)), (-2, -1)
        )

    return _compare(features, prediction, target, weights, distance)


def _compare(
    features: FeatureFunction,
    prediction: Image,
    target: Image,
    weights: Sequence[float] | None,
    distance: Distance,
) -> PerImage:
    of_prediction, of_target = features(prediction), [lax.stop_gradient(layer) for layer in features(target)]
    weights = [1.0] * len(of_prediction) if weights is None else weights
    if len(weights) != len(of_prediction):
        raise InputError(f"weights has {len(weights)} numbers: the features have {len(of_prediction)} layers")
    return sum(w * distance(as_single(a), as_single(b)) for w, a, b in zip(weights, of_prediction, of_target, strict=True))
