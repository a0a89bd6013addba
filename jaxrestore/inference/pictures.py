"""Pictures through a function of images: their transparency follows, the profile and EXIF stay."""

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
