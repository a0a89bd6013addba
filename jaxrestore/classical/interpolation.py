"""Super-resolution by interpolation: what every other method is compared with. MATLAB's grid and borders (`ops.resize`)."""

from jaxrestore.classical.images import in_float
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.resize import imresize
from jaxrestore.typing import Image


def nearest(image: Image, *, scale: int) -> Image:
    """Enlarge by repeating pixels.

    Args:
      image: (..., H, W, C).
      scale: enlargement, >= 1.

    Returns:
      (..., scale H, scale W, C).

    Raises:
      InputError: scale is below 1.
    """
    return _enlarged(image, scale, "nearest")


def bilinear(image: Image, *, scale: int) -> Image:
    """Enlarge by straight lines between pixels; arguments and errors as for `nearest`."""
    return _enlarged(image, scale, "linear")


def bicubic(image: Image, *, scale: int) -> Image:
    """Enlarge by Keys' cubic convolution, a = -0.5, which overshoots at edges; arguments and errors as for `nearest`.

    Reference: Keys, "Cubic Convolution Interpolation for Digital Image Processing", TASSP 1981.
    """
    return _enlarged(image, scale, "cubic")


def lanczos(image: Image, *, scale: int) -> Image:
    """Enlarge by a sinc in a window of three lobes, which overshoots at edges; arguments and errors as for `nearest`.

    Reference: Duchon, "Lanczos Filtering in One and Two Dimensions", Journal of Applied Meteorology 1979.
    """
    return _enlarged(image, scale, "lanczos3")


def _enlarged(image: Image, scale: int, kernel: str) -> Image:
    check_range("scale", scale, low=1)
    return imresize(in_float(image), scale, kernel=kernel).astype(image.dtype)
