"""Large TIFF files, restored from file to file a few rows at a time: neither the picture nor its result is ever held whole."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from jaxrestore.data.images import MAX_PIXELS, from_float
from jaxrestore.data.strips import PictureRows, cut, open_rows, write_bands
from jaxrestore.inference.memory import give_back_large_buffers
from jaxrestore.inference.network import Network
from jaxrestore.inference.pictures import in_blocks, is_flat
from jaxrestore.inference.restorer import Restorer
from jaxrestore.inference.super_resolution import Enlarger
from jaxrestore.inference.views import RowsOfPicture

# A picture is restored in strips where it and its result are larger than this share of what the computation may use.
_SHARE = 0.25
# A file that makes its reader decode more than this share at once is not read in strips.
_SEGMENT_SHARE = 0.125
_SUFFIXES = (".tif", ".tiff")
_ROWS = 64


def restore_in_strips(restorer: Restorer, source: Path, target: Path, *, max_pixels: int | float = MAX_PIXELS, **inputs: Any) -> bool:
    """Restore a TIFF file to a TIFF file without holding either whole, if that is possible and worth it.

    The pixels are those that `Restorer.restore_picture` gives. Not possible: classical methods, networks that take a mask, averages over
    turned images, `tile="off"`, and files that only decode whole (compressions other than deflate, one strip for the whole picture).

    Args:
      restorer: a network.
      source: the picture.
      target: where its result goes; an existing file is replaced.
      max_pixels: a larger picture is refused.
      **inputs: as for `Restorer.restore_picture`.

    Returns:
      Whether it was done.

    Raises:
      InputError: as for `read_image`, the restorer and `write_image`.
    """
    engine = restorer.engine
    if restorer.ensemble or not isinstance(engine, Network | Enlarger) or target.suffix.lower() not in _SUFFIXES:
        return False
    with open_rows(source, max_pixels=max_pixels) as picture:
        if picture is None or not _is_worth_it(picture, restorer.scale, engine):
            return False
        give_back_large_buffers()
        height, width, channels = picture.shape
        scale = restorer.scale
        color = _bands(engine, RowsOfPicture(picture, slice(0, 1 if channels <= 2 else 3)), **inputs)
        if channels in (2, 4):
            both = zip(cut(color, scale * _ROWS), _alpha(engine, picture, scale, **inputs), strict=True)
            color = (np.concatenate(bands, axis=-1) for bands in both)
        write_bands(target, color, (height * scale, width * scale, channels), picture)
    return True


def _is_worth_it(picture: PictureRows, scale: int, engine: Network | Enlarger) -> bool:
    network = engine.network if isinstance(engine, Enlarger) else engine
    pixels = math.prod(picture.shape) * (1 + scale**2) * picture.dtype.itemsize
    return network.tile != "off" and pixels > _SHARE * network.budget and picture.segment <= _SEGMENT_SHARE * network.budget


def _bands(engine: Network | Enlarger, image: RowsOfPicture, **inputs: Any) -> Iterator[np.ndarray]:
    """The result in whole rows: (rows, W, C) in the picture's type, from the top."""
    width = image.shape[2] * engine.scale
    band = None
    for where, restored in engine.pieces(image, **inputs):
        columns = slice(*(where[2] if len(where) == 3 else slice(None)).indices(width)[:2])
        if band is None:
            band = np.empty((restored.shape[1], width, restored.shape[3]), image.dtype)
        band[:, columns] = from_float(restored[0], image.dtype)
        del restored  # before the next tile is computed
        if columns.stop == width:  # tiles come in reading order
            yield band
            band = None


def _alpha(engine: Network | Enlarger, picture: PictureRows, scale: int, **inputs: Any) -> Iterator[np.ndarray]:
    """The transparency of the result, as `pictures.restore_alphas` makes it, `_ROWS` rows of the picture at a time."""
    height, _, channels = picture.shape
    stored = RowsOfPicture(picture, slice(channels - 1, channels))
    restored = cut(_bands(engine, RowsOfPicture(picture, slice(channels - 1, channels)), **inputs), scale * _ROWS) if scale > 1 else None
    for start in range(0, height, _ROWS):
        stop = min(start + _ROWS, height)
        above = min(start, 1)
        around = stored[:, start - above : min(stop + 1, height)]
        inside = slice(above, above + stop - start)
        if restored is None:
            yield around[0, inside]
        else:
            flat, kept = (in_blocks(x[:, inside], scale)[0] for x in (is_flat(around), around))
            yield np.where(flat, kept, next(restored))
