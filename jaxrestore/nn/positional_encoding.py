"""Where a token stands: encodings of positions that are added to a transformer's input."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.nn.initialise import Normal, parameter
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.typing import DType, Image

_LONGEST = 10_000.0  # the wavelengths grow geometrically from 2 pi to this times 2 pi


def sinusoidal(length: int, channels: int) -> np.ndarray:
    """Sines (even channels) and cosines (odd ones) of a position, of ever longer wavelengths.

    Args:
      length: number of positions.
      channels: an even number.

    Returns:
      (length, channels), float32, in [-1, 1]. The encoding of a shifted position is a linear function of the position's.

    Raises:
      InputError: the channels are odd or none, or a negative length.

    Reference: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, section 3.5.
    """
    if channels < 2 or channels % 2:
        raise InputError(f"channels is {channels}: sines and cosines need an even number")
    if length < 0:
        raise InputError(f"length is {length}: it cannot be negative")
    angle = np.arange(length)[:, None] / _LONGEST ** (np.arange(0, channels, 2) / channels)
    return np.stack([np.sin(angle), np.cos(angle)], -1).reshape(length, channels).astype(np.float32)


def sinusoidal_2d(height: int, width: int, channels: int) -> np.ndarray:
    """The same for the pixels of a map: the first half of the channels encodes the row, the second the column.

    Args:
      height: number of rows.
      width: number of columns.
      channels: a multiple of 4.

    Returns:
      (height, width, channels), float32.

    Raises:
      InputError: the channels are no multiple of 4.

    Reference: Carion et al., "End-to-End Object Detection with Transformers", ECCV 2020, appendix A.4 (there in another
    order of channels).
    """
    if channels < 4 or channels % 4:
        raise InputError(f"channels is {channels}: two sides of sines and cosines need a multiple of 4")
    rows, columns = sinusoidal(height, channels // 2)[:, None], sinusoidal(width, channels // 2)[None]
    sides = [np.broadcast_to(side, (height, width, channels // 2)) for side in (rows, columns)]
    return np.concatenate(sides, -1)


class LearnedPositions(nn.Module):
    """x + a learnt vector for each position.

    Attributes:
      size: positions: (length,) for a sequence, (height, width) for a map.
      resize: for a map: another size than `size` takes the vectors interpolated bicubically; otherwise it is an error.
      deviation: standard deviation of the initial values.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, *size, C); a shorter sequence takes the first vectors.

    Raises:
      InputError: the input has other positions than there are vectors.

    Reference: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021, equation 1 and section 3.2 (the interpolation).
    """

    size: tuple[int, ...]
    resize: bool = False
    deviation: float = 0.02
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array | Image) -> jax.Array:
        """Add the vectors."""
        found = x.shape[1:-1]
        if len(found) != len(self.size):
            raise InputError(f"positions have {len(self.size)} sides, {self.size}: the input's shape {x.shape} has {len(found)}")
        table = parameter(self, "positions", Normal(self.deviation), (1, *self.size, x.shape[-1]), self.param_dtype)
        table = jnp.asarray(table, self.dtype or x.dtype)
        if found != self.size:
            if len(found) == 1 and found[0] < self.size[0]:
                table = table[:, : found[0]]
            elif len(found) == 2 and self.resize:
                table = interpolate(table, size=found, method="bicubic")
            else:
                raise InputError(f"there are vectors for {self.size} positions, the input has {found}")
        return x + table
