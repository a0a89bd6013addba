"""The kernel and the bias of a layer: what convolutions and matrix products have in common."""

from typing import Any

import flax.linen as nn
import jax

from jaxrestore.nn.initialise import bias_initialiser, parameter
from jaxrestore.typing import ArrayLike


def kernel_and_bias(layer: Any, x: ArrayLike, shape: tuple[int, ...], name: str = "kernel") -> tuple:
    """The parameters of a layer, made with its own initialisers.

    Args:
      layer: has the fields `kernel_init`, `bias_init`, `use_bias`, `dtype` and `param_dtype` of `nn.conv.Conv`.
      x: what the layer is applied to.
      shape: of the kernel, (..., in, out).
      name: of the kernel: "kernel", or "kernel_transposed" where torch counts the fan over the output channels.

    Returns:
      (x, kernel, bias) in the type in which the layer computes; the bias, (out,), is None where the layer has none.
    """
    kernel = parameter(layer, name, layer.kernel_init, shape, layer.param_dtype)
    fan_shape = shape if name == "kernel" else (*shape[:-2], shape[-1], shape[-2])
    bias_init = bias_initialiser(layer.bias_init, fan_shape)
    bias = parameter(layer, "bias", bias_init, shape[-1:], layer.param_dtype) if layer.use_bias else None
    return tuple(nn.dtypes.promote_dtype(x, kernel, bias, dtype=layer.dtype))


def add_bias(x: jax.Array, bias: jax.Array | None) -> jax.Array:
    """A bias on each channel of (..., C), or nothing."""
    return x if bias is None else x + bias.reshape((1,) * (x.ndim - 1) + (-1,))
