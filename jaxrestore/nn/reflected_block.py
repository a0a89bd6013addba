"""The residual block of image translation."""

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import FanUniform, Normal
from jaxrestore.nn.norm import InstanceNorm
from jaxrestore.typing import DType, Image


class ReflectedBlock(nn.Module):
    """x + norm(conv(relu(norm(conv(x))))) with instance normalisation and mirrored borders.

    Attributes:
      features: channels.
      dilation: step between the taps of the first convolution.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, features).
    """

    features: int
    dilation: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, x: Image) -> Image:
        """Refine."""
        options = dict(
            padding_mode="reflect", kernel_init=Normal(0.02), bias_init=FanUniform(), dtype=self.dtype, param_dtype=self.param_dtype
        )
        branch = Conv(self.features, dilation=self.dilation, **options, name="conv_0")(x)
        branch = nn.relu(InstanceNorm(dtype=self.dtype, name="norm_0")(branch))
        return x + InstanceNorm(dtype=self.dtype, name="norm_1")(Conv(self.features, **options, name="conv_1")(branch))
