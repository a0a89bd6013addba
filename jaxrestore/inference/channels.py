"""Networks of one or of three channels on images of three or of one."""

from collections.abc import Callable

import jax
import numpy as np

from jaxrestore.data.images import to_float


def with_channels(run: Callable[[np.ndarray], jax.Array], images: np.ndarray, channels: int) -> np.ndarray:
    """Restore images that may have other channels than a network: a network for grey restores each channel on its own; one for colour gets
    a grey image in all its channels, and what it makes of them is averaged.

    Args:
      run: the network: (M, H, W, channels) in float32 to the same, or enlarged.
      images: (N, H, W, C), uint8, uint16 or floating point.
      channels: the network's.

    Returns:
      (N, H', W', C) in float32.
    """
    count, height, width, given = images.shape
    x = to_float(images)
    if channels == 1:
        x = np.moveaxis(x, -1, 1).reshape(count * given, height, width, 1)
    elif given == 1:
        x = np.repeat(x, channels, axis=-1)
    y = np.asarray(run(x), np.float32)
    if channels == 1:
        return np.moveaxis(y.reshape(count, given, *y.shape[1:3]), 1, -1)
    if given != 1:
        return y
    first = y[..., :1]  # the mean of equal numbers is that number, to the last bit
    return first + (y - first).mean(axis=-1, keepdims=True)
