"""Point spread functions as the methods of deconvolution take them.

An image was blurred by convolution, `blurred[i] = sum over j of psf[j] * sharp[i - j]`, with j counted from the centre of the point spread
function, its pixel (kh // 2, kw // 2); an even size therefore reaches one pixel further towards the top left. It need not be symmetric.
"""

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range, is_concrete
from jaxrestore.ops.fourier import Kernel
from jaxrestore.typing import Image


def in_unit_sum(psf: Kernel, image: Image) -> jax.Array:
    """The point spread function in the image's type, scaled to a sum of one: blur neither brightens nor darkens.

    Args:
      psf: (kh, kw) for all images, or (..., kh, kw) with the image's leading axes: one for each. Not negative.
      image: (..., H, W, C), at least as large.

    Raises:
      InputError: the shapes do not fit, or a value is negative or not finite, or nothing is above zero.
    """
    if psf.ndim < 2 or psf.shape[:-2] not in ((), image.shape[:-3]):
        raise InputError(f"psf has the shape {psf.shape}: it must be (kh, kw), or {image.shape[:-3]} + (kh, kw) for one each")
    (kh, kw), (height, width) = psf.shape[-2:], image.shape[-3:-1]
    if not (1 <= kh <= height and 1 <= kw <= width):
        raise InputError(f"psf is {kh}x{kw}: it must be between 1x1 and the image's {height}x{width}; crop it or pad the image")
    check_range("psf", psf, low=0.0)
    if is_concrete(psf) and np.min(np.sum(np.asarray(psf), axis=(-2, -1)), initial=1.0) <= 0.0:
        raise InputError("psf sums to 0: it must have a value above 0")
    psf = jnp.asarray(psf, image.dtype)
    return psf / jnp.sum(psf, axis=(-2, -1), keepdims=True)
