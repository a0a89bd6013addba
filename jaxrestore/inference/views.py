"""Images of which only the asked-for part is ever in memory: tiles are cut from them as from arrays."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from jaxrestore.data.images import to_float
from jaxrestore.data.strips import PictureRows
from jaxrestore.ops.resize import imresize

# Pixels on each side that bicubic enlargement looks at, and one for where the part's own pixels begin.
_MARGIN = 3


class View(ABC):
    """Images (N, H, W, C) that are made when they are sliced.

    Attributes:
      shape: (N, H, W, C).
      dtype: of the pixels.
    """

    shape: tuple[int, int, int, int]
    dtype: np.dtype

    def __getitem__(self, where: slice | tuple[slice, ...]) -> np.ndarray:
        """A part: which images, rows and columns; all of what is not said."""
        given = where if isinstance(where, tuple) else (where,)
        ranges = [slice(*s.indices(size)[:2]) for s, size in zip((*given, *[slice(None)] * (3 - len(given))), self.shape[:3], strict=True)]
        return self._part(*ranges)

    @abstractmethod
    def _part(self, which: slice, rows: slice, columns: slice) -> np.ndarray: ...


Images = np.ndarray | View


class Transformed(View):
    """Images after a function of their pixels.

    Args:
      images: (N, H, W, C), of any type.
      function: (N, h, w, C) in float32 to (N, h, w, channels) in float32, each pixel on its own.
      channels: what it makes.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, images: Images, function: Callable[[np.ndarray], np.ndarray], channels: int) -> None:
        self._images, self._function = images, function
        self.shape = (*images.shape[:3], channels)

    def _part(self, which: slice, rows: slice, columns: slice) -> np.ndarray:
        return self._function(to_float(self._images[which, rows, columns]))


class Enlarged(View):
    """Images enlarged by MATLAB's bicubic `imresize`.

    Args:
      images: (N, H, W, C), of any type.
      scale: a whole number.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, images: Images, scale: int) -> None:
        self._images, self._scale = images, scale
        count, height, width, channels = images.shape
        self.shape = (count, height * scale, width * scale, channels)

    def _part(self, which: slice, rows: slice, columns: slice) -> np.ndarray:
        sources = [_source(s, size, self._scale) for s, size in zip((rows, columns), self._images.shape[1:3], strict=True)]
        enlarged = imresize(to_float(self._images[which, *sources]), self._scale)
        inside = (
            slice(s.start - self._scale * source.start, s.stop - self._scale * source.start)
            for s, source in zip((rows, columns), sources, strict=True)
        )
        return np.asarray(enlarged)[:, *inside]


def _source(wanted: slice, size: int, scale: int) -> slice:
    """What an enlarged part is made from: as many pixels for every part of one size, so that it is compiled once."""
    needed = min(-(-(wanted.stop - wanted.start) // scale) + 1 + 2 * _MARGIN, size)
    start = min(max(wanted.start // scale - _MARGIN, 0), size - needed)
    return slice(start, start + needed)


class RowsOfPicture(View):
    """One picture in a file, of which the rows of one band are in memory.

    Args:
      picture: the open file.
      channels: which of its channels.
    """

    def __init__(self, picture: PictureRows, channels: slice) -> None:
        self._picture, self._channels = picture, channels
        height, width, stored = picture.shape
        self.shape = (1, height, width, len(range(stored)[channels]))
        self.dtype = picture.dtype
        self._band = np.empty((0, width, stored), picture.dtype)
        self._start = self._stop = 0

    def _part(self, which: slice, rows: slice, columns: slice) -> np.ndarray:
        if not self._start <= rows.start <= rows.stop <= self._stop:
            self._load(rows.start, rows.stop)
        return self._band[None, rows.start - self._start : rows.stop - self._start, columns, self._channels]

    def _load(self, start: int, stop: int) -> None:
        kept = max(self._stop - start, 0) if self._start <= start else 0
        overlap = self._band[start - self._start : self._stop - self._start] if kept else self._band[:0]
        if len(self._band) < stop - start:
            larger = np.empty((stop - start, *self._band.shape[1:]), self._band.dtype)
            larger[:kept] = overlap
            self._band = larger
        else:
            self._band[:kept] = overlap
        self._start = self._stop = start  # nothing is there if reading fails
        self._picture.read(start + kept, stop, self._band[kept : stop - start])
        self._start, self._stop = start, stop
