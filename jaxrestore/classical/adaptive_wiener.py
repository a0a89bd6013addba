"""The adaptive Wiener filter: smooth where the window holds nothing but noise, little where it holds detail."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.classical.images import in_float
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.filtering import filter_separable
from jaxrestore.typing import Image

_LEVELS = 255.0


def adaptive_wiener(image: Image, *, size: int = 5, sigma: float | int | None = None, padding: str = "symmetric") -> Image:
    """Shrink each pixel towards its window's mean by the share of noise in the window's variance.

    Args:
      image: (..., H, W, C), each channel by itself.
      size: side of the window in pixels, odd.
      sigma: noise level in grey levels, >= 0; None takes the mean of all windows' variances for the noise's.
      padding: how the image goes on outside; see `ops.padding.pad`. SciPy's is "constant", which darkens the border.

    Raises:
      InputError: a value outside its range, or an unknown padding.

    Reference: Lee, "Digital Image Enhancement and Noise Filtering by Use of Local Statistics", IEEE TPAMI 1980, section 3.
    """
    if size < 1 or size % 2 == 0:
        raise InputError(f"size is {size}: a window's side must be odd and at least 1")
    if sigma is not None:
        check_range("sigma", sigma, low=0.0)
    return _adaptive_wiener(in_float(image), None if sigma is None else float(sigma), size, padding).astype(image.dtype)


@partial(jax.jit, static_argnames=("size", "padding"))
def _adaptive_wiener(image: jax.Array, sigma: jax.Array | None, size: int, padding: str) -> jax.Array:
    taps = np.full(size, 1.0 / size)
    mean = filter_separable(image, taps, taps, padding)
    variance = filter_separable(jnp.square(image), taps, taps, padding) - jnp.square(mean)
    if sigma is None:
        noise = jnp.mean(variance, axis=(-3, -2), keepdims=True)
    else:
        noise = jnp.full_like(variance, jnp.square(jnp.asarray(sigma, image.dtype) / _LEVELS))
    # Where there is less variance than noise, nothing but the mean is left.
    return mean + jnp.maximum(variance - noise, 0.0) / jnp.maximum(variance, jnp.finfo(image.dtype).tiny) * (image - mean)
