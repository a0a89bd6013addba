"""TIFF of 8 and 16 bits and floating point, by tifffile; Pillow and OpenCV unpack the compressions that it leaves to others."""

import io
import logging
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxrestore.data.codecs import opencv, pillow

_ORIENTATION = 274
_SHORT = 3
# Of a file with offsets of 32 bits; deflate may make noise a little larger.
_LARGEST = 2**32 - 2**26
_AXES = {"YX": None, "YXS": None, "SYX": (1, 2, 0)}


def read_header(file: io.BufferedIOBase) -> tuple[int, int, int]:
    """(width, height, orientation) of the first picture in a TIFF file, as stored."""
    with open_tiff(file) as tiff:
        page = tiff.pages.first
        return page.imagewidth, page.imagelength, orientation_of(page)


def decode(file: io.BufferedIOBase, check_size: Callable[[int, int], None]) -> tuple[np.ndarray, bytes | None, int]:
    """Pixels (H, W, C) as stored, ICC profile and orientation of the first picture in a TIFF file.

    Args:
      file: the open file.
      check_size: called with (width, height) before anything is decoded; raises where that is too much.

    Raises:
      ValueError: samples of a kind that no picture here has.
    """
    import tifffile

    with open_tiff(file) as tiff:
        page = tiff.pages.first
        check_size(page.imagewidth, page.imagelength)
        orientation = orientation_of(page)
        plain = page.photometric in (tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.MINISWHITE, tifffile.PHOTOMETRIC.RGB)
        try:
            if not plain or page.bitspersample < 8:
                pixels = None
            elif page.dtype not in (np.uint8, np.uint16, np.float16, np.float32, np.float64):
                raise TypeError(
                    f"its samples are of type {page.dtype or f'{page.bitspersample} bit'}; 8 and 16 bits and floating point can be read"
                )
            elif page.axes not in _AXES:
                raise TypeError(f"it has the axes {page.axes}, which is no flat picture")
            else:
                pixels = page.asarray()
        except ValueError as error:  # a compression that needs another package
            if "imagecodecs" not in str(error):
                raise
            pixels = None
        if pixels is None:
            pixels = _unpacked_by_others(file, tiff.byteorder, page)
        else:
            pixels = pixels.transpose(_AXES[page.axes]) if _AXES[page.axes] else pixels
            if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE and pixels.dtype.kind == "u":
                pixels = np.iinfo(pixels.dtype).max - pixels
        profile = page.iccprofile
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if pixels.dtype.kind == "f":
        pixels = pixels.astype(np.float32, copy=False)
        if not np.isfinite(pixels).all():
            raise ValueError("it holds values that are not finite (NaN or infinity)")
    return np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("="), copy=False)), profile, orientation


def encode(pixels: np.ndarray, icc_profile: bytes | None, orientation: int) -> bytes:
    """A TIFF file, losslessly compressed, of (H, W, C) pixels, C = 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA."""
    import tifffile

    channels = pixels.shape[-1]
    buffer = io.BytesIO()
    data = pixels if channels > 1 else pixels[..., 0]
    tifffile.imwrite(buffer, data, **layout(channels, pixels.nbytes), **tags(icc_profile, orientation))
    return buffer.getvalue()


def layout(channels: int, size: int) -> dict[str, Any]:
    """How tifffile is told to lay pixels out: compressed losslessly; beyond 4 GB with offsets of 64 bits.

    Args:
      channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA.
      size: bytes of the pixels.
    """
    return {
        "photometric": "rgb" if channels >= 3 else "minisblack",
        "planarconfig": "contig" if channels > 1 else None,
        "extrasamples": ["unassalpha"] if channels in (2, 4) else None,
        "compression": "zlib",
        "metadata": None,
        "bigtiff": size > _LARGEST,
    }


def tags(icc_profile: bytes | None, orientation: int) -> dict[str, Any]:
    """How tifffile is told the profile and the orientation."""
    return {"iccprofile": icc_profile, "extratags": [(_ORIENTATION, _SHORT, 1, orientation, True)]}


def open_tiff(file: io.BufferedIOBase):
    """A `tifffile.TiffFile` that says nothing beside what it raises."""
    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # it logs damage as well as raising
    return tifffile.TiffFile(file)


def orientation_of(page) -> int:
    """The orientation of a page, 1..8."""
    tag = page.tags.get(_ORIENTATION)
    return tag.value if tag is not None and tag.value in range(1, 9) else 1


def _unpacked_by_others(file: io.BufferedIOBase, byteorder: str, page) -> np.ndarray:
    file.seek(0)
    data = bytearray(file.read())
    if _ORIENTATION in page.tags:  # they would turn the picture
        struct.pack_into(byteorder + "H", data, page.tags[_ORIENTATION].valueoffset, 1)
    if page.bitspersample <= 8:
        return pillow.decode(pillow.open_header("TIFF", io.BytesIO(data)))
    pixels = opencv.decode(bytes(data)) if page.samplesperpixel != 2 else None
    if pixels is None or pixels.dtype != page.dtype or pixels.shape != (page.imagelength, page.imagewidth, page.samplesperpixel):
        raise ValueError(
            f"its {page.bitspersample} bit pixels with {page.compression.name} compression are damaged or of no supported kind"
        )
    return pixels
