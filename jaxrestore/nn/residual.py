"""Residual blocks."""

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import VarianceScaling
from jaxrestore.typing import DType, Image

# A branch that starts small leaves a deep stack close to the identity, which is where a restoration network wants to start.
_small = VarianceScaling(gain=0.2)


class ResidualBlock(nn.Module):
    """x + branch_scale * conv(ReLU(conv(x))), without normalisation (Lim et al. 2017).

    Attributes:
      features: channels.
      branch_scale: factor on the branch.
      kernel_size: side of the windows.
      use_bias: biases in the convolutions.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, features).
    """

    features: int
    branch_scale: float = 1.0
    kernel_size: int = 3
    use_bias: bool = True
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Refine."""
        common = dict(kernel_size=self.kernel_size, use_bias=self.use_bias, dtype=self.dtype, param_dtype=self.param_dtype)
        x = nn.relu(Conv(self.features, name="conv_0", **common)(image))
        x = Conv(self.features, kernel_init=_small, name="conv_1", **common)(x)
        return image + (x if self.branch_scale == 1.0 else self.branch_scale * x)
