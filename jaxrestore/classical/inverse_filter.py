"""The inverse filter: blur undone by division in the Fourier domain, where there is something left to divide."""

from functools import partial

import jax
import jax.numpy as jnp

from jaxrestore.classical.borders import Border, check_word, deblur, torus_size, transfer
from jaxrestore.classical.images import in_float
from jaxrestore.classical.psf import in_unit_sum
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.fourier import Kernel
from jaxrestore.typing import Image


def inverse_filter(image: Image, *, psf: Kernel, cutoff: float | int = 0.1, border: Border = "open") -> Image:
    """Divide by the transfer function; frequencies that blur has all but removed are given up.

    Exact for a circular blur without noise; what noise there is grows by up to 1 / cutoff.

    Args:
      image: (..., H, W, C) in [0, 1].
      psf: point spread function, (kh, kw) or (..., kh, kw), see `classical.psf`.
      cutoff: frequencies whose transfer is below this share of the mean's are set to zero, in 0..1; 0 divides by all but exact zeros.
      border: what lies beyond it, see `classical.borders`.

    Returns:
      The restored image, not clipped.

    Raises:
      InputError: cutoff out of its range, an unknown border, or a psf that is larger than the image, negative or nowhere above 0.

    Reference: Gonzalez and Woods, Digital Image Processing, 4th edition, section 5.7.
    """
    check_range("cutoff", cutoff, low=0.0, high=1.0)
    check_word("border", border, Border)
    pixels = in_float(image)
    return _inverse(pixels, in_unit_sum(psf, pixels), cutoff, border).astype(image.dtype)


@partial(jax.jit, static_argnames="border")
def _inverse(image: jax.Array, psf: jax.Array, cutoff: float | int | jax.Array, border: Border) -> jax.Array:
    size = torus_size(image, psf, border)
    otf = transfer(image, psf, size)
    kept = (jnp.abs(otf) >= cutoff) & (otf != 0.0)
    return deblur(image, otf, jnp.where(kept, 1.0 / jnp.where(kept, otf, 1.0), 0.0), size)
