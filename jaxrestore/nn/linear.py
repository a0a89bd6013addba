"""A matrix product over the channels."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.initialise import FanUniform, bias_initialiser, he_normal, parameter, zeros
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
        kernel = parameter(self, "kernel", self.kernel_init, shape, self.param_dtype)
        bias_init = bias_initialiser(self.bias_init, shape)
        bias = parameter(self, "bias", bias_init, (self.features,), self.param_dtype) if self.use_bias else None
        x, kernel, bias = nn.dtypes.promote_dtype(x, kernel, bias, dtype=self.dtype)
        result = x @ kernel
        return result if bias is None else result + bias.reshape((1,) * (x.ndim - 1) + (-1,))
