"""Pixels that are hidden from a network, which then learns to restore them from what is around them: self-supervised denoising.

A network that never sees a pixel cannot learn its noise; where noise is independent from pixel to pixel, what it learns from the noisy
values themselves is the clean image.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.filtering import filter_2d
from jaxrestore.typing import Image, Key

Spots = Bool[Array | np.ndarray, "... _ _ _"]
"""(..., H, W, C), or (H, W, 1) for all images and channels: True where a pixel is hidden."""

_AROUND = np.array([[0.5, 1.0, 0.5], [1.0, 0.0, 1.0], [0.5, 1.0, 0.5]], np.float32) / 6.0


def stratified_spots(key: Key, shape: tuple[int, ...], share: float = 0.00198) -> Bool[Array, "... _ _ _"]:
    """One random pixel of every box: hidden pixels that are random and yet never far apart nor many together.

    Args:
      key: of `jax.random.key`.
      shape: (..., H, W, C) of the images.
      share: of the pixels, in (0, 1]: boxes have sqrt(1 / share) pixels a side, rounded. A box that reaches over the border hides nothing
        where its pixel lies outside.

    Returns:
      (..., H, W, C), drawn for every channel.

    Raises:
      InputError: share is not in (0, 1].

    Reference: Krull, Buchholz and Jug, "Noise2Void", CVPR 2019, section 3.4, and the authors' code, whose default is 0.00198 (8 pixels of
      a 64x64 patch).
    """
    check_range("share", share, low=0, high=1, open_low=True)
    *batch, height, width, channels = shape
    side = round((1.0 / share) ** 0.5)
    down, right = -(-height // side), -(-width // side)
    chosen = jax.random.randint(key, (*batch, down, right, channels, 2), 0, side)
    chosen = jnp.repeat(jnp.repeat(chosen, side, -4), side, -3)[..., :height, :width, :, :]
    rows, columns = np.arange(height) % side, np.arange(width) % side
    grid = np.stack(np.broadcast_arrays(rows[:, None, None], columns[None, :, None]), -1)
    return jnp.all(chosen == grid.reshape((1,) * len(batch) + grid.shape), -1)


def random_neighbors(key: Key, image: Image, radius: int = 5, centre: bool = True) -> Float[Array, "... _ _ _"]:
    """For every pixel the value of one around it, all that are within `radius` rows and columns and inside the image equally likely.

    Args:
      key: of `jax.random.key`.
      image: (..., H, W, C).
      radius: at least 1.
      centre: whether the pixel itself may be drawn too.

    Returns:
      (..., H, W, C), drawn for every channel.

    Raises:
      InputError: radius is below 1, or an image of a single pixel without its centre.

    Reference: Krull, Buchholz and Jug, "Noise2Void", CVPR 2019, section 3.4; "uniform_withCP" and "uniform_withoutCP" of the authors' code.
    """
    check_range("radius", radius, low=1)
    *_, height, width, _ = image.shape
    if height * width == 1 and not centre:
        raise InputError("an image of 1x1 has no neighbours")
    image = jnp.asarray(image)
    top, left = (np.maximum(np.arange(n) - radius, 0) for n in (height, width))
    rows, columns = (np.minimum(np.arange(n) + radius + 1, n) - first for n, first in ((height, top), (width, left)))
    own = (np.arange(height) - top)[:, None] * columns + (np.arange(width) - left)  # a pixel's own place in its window
    count = rows[:, None] * columns - (0 if centre else 1)
    ahead = (1,) * (image.ndim - 3)
    as_map = lambda x: np.broadcast_to(x, (height, width)).reshape(*ahead, height, width, 1)  # noqa: E731
    place = jax.random.randint(key, image.shape, 0, as_map(count))
    place = place if centre else place + (place >= as_map(own))
    row = as_map(top[:, None]) + place // as_map(columns)
    column = as_map(left) + place % as_map(columns)
    flat = image.reshape(*image.shape[:-3], height * width, image.shape[-1])
    drawn = jnp.take_along_axis(flat, (row * width + column).reshape(flat.shape), -2)
    return drawn.reshape(image.shape)


def grid_spots(size: tuple[int, int], width: int, phase: int | Array) -> Bool[Array, "_ _ 1"]:
    """Every `width`-th pixel of every `width`-th row.

    Args:
      size: (H, W).
      width: distance between hidden pixels, at least 2.
      phase: which of the width**2 grids, in reading order of the transposed cell: the first row is phase % width, the first column
        phase // width % width. It may be traced.

    Returns:
      (H, W, 1).

    Raises:
      InputError: width is below 2.

    Reference: Batson and Royer, "Noise2Self", ICML 2019, section 4, and the authors' code.
    """
    check_range("width", width, low=2)
    rows, columns = np.arange(size[0]) % width, np.arange(size[1]) % width
    return jnp.asarray((rows[:, None] == phase % width) & (columns[None, :] == phase // width % width))[..., None]


def hide(image: Image, spots: Spots, interpolate: bool = True) -> Float[Array, "... _ _ _"]:
    """An image without what the hidden pixels hold.

    Args:
      image: (..., H, W, C).
      spots: (..., H, W, C) or (H, W, 1); no two of them may be neighbours, or each sees the other.
      interpolate: put the mean of the eight pixels around in their place, those beside and above with twice the weight of the diagonal
        ones, and zero beyond the border; otherwise zero.

    Reference: Batson and Royer, "Noise2Self", ICML 2019, and the authors' code.
    """
    image = jnp.asarray(image)
    around = filter_2d(image, _AROUND, "zeros").astype(image.dtype) if interpolate else 0.0
    return jnp.where(spots.reshape((1,) * (image.ndim - spots.ndim) + spots.shape), around, image)


def restore_hidden(restore: Callable[[Image], Image], image: Image, width: int = 4, interpolate: bool = True) -> Float[Array, "... _ _ _"]:
    """Restore every pixel from all others: once for each grid, and of each result the pixels that were hidden.

    Args:
      restore: takes and gives (..., H, W, C).
      image: (..., H, W, C).
      width: as for `grid_spots`; `restore` is called width**2 times.
      interpolate: as for `hide`.

    Returns:
      (..., H, W, C), in which no pixel depends on the same pixel of the image.

    Reference: Batson and Royer, "Noise2Self", ICML 2019, section 3.1.
    """
    result = jnp.zeros_like(jnp.asarray(image))
    for phase in range(width**2):
        spots = grid_spots(image.shape[-3:-1], width, phase)
        restored = restore(hide(image, spots, interpolate))
        result = jnp.where(spots.reshape((1,) * (result.ndim - 3) + spots.shape), restored, result)
    return result
