"""Colour: RGB against luma and chroma, in the definitions that this field mixes up.

- studio range: MATLAB's `rgb2ycbcr` (BT.601): luma 16..235 and chroma 16..240 of 255. Super-resolution scores are measured on this luma.
- full range: JPEG's (JFIF) and OpenCV's: luma and chroma 0..255 of 255, Pillow's "YCbCr" mode.
- grey: the luma of the full range: OpenCV's and Pillow's conversion to one channel.
- BT.709: the luma and chroma of high-definition video, in the full or in the studio range.
- YIQ: the luma and chroma of analogue NTSC television, whose chroma is signed around zero.

Everything takes and gives images (..., H, W, C) in [0, 1], where a chroma of 128 / 255 is neutral (in YIQ, of 0); nothing is clipped or
rounded. The two of a pair are exact inverses.
"""

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.typing import Image

_STUDIO = np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]]) / 255.0
_STUDIO_OFFSET = np.array([16.0, 128.0, 128.0]) / 255.0

_GRAY = np.array([0.299, 0.587, 0.114])

ONE_CHANNEL = {"gray": (_GRAY, 0.0), "luma": (_STUDIO[0], float(_STUDIO_OFFSET[0]))}
"""name -> (weights of red, green and blue, offset) for what one channel of a colour image is, in [0, 1]."""

_FULL_OFFSET = np.array([0.0, 128.0, 128.0]) / 255.0


def _full(luma: np.ndarray) -> np.ndarray:
    """Luma and chroma, where chroma is the difference to the luma, scaled so that pure blue and pure red reach half the range."""
    red, _, blue = np.eye(3)
    return np.stack([luma, 0.5 * (blue - luma) / (1.0 - luma[2]), 0.5 * (red - luma) / (1.0 - luma[0])])


_FULL = _full(_GRAY)
_BT709 = _full(np.array([0.2126, 0.7152, 0.0722]))
_BT709_STUDIO = np.array([[219.0], [224.0], [224.0]]) / 255.0 * _BT709

_YIQ = np.array([_GRAY, [0.59590059, -0.27455667, -0.32134392], [0.21153661, -0.52273617, 0.31119955]])


def rgb_to_ycbcr(image: Image) -> Image:
    """Studio-range luma and chroma (Y, Cb, Cr), as MATLAB's `rgb2ycbcr`.

    Args:
      image: RGB, (..., H, W, 3) in [0, 1].

    Returns:
      (..., H, W, 3): Y in [16, 235] / 255, Cb and Cr in [16, 240] / 255.

    Raises:
      InputError: the image has not three channels.

    Reference: ITU-R BT.601; MATLAB Image Processing Toolbox, `rgb2ycbcr`.
    """
    return _mix(image, _STUDIO, _STUDIO_OFFSET)


def ycbcr_to_rgb(image: Image) -> Image:
    """The exact inverse of `rgb_to_ycbcr`, not clipped."""
    inverse = np.linalg.inv(_STUDIO)
    return _mix(image, inverse, -inverse @ _STUDIO_OFFSET)


def luma_studio(image: Image) -> Image:
    """The luma alone of `rgb_to_ycbcr`: (..., H, W, 3) -> (..., H, W, 1) in [16, 235] / 255."""
    return _mix(image, _STUDIO[:1], _STUDIO_OFFSET[:1])


def rgb_to_ycbcr_full(image: Image) -> Image:
    """Full-range luma and chroma (Y, Cb, Cr), as in a JPEG file; OpenCV's YCrCb is this with the last two channels exchanged.

    Args:
      image: RGB, (..., H, W, 3) in [0, 1].

    Returns:
      (..., H, W, 3): Y in [0, 1]; Cb and Cr within 1/2 of 128 / 255, so that half a grey level may lie above 1.

    Raises:
      InputError: the image has not three channels.

    Reference: JFIF 1.02 (ECMA TR/98), section 7.
    """
    return _mix(image, _FULL, _FULL_OFFSET)


def ycbcr_full_to_rgb(image: Image) -> Image:
    """The exact inverse of `rgb_to_ycbcr_full`, not clipped."""
    inverse = np.linalg.inv(_FULL)
    return _mix(image, inverse, -inverse @ _FULL_OFFSET)


def rgb_to_ycbcr_bt709(image: Image, studio: bool = False) -> Image:
    """Luma and chroma (Y, Cb, Cr) of high-definition video.

    Args:
      image: RGB, (..., H, W, 3) in [0, 1].
      studio: Y in [16, 235] / 255 and Cb, Cr in [16, 240] / 255, instead of the full range.

    Returns:
      (..., H, W, 3).

    Raises:
      InputError: the image has not three channels.

    Reference: ITU-R BT.709-6, section 3; the studio range is that of its section 4 for 8 bits.
    """
    return _mix(image, _BT709_STUDIO, _STUDIO_OFFSET) if studio else _mix(image, _BT709, _FULL_OFFSET)


def ycbcr_bt709_to_rgb(image: Image, studio: bool = False) -> Image:
    """The exact inverse of `rgb_to_ycbcr_bt709`, not clipped."""
    inverse = np.linalg.inv(_BT709_STUDIO if studio else _BT709)
    return _mix(image, inverse, -inverse @ (_STUDIO_OFFSET if studio else _FULL_OFFSET))


def rgb_to_yiq(image: Image) -> Image:
    """Luma and chroma (Y, I, Q) of NTSC television.

    Args:
      image: RGB, (..., H, W, 3) in [0, 1].

    Returns:
      (..., H, W, 3): Y in [0, 1], I within 0.596 and Q within 0.523 of zero.

    Raises:
      InputError: the image has not three channels.

    Reference: SMPTE 170M; the digits are those of `skimage.color.rgb2yiq`.
    """
    return _mix(image, _YIQ, np.zeros(3))


def yiq_to_rgb(image: Image) -> Image:
    """The exact inverse of `rgb_to_yiq`, not clipped."""
    return _mix(image, np.linalg.inv(_YIQ), np.zeros(3))


def rgb_to_gray(image: Image) -> Image:
    """Grey of 0.299 R + 0.587 G + 0.114 B: (..., H, W, 3) -> (..., H, W, 1) in [0, 1]."""
    return _mix(image, _GRAY[None], np.zeros(1))


def gray_to_rgb(image: Image) -> Image:
    """The grey in each of three channels: (..., H, W, 1) -> (..., H, W, 3).

    Raises:
      InputError: the image has not one channel.
    """
    if image.shape[-1] != 1:
        raise InputError(f"colour: expected a grey image of 1 channel, got the shape {image.shape}")
    return jnp.repeat(jnp.asarray(image), 3, axis=-1)


def _mix(image: Image, matrix: np.ndarray, offset: np.ndarray) -> jax.Array:
    """Weighted sums of the channels, one for each row of the matrix, and an offset."""
    if image.shape[-1] != 3:
        raise InputError(f"colour: expected an image of 3 channels, got the shape {image.shape}")
    image = jnp.asarray(image)
    matrix, offset = matrix.astype(image.dtype), offset.astype(image.dtype)
    # Sums of products, not a matrix product: accelerators round the operands of a matrix product.
    red, green, blue = (image[..., i : i + 1] for i in range(3))
    channels = [m[0] * red + m[1] * green + m[2] * blue + c for m, c in zip(matrix, offset, strict=True)]
    return jnp.concatenate(channels, axis=-1)
