"""A dense layer inside each channel: every pixel sees every pixel of its own plane."""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.nn.initialise import Uniform, parameter
from jaxrestore.typing import DType, Image


class ChannelwiseLinear(nn.Module):
    """One matrix for each channel, from its plane to a plane of the same size; channels do not mix.

    Attributes:
      kernel_init: initialiser of the matrices (C, in, out); None is uniform in [-1, 1] / sqrt(H * W), as torch begins a dense layer.
      bias_init: initialiser of the biases; None as for the matrices.
      dtype: computation type; None takes the input's.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, C); height and width are fixed by the parameters: kernel (C, H * W, H * W) from row-major planes to row-major
    planes, bias (C, H * W).

    Reference: Pathak, Krähenbühl, Donahue, Darrell and Efros, "Context Encoders", CVPR 2016, section 3.1.
    """

    kernel_init: Callable | None = None
    bias_init: Callable | None = None
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Multiply each plane."""
        batch, height, width, channels = image.shape
        pixels = height * width
        default = Uniform(pixels**-0.5)
        kernel = parameter(self, "kernel", self.kernel_init or default, (channels, pixels, pixels), self.param_dtype)
        bias = parameter(self, "bias", self.bias_init or default, (channels, pixels), self.param_dtype)
        image, kernel, bias = nn.dtypes.promote_dtype(image, kernel, bias, dtype=self.dtype)
        planes = jnp.einsum("npc,cpq->nqc", image.reshape(batch, pixels, channels), kernel)
        return (planes + bias.T[None]).reshape(image.shape)
