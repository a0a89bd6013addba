"""Pictures that are not held whole: TIFF files, read and written a few rows at a time."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from jaxrestore.data.codecs.tiff_rows import TiffRows, rows_of, rows_of_strip
from jaxrestore.data.codecs.tiff_rows import write_strips as write_tiff
from jaxrestore.data.images import MAX_PIXELS, check_size, decoding, kind_of, open_picture, replacing


class PictureRows:
    """A picture in a file, of which one can see what it is and read rows.

    Args:
      path: the file.
      rows: its decoder.

    Attributes:
      shape: (H, W, C), C = 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA.
      dtype: uint8, uint16 or float32.
      icc_profile: the colour profile, or None.
      orientation: the EXIF orientation, 1..8, which the rows still wait for.
      segment: bytes that the file makes its reader decode at once.
    """

    def __init__(self, path: Path, rows: TiffRows) -> None:
        self.path, self._rows = path, rows
        self.shape, self.dtype, self.segment = rows.shape, rows.dtype, rows.segment
        self.icc_profile, self.orientation = rows.icc_profile, rows.orientation

    def read(self, start: int, stop: int, into: np.ndarray) -> None:
        """Decode rows start..stop into an array (stop - start, W, C) of the picture's dtype.

        Raises:
          InputError: the file is damaged.
        """
        with decoding(self.path):
            self._rows.read(start, stop, into)


@contextmanager
def open_rows(path: str | os.PathLike, *, max_pixels: int | float = MAX_PIXELS) -> Iterator[PictureRows | None]:
    """Open a picture for reading rows; None where it can only be decoded whole: no TIFF, or with a compression other than deflate.

    Args:
      path: the file.
      max_pixels: a file whose header promises more is refused.

    Raises:
      InputError: the file is missing, no picture, damaged or too large, as for `read_image`.
    """
    path = Path(path)
    with open_picture(path) as file:
        is_tiff = kind_of(path, file) == "TIFF"
    if not is_tiff:
        yield None
        return
    with path.open("rb") as file:
        with decoding(path):
            rows = rows_of(file)
            if rows is not None:
                check_size(path, rows.shape[1], rows.shape[0], max_pixels)
        yield None if rows is None else PictureRows(path, rows)


def write_bands(path: str | os.PathLike, bands: Iterable[np.ndarray], shape: tuple[int, int, int], like: PictureRows) -> None:
    """Write a TIFF file from rows that come one after the other, whole or not at all.

    Args:
      path: the file; one that exists is replaced. Its folder is made.
      bands: (any number of rows, W, C) each, of the dtype of `like`, from the top.
      shape: (H, W, C) of the whole.
      like: the picture whose dtype, colour profile (where both are grey or both are not) and orientation it gets.

    Raises:
      InputError: the folder cannot be written to, or is full; or what `bands` raises.
    """
    path = Path(path)
    same_kind = (shape[-1] <= 2) == (like.shape[-1] <= 2)
    with replacing(path) as temporary:
        path.parent.mkdir(parents=True, exist_ok=True)
        strips = cut(bands, rows_of_strip(shape, like.dtype))
        write_tiff(temporary, strips, shape, like.dtype, like.icc_profile if same_kind else None, like.orientation)


def cut(bands: Iterable[np.ndarray], rows: int) -> Iterator[np.ndarray]:
    """The same rows in strips of so many rows, in memory without gaps; the last may have fewer.

    Args:
      bands: (any number of rows, ...) each.
      rows: of a strip.
    """
    rest: list[np.ndarray] = []
    held = 0
    for band in bands:
        start = 0
        while held + len(band) - start >= rows:
            stop = start + rows - held
            yield np.ascontiguousarray(np.concatenate([*rest, band[start:stop]]) if rest else band[start:stop])
            rest, held, start = [], 0, stop
        if start < len(band):
            rest.append(band[start:].copy())
            held += len(band) - start
        del band  # before the next is made
    if rest:
        yield np.concatenate(rest)
