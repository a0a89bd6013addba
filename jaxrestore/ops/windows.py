"""Windows for attention: an image cut into squares that do not overlap, and shifted so that the next ones straddle their borders."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.symbolic import is_symbolic
from jaxrestore.typing import Image, Side

Windows = Float[Array | np.ndarray, "... _ _ _ _"]
"""(..., windows, size, size, C), the windows in reading order."""


def partition_windows(image: Image, size: int) -> Float[Array, "... _ _ _ _"]:
    """Cut an image into windows.

    Args:
      image: (..., H, W, C), H and W multiples of `size` (`ops.padding.pad_to_multiple`).
      size: side of the windows, in pixels.

    Returns:
      (..., H / size * W / size, size, size, C), the windows in reading order.

    Raises:
      InputError: a side is no multiple of the size.

    Reference: Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows", ICCV 2021, section 3.2.
    """
    *batch, height, width, channels = image.shape
    _check_multiple(height, width, size)
    x = image.reshape(*batch, height // size, size, width // size, size, channels)
    return jnp.swapaxes(x, -4, -3).reshape(*batch, -1, size, size, channels)


def merge_windows(windows: Windows, image_size: tuple[Side, Side]) -> Float[Array, "... _ _ _"]:
    """The exact inverse of `partition_windows`.

    Args:
      windows: (..., windows, size, size, C).
      image_size: (H, W) of the image.

    Raises:
      InputError: an image of that size has not so many windows.
    """
    *batch, count, size, width, channels = windows.shape
    _check_multiple(*image_size, size)
    rows, columns = image_size[0] // size, image_size[1] // size
    if (count, width) != (rows * columns, size):
        raise InputError(f"windows of shape {windows.shape} do not make an image of {image_size[0]}x{image_size[1]}")
    x = windows.reshape(*batch, rows, columns, size, size, channels)
    return jnp.swapaxes(x, -4, -3).reshape(*batch, *image_size, channels)


def cyclic_shift(image: Image, shift: int) -> Float[Array, "... _ _ _"]:
    """Move an image up and left by `shift` pixels; what leaves comes in on the other side. The negative shift is the inverse."""
    return jnp.roll(jnp.asarray(image), (-shift, -shift), (-3, -2))


def shift_mask(height: Side, width: Side, size: int, shift: int) -> Bool[Array | np.ndarray, "_ _ _"]:
    """Which pixels of a window were near each other before `cyclic_shift`.

    Args:
      height: rows of the image, a multiple of `size`.
      width: columns of the image, a multiple of `size`.
      size: side of the windows, in pixels.
      shift: pixels of the shift, 0 to size - 1.

    Returns:
      (windows, size * size, size * size): True where the one may attend to the other: neither or both of them came in from the other side.
      It has the form that `jax.nn.dot_product_attention` takes as a mask for each window.

    Raises:
      InputError: a side is no multiple of the size, or the shift is out of its range.

    Reference: Liu et al., "Swin Transformer", ICCV 2021, section 3.2, figure 4.
    """
    _check_multiple(height, width, size)
    check_range("shift", shift, low=0, high=size - 1)
    arange = jnp.arange if is_symbolic(height, width) else np.arange
    below, right = arange(height) >= height - shift, arange(width) >= width - shift
    origin = 2 * below[:, None] + right[None]
    squares = origin.reshape(height // size, size, width // size, size).swapaxes(1, 2).reshape(-1, size * size)
    return squares[:, :, None] == squares[:, None, :]


def _check_multiple(height: Side, width: Side, size: int) -> None:
    check_range("size", size, low=1)
    if height % size or width % size:
        raise InputError(f"image is {height}x{width}: both sides must be multiples of the window's {size}; pad it first")
