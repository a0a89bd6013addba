"""Pictures through a function of images: their transparency follows, the profile and EXIF stay."""

from collections.abc import Callable, Sequence

import numpy as np

from jaxrestore.data.images import Picture, from_float, to_float
from jaxrestore.ops.resize import imresize


def replace_color(picture: Picture, color: np.ndarray) -> Picture:
    """The picture with other colours, which may have another size: then the transparency is resized to it by bicubic interpolation.

    Args:
      picture: the picture that the colours were made from.
      color: (H', W', 1 or 3), in the type of the picture's pixels.
    """
    alpha = picture.alpha
    if alpha is None or alpha.shape[:2] == color.shape[:2]:
        return picture.with_color(color)
    resized = imresize(to_float(alpha), size=color.shape[:2])
    return picture.with_color(color, from_float(np.asarray(resized), alpha.dtype))


def restore_alphas(restore: Callable[[np.ndarray], np.ndarray], scale: int, pictures: Sequence[Picture]) -> list[np.ndarray | None]:
    """The transparency that belongs to restored pictures.

    Where the picture keeps its size, so does every bit of its transparency: that is drawn, not photographed, and has neither noise nor blur
    to take away. Where the picture is enlarged, its transparency is enlarged by the same network or method, as a grey image, so that the
    edges of both stay together and equally sharp. What is flat stays exactly what it is (an opaque picture must not become translucent
    because a network gives 0.998 for 1): a pixel whose eight neighbours equal it gives a block of its own value.

    Args:
      restore: from images (N, H, W, 1) to their enlargements, of the same type.
      scale: the enlargement.
      pictures: of one size, type and number of channels.

    Returns:
      (H', W', 1) for each picture, or None where it has no transparency.
    """
    if pictures[0].alpha is None or scale == 1:
        return [picture.alpha for picture in pictures]
    alphas = np.stack([picture.alpha for picture in pictures])
    kept, flat = in_blocks(alphas, scale), in_blocks(is_flat(alphas), scale)
    return list(kept if flat.all() else np.where(flat, kept, restore(alphas)))


def in_blocks(images: np.ndarray, scale: int) -> np.ndarray:
    """Images (N, H, W, C) with a block of scale x scale pixels for each pixel."""
    return images.repeat(scale, axis=1).repeat(scale, axis=2)


def is_flat(images: np.ndarray) -> np.ndarray:
    """Where a pixel equals all its neighbours."""
    height, width = images.shape[1:3]
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    flat = np.ones(images.shape, bool)
    for row in range(3):
        for column in range(3):
            flat &= padded[:, row : row + height, column : column + width] == images
    return flat
