"""The camera of super-resolution as a linear map: MATLAB's antialiased bicubic shrinking, and its exact adjoint."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.ops.resize import resize_taps
from jaxrestore.typing import Image


class Shrinking(NamedTuple):
    """`imresize(image, 1 / scale)` of images whose sides are multiples of the scale.

    Attributes:
      rows: (h, H) matrix over the rows.
      columns: (w, W) matrix over the columns.
    """

    rows: np.ndarray
    columns: np.ndarray

    def __call__(self, image: Image) -> jax.Array:
        """(..., H, W, C) -> (..., h, w, C)."""
        return self._product("hH,wW,...HWc->...hwc", image)

    def adjoint(self, image: Image) -> jax.Array:
        """(..., h, w, C) -> (..., H, W, C)."""
        return self._product("hH,wW,...hwc->...HWc", image)

    @property
    def norm(self) -> float:
        """The largest factor by which it changes an image's length."""
        return float(np.linalg.norm(self.rows, 2) * np.linalg.norm(self.columns, 2))

    def _product(self, indices: str, image: Image) -> jax.Array:
        rows, columns = (jnp.asarray(matrix, image.dtype) for matrix in self)
        return jnp.einsum(indices, rows, columns, image, precision="highest")


def shrinking(height: int, width: int, scale: int) -> Shrinking:
    """The map that took an image of (scale height) x (scale width) to height x width."""
    return Shrinking(*(resize_taps(scale * side, side, 1.0 / scale).matrix(scale * side) for side in (height, width)))
