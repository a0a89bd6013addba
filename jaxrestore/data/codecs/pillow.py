"""Pillow for everything of 8 bits: PNG, JPEG, BMP, WebP, and TIFF of uncommon kinds.

The plugins are used directly instead of `Image.open`, whose limit on the size of a picture is one global number of the process.
"""

import io
import zlib

import numpy as np
from PIL import BmpImagePlugin, Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from jaxrestore.data.codecs.exif import PREFIX

_READERS = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
}
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
# What has no array form of its own, and what it becomes without and with a transparent colour.
_CONVERSIONS = {
    "1": ("L", "L"),
    "L": ("L", "LA"),
    "P": ("RGB", "RGBA"),
    "PA": ("RGBA", "RGBA"),
    "RGB": ("RGB", "RGBA"),
    "RGBX": ("RGB", "RGB"),
    "CMYK": ("RGB", "RGB"),
    "YCbCr": ("RGB", "RGB"),
}

# A file may become this much larger for being written in a fifth of the time.
_NEARLY = 1.01


def open_header(kind: str, file: io.BufferedIOBase) -> Image.Image:
    """A picture of which only the header has been read."""
    return _READERS[kind](file)


def decode(image: Image.Image) -> np.ndarray:
    """Its pixels, (H, W, C) uint8: palettes are looked up, a transparent colour becomes an alpha channel, CMYK becomes RGB.

    Raises:
      ValueError: pixels of another kind.
    """
    mode = image.mode
    if mode in _CONVERSIONS:
        mode = _CONVERSIONS[mode]["transparency" in image.info]
    elif mode not in _MODES.values():
        raise ValueError(f"its pixels are of the kind {mode}, which is not supported")
    pixels = np.array(image if image.mode == mode else image.convert(mode))
    return pixels.reshape(image.height, image.width, -1)


def encode(kind: str, pixels: np.ndarray, icc_profile: bytes | None, exif: bytes | None, quality: int) -> bytes:
    """A file of (H, W, C) uint8 pixels, C = 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA; quality concerns JPEG and WebP."""
    channels = pixels.shape[-1]
    image = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if channels == 1 else pixels), _MODES[channels])
    options = {"icc_profile": icc_profile, "exif": exif or b""}
    if kind == "PNG":
        options = {"icc_profile": icc_profile, "compress_type": _search(pixels)} | ({"exif": exif.removeprefix(PREFIX)} if exif else {})
    elif kind == "BMP":
        options = {}
    elif kind == "JPEG":
        options |= {"quality": quality, "subsampling": 0}
    elif kind == "WebP":
        options |= {"quality": quality, "lossless": quality == 100, "exact": True, "icc_profile": icc_profile or b""}
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _search(pixels: np.ndarray) -> int:
    """How zlib is to look for repetitions in a PNG.

    A photograph has none but runs, and to look for no others takes a fifth of the time and gives a file of the same size. Drawings and text
    have many. Which of them this is, some rows of it tell.
    """
    height = len(pixels)
    rows = max(height // 128, 3)
    some = np.concatenate([pixels[(height - rows) * part // 4 :][:rows] for part in (0, 1, 2, 3, 4)] if height > 5 * rows else [pixels])
    image, sizes = Image.fromarray(some.squeeze(-1) if some.shape[-1] == 1 else some, _MODES[some.shape[-1]]), []
    for way in (zlib.Z_RLE, zlib.Z_DEFAULT_STRATEGY):
        buffer = io.BytesIO()
        image.save(buffer, "PNG", compress_type=way)
        sizes.append(len(buffer.getvalue()))
    return zlib.Z_RLE if sizes[0] <= _NEARLY * sizes[1] else zlib.Z_DEFAULT_STRATEGY
