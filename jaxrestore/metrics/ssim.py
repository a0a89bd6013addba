"""Structural similarity."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.metrics.conventions import WINDOWS, Convention, Picture, as_convention, check_pair
from jaxrestore.ops.filtering import filter_valid, gaussian_taps

_K1, _K2 = 0.01, 0.03


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
    side = WINDOWS[convention.window].size
    if min(a.shape[-3:-1]) - 2 * convention.border < side:
        raise InputError(f"SSIM in the convention {convention.name} needs {side}x{side} pixels inside the border, got the shape {a.shape}")
    return _ssim(a, b, convention)


@partial(jax.jit, static_argnums=2)
def _ssim(a: Array, b: Array, convention: Convention) -> Array:
    window = WINDOWS[convention.window]
    taps = gaussian_taps(window.size, window.sigma) if window.sigma else np.full(window.size, 1.0 / window.size)
    # (Co)variances do not change with the origin; from the middle of the range their float32 error is smaller.
    middle = convention.peak / 2
    a, b = convention.prepare(a) - middle, convention.prepare(b) - middle
    difference = a - b
    mean_a, mean_b, product, square = filter_valid(jnp.stack([a, b, a * b, difference * difference]), taps)
    unbiased = window.size**2 / (window.size**2 - 1) if window.sample_covariance else 1.0
    covariance = unbiased * (product - mean_a * mean_b)
    variance = unbiased * jnp.maximum(square - (mean_a - mean_b) ** 2, 0.0)  # of the difference
    mean_a, mean_b = mean_a + middle, mean_b + middle
    # The sums of squares in the denominators, written with the difference: identical images then give exactly 1.
    luminance = 2 * mean_a * mean_b + (_K1 * convention.peak) ** 2
    structure = 2 * covariance + (_K2 * convention.peak) ** 2
    similarity = luminance / (luminance + (mean_a - mean_b) ** 2) * structure / (structure + variance)
    return jnp.mean(jnp.mean(similarity, axis=(-2, -1)), axis=-1)
