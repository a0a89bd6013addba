"""Depthwise-separable convolutions: one window a channel, then a mixture of the channels at each pixel."""

from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv, Pair
from jaxrestore.nn.initialise import FanUniform, he_normal, torch_default, zeros
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.typing import DType, Image


class DepthwiseSeparable(nn.Module):
    """A depthwise convolution and a 1x1 convolution: about 1 / kernel_size**2 of a convolution's arithmetic.

    Attributes:
      features: output channels.
      kernel_size: side of the depthwise windows.
      strides: step between them.
      dilation: step between their taps.
      use_bias: biases in both convolutions.
      activation: between the two; None for none.
      kernel_init: initialiser of both kernels.
      bias_init: initialiser of the biases.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, H', W', features), the size that of a convolution with such windows.

    Reference: Howard et al., "MobileNets", 2017, section 3.1.
    """

    features: int
    kernel_size: Pair = 3
    strides: Pair = 1
    dilation: Pair = 1
    use_bias: bool = True
    activation: Callable | None = None
    kernel_init: Callable = he_normal
    bias_init: Callable | FanUniform = zeros
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> jax.Array:
        """Convolve."""
        conv = partial(
            Conv,
            use_bias=self.use_bias,
            kernel_init=self.kernel_init,
            bias_init=self.bias_init,
            dtype=self.dtype,
            param_dtype=self.param_dtype,
        )
        channels = image.shape[-1]
        x = conv(channels, self.kernel_size, self.strides, dilation=self.dilation, groups=channels, name="depthwise")(image)
        return conv(self.features, 1, name="pointwise")(x if self.activation is None else self.activation(x))


class DepthwiseSeparableBlock(nn.Module):
    """image + norm(separable(ReLU(norm(separable(image))))), without biases: DeepDeblur's block for small devices.

    Attributes:
      features: channels.
      kernel_size: side of the depthwise windows.
      norm: batch normalisation after each separable convolution.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, features).

    Reference: SeungjunNah/DeepDeblur-PyTorch, `ResBlock_mobile`.
    """

    features: int
    kernel_size: int = 5
    norm: bool = True
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """Refine."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        x = image
        for i in range(2):
            options = dict(use_bias=False, kernel_init=torch_default, **types)
            x = DepthwiseSeparable(self.features, self.kernel_size, **options, name=f"conv_{i}")(x)
            x = BatchNorm(**types, name=f"norm_{i}")(x, train) if self.norm else x
            x = nn.relu(x) if i == 0 else x
        return image + x
