"""Parts of the classifiers that adversarial training plays against: VGG-like stacks and their dense heads."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.linear import Linear
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.typing import DType, Image


class ConvStack(nn.Module):
    """Convolution, batch normalisation, leaky ReLU, again and again; the first layer has a bias instead of a normalisation.

    Attributes:
      layers: (features, kernel_size, stride) of each convolution, padded by (kernel_size - 1) // 2.
      slope: of the leaky ReLU below zero.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, H', W', features of the last layer).
    """

    layers: tuple[tuple[int, int, int], ...]
    slope: float = 0.2
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, x: Image, train: bool = False) -> Image:
        """Look."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        for i, (features, window, stride) in enumerate(self.layers):
            x = Conv(features, window, stride, use_bias=i == 0, **TORCH_INIT, **types, name=f"conv_{i}")(x)
            x = x if i == 0 else BatchNorm(**types, name=f"norm_{i}")(x, train)
            x = nn.leaky_relu(x, self.slope)
        return x


class Head(nn.Module):
    """Two dense layers on all features of an image.

    Attributes:
      features: width of the hidden layer.
      slope: of the leaky ReLU between the layers.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, 1) logits. The first matrix's rows are in torch's order: channel, row, column.
    """

    features: int
    slope: float = 0.2
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, x: Image) -> jax.Array:
        """Judge."""
        linear = partial(Linear, **TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        x = jnp.moveaxis(x, -1, 1).reshape(x.shape[0], -1)
        x = nn.leaky_relu(linear(self.features, name="dense_0")(x), self.slope)
        return linear(1, name="dense_1")(x)
