"""Blind deconvolution: deblurring a picture of which nothing else is known."""

from jaxtyping import Array, Float

from jaxrestore.classical.borders import Border
from jaxrestore.classical.kernel_estimation import estimate_psf
from jaxrestore.classical.tv_deconvolution import tv_deconvolution
from jaxrestore.typing import Image


def blind_deconvolution(
    image: Image, *, size: int = 25, sigma: float | int = 2.0, strength: float | int = 2.0, border: Border = "open"
) -> tuple[Image, Float[Array, "... size size"]]:
    """Estimate the one blur of a whole picture, then deconvolve with it by total variation.

    Args:
      image: (..., H, W, C) in [0, 1].
      size: height and width of the kernel sought, odd and at least 3: somewhat more than the blur's reach.
      sigma: standard deviation of the noise in grey levels, >= 0.
      strength: factor on the weight that suits the noise, > 0; more hides the errors of a kernel that was not found well.
      border: what lies beyond it, see `classical.borders`.

    Returns:
      The restored image, not clipped, and the kernel, (..., size, size).

    Raises:
      InputError: a value out of its range, an unknown border, or a size that is even or larger than the image.

    Reference: see `kernel_estimation.estimate_psf` and `tv_deconvolution`.
    """
    psf = estimate_psf(image, size=size)
    return tv_deconvolution(image, psf=psf, sigma=sigma, strength=strength, border=border), psf


def blindly_deblurred(
    image: Image, *, size: int = 25, sigma: float | int = 2.0, strength: float | int = 2.0, border: Border = "open"
) -> Image:
    """The restored image of `blind_deconvolution` alone."""
    return blind_deconvolution(image, size=size, sigma=sigma, strength=strength, border=border)[0]
