"""TIFF a few rows at a time: for pictures that are not to be held whole."""

import io
import math
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jaxrestore.data.codecs import tiff

if TYPE_CHECKING:
    from tifffile import TiffPage

_STORED, _DEFLATE, _OLD_DEFLATE = 1, 8, 32946
_PLAIN, _DIFFERENCES = 1, 2
_CONTIGUOUS = 1
# Bytes of a strip that is written, before compression; so large are tifffile's own.
_STRIP = 2**18
_LEVEL = 6
# Rows that are read at once where they are stored as they are.
_AT_ONCE = 64


class TiffRows:
    """The first picture of an open TIFF file, whose rows are decoded when they are asked for.

    Args:
      file: the open file; it stays open as long as rows are read.
      page: its first page, whose rows can be decoded one by one: `rows_of` finds out.

    Attributes:
      shape: (H, W, C), C = 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA.
      dtype: of the pixels, in this machine's byte order.
      icc_profile: the colour profile, or None.
      orientation: 1..8.
      segment: bytes that are decoded at once: those of a strip, or of a row of tiles.
    """

    def __init__(self, file: io.BufferedIOBase, page: "TiffPage") -> None:
        self._file, self._page = file, page
        self.shape = (page.imagelength, page.imagewidth, page.samplesperpixel)
        self.dtype = np.dtype(page.dtype).newbyteorder("=") if page.dtype.kind == "u" else np.dtype(np.float32)
        self.icc_profile, self.orientation = page.iccprofile, tiff.orientation_of(page)
        self._inverted = page.photometric == 0 and page.dtype.kind == "u"
        self._kept: dict[int, tuple] = {}  # segments of which only the first rows were asked for
        self._at_once = page.tilelength if page.is_tiled else page.rowsperstrip
        self.segment = 0 if page.is_final else min(self._at_once, self.shape[0]) * math.prod(self.shape[1:]) * page.dtype.itemsize

    def read(self, start: int, stop: int, into: np.ndarray) -> None:
        """Decode rows start..stop.

        Args:
          start: the first row.
          stop: the row after the last.
          into: (stop - start, W, C) of the picture's dtype.

        Raises:
          ValueError: the file is damaged, or holds values that are not finite.
        """
        page = self._page
        read = self._read_stored if page.is_final else self._read_segments
        for plane in range(self.shape[2] if page.planarconfig != _CONTIGUOUS else 1):
            read(plane, start, stop, into if page.planarconfig == _CONTIGUOUS else into[..., plane : plane + 1])
        if self._inverted:
            np.subtract(np.iinfo(self.dtype).max, into, out=into)
        if self.dtype.kind == "f" and not np.isfinite(into).all():
            raise ValueError("it holds values that are not finite (NaN or infinity)")

    def _read_stored(self, plane: int, start: int, stop: int, into: np.ndarray) -> None:
        height, width, _ = self.shape
        row = width * into.shape[-1] * self._page.dtype.itemsize
        self._file.seek(self._page.dataoffsets[0] + (plane * height + start) * row)
        for part in np.split(into, range(_AT_ONCE, stop - start, _AT_ONCE)):
            data = self._file.read(len(part) * row)
            if len(data) < len(part) * row:
                raise ValueError(f"it ends before its row {stop}")
            part[...] = np.frombuffer(data, self._page.dtype.newbyteorder(self._page.parent.byteorder)).reshape(part.shape)

    def _read_segments(self, plane: int, start: int, stop: int, into: np.ndarray) -> None:
        page = self._page
        height, width, _ = self.shape
        across = -(-width // page.tilewidth) if page.is_tiled else 1
        down = -(-height // self._at_once)
        first = (plane * down + start // self._at_once) * across
        last = (plane * down + -(-stop // self._at_once)) * across
        kept = {}
        for index in range(first, last):
            segment, top, left, shape = self._segment(index)
            bottom, right = min(top + shape[0], stop), min(left + shape[1], width)
            rows = slice(max(top, start) - start, bottom - start)
            into[rows, left:right] = 0 if segment is None else segment[max(start - top, 0) : bottom - top, : right - left]
            if top + shape[0] > stop:  # the next rows begin in it
                kept[index] = (segment, top, left, shape)
        self._kept = {k: v for k, v in self._kept.items() if not first <= k < last} | kept if plane else kept

    def _segment(self, index: int) -> tuple[np.ndarray | None, int, int, tuple[int, int]]:
        """A strip or tile, None where nothing is stored: zeros; its first row and column, and its size."""
        if index in self._kept:
            return self._kept[index]
        page = self._page
        if index >= len(page.dataoffsets) or index >= len(page.databytecounts):
            raise ValueError(f"it has no segment {index}")
        self._file.seek(page.dataoffsets[index])
        count = page.databytecounts[index]
        segment, (_, _, top, left, _), shape = page.decode(self._file.read(count) if count else None, index)
        return None if segment is None else segment[0], top, left, shape[1:3]


def rows_of(file: io.BufferedIOBase) -> TiffRows | None:
    """The rows of an open TIFF file; None where only the whole can be decoded: other compressions and kinds of samples."""
    page = tiff.open_tiff(file).pages.first
    return TiffRows(file, page) if _can_be_read(page) else None


def rows_of_strip(shape: tuple[int, int, int], dtype: np.dtype) -> int:
    """Rows of each strip that `write_strips` takes, but for the last, of a picture (H, W, C)."""
    return min(max(_STRIP // (math.prod(shape[1:]) * dtype.itemsize), 1), shape[0])


def write_strips(
    path: Path, strips: Iterable[np.ndarray], shape: tuple[int, int, int], dtype: np.dtype, icc_profile: bytes | None, orientation: int
) -> None:
    """Write a TIFF file, as `tiff.encode` makes it, from strips that come one after the other.

    Args:
      path: the file.
      strips: (`rows_of_strip`, W, C) each, in memory without gaps; the last has what remains of H.
      shape: (H, W, C).
      dtype: of the pixels.
      icc_profile: the colour profile, or None.
      orientation: 1..8.
    """
    import tifffile

    layout = tiff.layout(shape[-1], math.prod(shape) * dtype.itemsize)
    compressed = map(_compressed, strips)  # which, unlike a loop, holds no strip while the next is made
    with tifffile.TiffWriter(path, bigtiff=layout.pop("bigtiff")) as file:
        stored = shape if shape[-1] > 1 else shape[:2]
        rows = rows_of_strip(shape, dtype)
        file.write(compressed, shape=stored, dtype=dtype, rowsperstrip=rows, **layout, **tiff.tags(icc_profile, orientation))


def _compressed(strip: np.ndarray) -> bytes:
    return zlib.compress(strip, _LEVEL)


def _can_be_read(page: "TiffPage") -> bool:
    if page.photometric not in (0, 1, 2) or page.axes not in ("YX", "YXS", "SYX") or page.samplesperpixel > 4 or page.is_subsampled:
        return False
    if page.dtype not in (np.uint8, np.uint16, np.float16, np.float32, np.float64) or page.bitspersample != 8 * page.dtype.itemsize:
        return False
    plain = page.predictor == _PLAIN or (page.predictor == _DIFFERENCES and page.dtype.kind == "u")
    return page.is_final or (page.compression in (_STORED, _DEFLATE, _OLD_DEFLATE) and plain and page.fillorder == 1)
