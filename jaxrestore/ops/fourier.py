"""Filtering in the Fourier domain: point spread functions, their transfer functions, and products of spectra.

Spectra are the halves that a real image has, as `jnp.fft.rfft2` gives them, over the axes of height and width: (..., H, W // 2 + 1, C).
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from jaxrestore.errors import InputError
from jaxrestore.typing import Image

Spectrum = Complex[Array, "... _ _ _"]
"""(..., H, W // 2 + 1, C): half of the Fourier transform, the other half being its complex conjugate."""

Kernel = Float[Array | np.ndarray, "... _ _"]
"""(kh, kw), or (..., kh, kw): one kernel for each image of a batch."""


@jax.jit
def to_spectrum(image: Image) -> Spectrum:
    """The Fourier transform over height and width: (..., H, W, C) -> (..., H, W // 2 + 1, C)."""
    return jnp.fft.rfft2(jnp.asarray(image, jnp.promote_types(image.dtype, jnp.float32)), axes=(-3, -2))


@partial(jax.jit, static_argnums=1)
def from_spectrum(spectrum: Spectrum, size: tuple[int, int]) -> Float[Array, "... _ _ _"]:
    """The inverse of `to_spectrum` for an image of size (height, width)."""
    return jnp.fft.irfft2(spectrum, size, axes=(-3, -2))


@partial(jax.jit, static_argnums=1)
def psf_to_otf(psf: Kernel, size: tuple[int, int]) -> Spectrum:
    """The transfer function of a point spread function: the spectrum of what it makes of a point at the image's origin.

    Args:
      psf: (kh, kw) or (..., kh, kw), its centre at pixel (kh // 2, kw // 2).
      size: (height, width) of the images that it will blur.

    Returns:
      (..., H, W // 2 + 1, 1); its product with an image's spectrum is the circular convolution (`filter_circular`).

    Raises:
      InputError: the point spread function is larger than the image.

    Reference: MATLAB Image Processing Toolbox, `psf2otf`.
    """
    *batch, height, width = psf.shape
    if height > size[0] or width > size[1]:
        raise InputError(f"psf is {height}x{width}, larger than the image of {size[0]}x{size[1]}: crop it or pad the image")
    psf = jnp.asarray(psf, jnp.promote_types(psf.dtype, jnp.float32))
    full = jnp.pad(psf, [(0, 0)] * len(batch) + [(0, size[0] - height), (0, size[1] - width)])
    return jnp.fft.rfft2(jnp.roll(full, (-(height // 2), -(width // 2)), (-2, -1)))[..., None]


@jax.jit
def apply_otf(image: Image, otf: Spectrum) -> Float[Array, "... _ _ _"]:
    """Multiply an image's spectrum by a transfer function.

    Args:
      image: (..., H, W, C).
      otf: (H, W // 2 + 1, 1) for all images, with leading axes for one each, or with C channels. Its conjugate applies the adjoint.

    Returns:
      (..., H, W, C), float32 or wider.

    Raises:
      InputError: the transfer function belongs to another size.
    """
    height, width = image.shape[-3:-1]
    if otf.shape[-3:-1] != (height, width // 2 + 1):
        raise InputError(f"otf has the shape {otf.shape}, which is not that of an image of {height}x{width}: make it with psf_to_otf")
    otf = otf.reshape((1,) * (image.ndim - otf.ndim) + otf.shape)
    return from_spectrum(to_spectrum(image) * otf, (height, width))


@jax.jit
def filter_circular(image: Image, psf: Kernel) -> Float[Array, "... _ _ _"]:
    """Convolve with a point spread function on a torus: what leaves on one side comes in on the other.

    Args:
      image: (..., H, W, C).
      psf: (kh, kw), or one for each image (..., kh, kw), centre at (kh // 2, kw // 2), no larger than the image.

    Returns:
      (..., H, W, C), float32 or wider.
    """
    return apply_otf(image, psf_to_otf(psf, image.shape[-3:-1]))


def correlate_valid(image: Image, kernel: Kernel) -> Float[Array, "... _ _ _"]:
    """Correlation where the kernel lies inside the image, by way of spectra.

    Args:
      image: (..., H, W, C).
      kernel: (kh, kw) or one for each image (..., kh, kw), no larger than the image.

    Returns:
      (..., H - kh + 1, W - kw + 1, C), float32 or wider.
    """
    height, width = image.shape[-3:-1]
    kh, kw = kernel.shape[-2:]
    # What the added zeros change lies outside the valid part.
    size = tuple(fast_length(side) for side in (height, width))
    border = [(0, 0)] * (image.ndim - 3) + [(0, size[0] - height), (0, size[1] - width), (0, 0)]
    spectrum = jnp.conj(jnp.fft.rfft2(jnp.asarray(kernel, jnp.promote_types(kernel.dtype, jnp.float32)), size))[..., None]
    return apply_otf(jnp.pad(image, border), spectrum)[..., : height - kh + 1, : width - kw + 1, :]


def fast_length(side: int) -> int:
    """The least length, from `side` on, that has small prime factors only: its Fourier transform is several times as fast."""
    from scipy.fft import next_fast_len  # half a second, which whoever filters nothing should not wait for

    return next_fast_len(side, real=True)
