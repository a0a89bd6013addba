"""Gated convolution: a convolution that learns, at every place and for every channel, how much of itself counts."""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv, Pair
from jaxrestore.nn.initialise import glorot_uniform
from jaxrestore.typing import DType, Image


class GatedConv(nn.Module):
    """activation(a) * sigmoid(b), where a and b are the two halves of one convolution's channels.

    Attributes:
      features: channels of the result; the convolution has twice as many.
      kernel_size: side of the window.
      strides: step between windows.
      dilation: step between the taps of a window.
      activation: of the half that is let through.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, ceil(H / strides), ceil(W / strides), features); padded as TensorFlow does.

    Reference: Yu et al., "Free-Form Image Inpainting with Gated Convolution", ICCV 2019, section 3.2.
    """

    features: int
    kernel_size: Pair = 3
    strides: Pair = 1
    dilation: Pair = 1
    activation: Callable = nn.elu
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Convolve and gate."""
        x = Conv(
            2 * self.features,
            self.kernel_size,
            self.strides,
            padding="same",
            dilation=self.dilation,
            kernel_init=glorot_uniform,
            dtype=self.dtype,
            param_dtype=self.param_dtype,
            name="conv",
        )(image)
        return self.activation(x[..., : self.features]) * nn.sigmoid(x[..., self.features :])
