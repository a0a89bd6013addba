"""Bicubic enlargement as TensorFlow 1 did it: the one network of the field that was trained with it expects exactly this."""

import jax.numpy as jnp
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.typing import Image


def legacy_bicubic(image: Image, scale: int) -> Image:
    """Enlarge by a whole number with Keys' kernel (a = -0.75), pixel 0 staying at 0 and the last pixel repeated.

    Args:
      image: (..., H, W, C), any range.
      scale: enlargement, at least 1.

    Returns:
      (..., scale * H, scale * W, C). Pixel k is interpolated at k / scale: the image is shifted against every other enlargement by
      (scale - 1) / 2 pixels.

    Raises:
      InputError: the scale is below 1.

    Reference: `tf.image.resize_bicubic` of TensorFlow 1 with align_corners=False.
    """
    if scale < 1:
        raise InputError(f"scale is {scale}: it must be at least 1")
    taps = np.stack([_keys(np.arange(-1, 3) - phase / scale) for phase in range(scale)]).astype(image.dtype)
    for axis in (-3, -2):
        x = jnp.moveaxis(jnp.asarray(image), axis, -1)
        padded = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(1, 2)], "edge")
        windows = jnp.stack([padded[..., k : k + x.shape[-1]] for k in range(4)], -1)
        image = jnp.moveaxis((windows @ taps.T).reshape(*x.shape[:-1], -1), -1, axis)
    return image


def _keys(distance: np.ndarray, a: float = -0.75) -> np.ndarray:
    d = np.abs(distance)
    near = (a + 2) * d**3 - (a + 3) * d**2 + 1
    far = a * (d**3 - 5 * d**2 + 8 * d - 4)
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))
