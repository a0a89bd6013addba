"""A matrix product over the channels."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.affine import add_bias, kernel_and_bias
from jaxrestore.nn.initialise import FanUniform, he_normal, zeros
from jaxrestore.typing import DType


class Linear(nn.Module):
    """x W + b over the last axis.

    Attributes:
      features: output channels.
      use_bias: whether a bias is added.
      kernel_init: initialiser of the matrix.
      bias_init: initialiser of the bias.
      dtype: computation type; None takes the input's.
      param_dtype: type of the parameters.

    Takes (..., C), gives (..., features).
    """

    features: int
    use_bias: bool = True
    kernel_init: Callable = he_normal
    bias_init: Callable | FanUniform = zeros
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Multiply."""
        shape = (x.shape[-1], self.features)
        x, kernel, bias = kernel_and_bias(self, x, shape)
        return add_bias(x @ kernel, bias)
