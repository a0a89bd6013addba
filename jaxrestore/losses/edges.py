"""Losses that compare what changes from pixel to pixel: gradients and edges."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.losses.comparison import PerImage, absolute, as_single, check_same_shape, difference, per_image, power
from jaxrestore.losses.pixel import charbonnier
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.differences import gradient as differences
from jaxrestore.ops.filtering import filter_separable
from jaxrestore.typing import Image

_PYRAMID_TAPS = np.array([0.05, 0.25, 0.4, 0.25, 0.05])  # Burt and Adelson 1983, with their a = 0.4


def gradient(prediction: Image, target: Image) -> PerImage:
    """Mean absolute difference of the gradients, |down - down'| + |right - right'|, signs included; nothing changes across the border.

    Args:
      prediction: (..., H, W, C).
      target: (..., H, W, C).

    Raises:
      InputError: the shapes differ.
    """
    down, right = differences(difference(prediction, target))
    return per_image(absolute(down) + absolute(right))


def gradient_difference(prediction: Image, target: Image, alpha: float = 1.0) -> PerImage:
    """Mean of ||down| - |down'||^alpha + ||right| - |right'||^alpha: edges as strong as the target's, whichever their sign.

    Args:
      prediction: (..., H, W, C).
      target: (..., H, W, C).
      alpha: the power, >= 1.

    Raises:
      InputError: alpha is below 1, or the shapes differ.

    Reference: Mathieu, Couprie and LeCun, "Deep multi-scale video prediction beyond mean square error", ICLR 2016, equation 6
      (there a sum).
    """
    check_range("alpha", alpha, low=1)
    check_same_shape(prediction, target)
    pairs = zip(differences(as_single(prediction)), differences(as_single(target)), strict=True)
    return sum(per_image(power(absolute(absolute(a) - absolute(b)), alpha)) for a, b in pairs)


def edge(prediction: Image, target: Image, epsilon: float = 1e-3) -> PerImage:
    """The Charbonnier loss of the images' edges: the finest level of their Laplacian pyramids.

    Args:
      prediction: (..., H, W, C).
      target: (..., H, W, C).
      epsilon: half-width of the Charbonnier loss's rounded tip, > 0.

    Raises:
      InputError: epsilon is not positive, or the shapes differ.

    Reference: Zamir et al., "Multi-Stage Progressive Image Restoration", CVPR 2021 (MPRNet), equation 4, as in its public code.
    """
    edges = laplacian_level(difference(prediction, target))  # of the difference: it is linear
    return charbonnier(edges, jnp.zeros_like(edges), epsilon)


@jax.jit
def laplacian_level(image: Image) -> jax.Array:
    """What an image loses when it is blurred, halved, and enlarged again: (..., H, W, C), the finest level of its Laplacian pyramid.

    Reference: Burt and Adelson, "The Laplacian Pyramid as a Compact Image Code", IEEE Transactions on Communications 1983.
    """
    image = as_single(image)
    taps = jnp.asarray(_PYRAMID_TAPS, image.dtype)
    blurred = filter_separable(image, taps, taps, "edge")
    height, width = image.shape[-3:-1]
    kept = np.zeros((height, width, 1))
    kept[::2, ::2] = 4.0  # one pixel of four stays
    kept = jnp.asarray(kept, image.dtype).reshape((1,) * (image.ndim - 3) + kept.shape)
    return image - filter_separable(blurred * kept, taps, taps, "edge")
