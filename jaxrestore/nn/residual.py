"""Residual blocks."""

from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import FanUniform, he_normal, zeros
from jaxrestore.typing import DType, Image


class ResidualBlock(nn.Module):
    """x + branch_scale * conv(activation(conv(x))), without normalisation (Lim et al. 2017).

    Attributes:
      features: channels.
      inner: channels between the convolutions; None for as many as outside.
      branch_scale: factor on the branch.
      inner: channels between the convolutions; None for as many as outside.
      kernel_size: side of the windows.
      use_bias: biases in the convolutions.
      activation: between the convolutions.
      kernel_init: initialiser of the kernels.
      last_init: of the second kernel, where it differs.
      bias_init: initialiser of the biases.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, features).
    """

    features: int
    branch_scale: float = 1.0
    kernel_size: int = 3
    use_bias: bool = True
    activation: Callable = nn.relu
    kernel_init: Callable = he_normal
    last_init: Callable | None = None
    bias_init: Callable | FanUniform = zeros
    inner: int | None = None
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Refine."""
        conv = partial(
            Conv,
            kernel_size=self.kernel_size,
            use_bias=self.use_bias,
            bias_init=self.bias_init,
            dtype=self.dtype,
            param_dtype=self.param_dtype,
        )
        x = self.activation(conv(self.inner or self.features, kernel_init=self.kernel_init, name="conv_0")(image))
        x = conv(self.features, kernel_init=self.last_init or self.kernel_init, name="conv_1")(x)
        return image + (x if self.branch_scale == 1.0 else self.branch_scale * x)
