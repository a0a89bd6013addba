"""A few equal crops of a folder's pictures, from which something about a network is learned."""

from os import PathLike

import numpy as np

from jaxrestore.data.images import find_images, read_image, to_float
from jaxrestore.data.sources import convert

SIDE, MOST = 128, 16


def samples(folder: str | PathLike, channels: int, color: str = "gray", *, side: int = SIDE, most: int = MOST) -> np.ndarray:
    """The centres of a folder's pictures.

    Args:
      folder: with picture files; its subfolders are not searched.
      channels: 1 or 3.
      color: what RGB becomes in one channel, "gray" or "luma".
      side: largest side of a crop; all are as small as the smallest picture.
      most: number of pictures; of more, this many at equal distances in the order of their names.

    Returns:
      (N, H, W, channels), float32 with white = 1.

    Raises:
      InputError: no such folder, no picture in it, or one that cannot be read.
    """
    paths = find_images(folder)
    chosen = [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, min(most, len(paths))).round().astype(int))]
    pictures = [to_float(convert(read_image(path).color, channels, 8, color)) for path in chosen]
    height, width = (min(side, *(picture.shape[axis] for picture in pictures)) for axis in (0, 1))
    return np.stack([centre(picture, height, width) for picture in pictures])


def centre(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """The middle of a picture (H, W, C)."""
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return picture[top : top + height, left : left + width]
