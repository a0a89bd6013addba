"""The rectifier whose slope below zero is learnt."""

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.nn.initialise import Constant, parameter
from jaxrestore.typing import DType, Image

_quarter = Constant(0.25)


class PReLU(nn.Module):
    """max(x, 0) + slope * min(x, 0).

    Attributes:
      shared: one slope for all channels instead of one for each.
      param_dtype: type of the slopes.

    Takes and gives (..., C). Slopes begin at 0.25.

    Reference: He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", ICCV 2015, equation 1.
    """

    shared: bool = False
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, x: Image) -> Image:
        """Rectify."""
        slope = parameter(self, "slope", _quarter, (1 if self.shared else x.shape[-1],), self.param_dtype)
        slope = jnp.asarray(slope, x.dtype).reshape((1,) * (x.ndim - 1) + (-1,))
        return jnp.where(x >= 0, x, slope * x)
