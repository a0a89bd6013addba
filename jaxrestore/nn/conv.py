"""Convolution: the one place where every network's convolutions are computed.

Padding, strides and parameter shapes are those of the reference frameworks (symmetric explicit padding, never XLA's "SAME"); the
formulation is chosen per backend. Kernels are (height, width, in / groups, out), biases (out,).
"""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from jaxrestore.nn.initialise import he_normal, parameter, zeros
from jaxrestore.typing import DType, Image

Pair = int | tuple[int, int]
_NHWC = ("NHWC", "HWIO", "NHWC")


def pair(value: Pair) -> tuple[int, int]:
    """A number for both sides, or (vertical, horizontal)."""
    return value if isinstance(value, tuple) else (value, value)


class Conv(nn.Module):
    """A two-dimensional convolution with torch's padding.

    Attributes:
      features: output channels.
      kernel_size: side of the window, or (height, width).
      strides: step between windows.
      padding: pixels added on each side; None keeps the size for odd windows: dilation * (kernel_size - 1) / 2.
      padding_mode: "zeros", "reflect" (without the edge pixel) or "replicate".
      dilation: step between the taps of a window.
      groups: number of channel groups; input channels for a depthwise convolution.
      use_bias: whether a bias is added.
      kernel_init: initialiser of the kernel.
      bias_init: initialiser of the bias.
      dtype: computation type; None takes the input's.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, H', W', features) with H' = (H + 2 * padding - dilation * (kernel_size - 1) - 1) // strides + 1.
    """

    features: int
    kernel_size: Pair = 3
    strides: Pair = 1
    padding: Pair | None = None
    padding_mode: str = "zeros"
    dilation: Pair = 1
    groups: int = 1
    use_bias: bool = True
    kernel_init: Callable = he_normal
    bias_init: Callable = zeros
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Convolve."""
        window, dilation = pair(self.kernel_size), pair(self.dilation)
        shape = (*window, image.shape[-1] // self.groups, self.features)
        kernel = parameter(self, "kernel", self.kernel_init, shape, self.param_dtype)
        bias = parameter(self, "bias", self.bias_init, (self.features,), self.param_dtype) if self.use_bias else None
        image, kernel, bias = nn.dtypes.promote_dtype(image, kernel, bias, dtype=self.dtype)
        padding = tuple(d * (k - 1) // 2 for k, d in zip(window, dilation, strict=True)) if self.padding is None else pair(self.padding)
        if self.padding_mode != "zeros" and any(padding):
            mode = {"reflect": "reflect", "replicate": "edge"}[self.padding_mode]
            image = jnp.pad(image, ((0, 0), (padding[0],) * 2, (padding[1],) * 2, (0, 0)), mode)
            padding = (0, 0)
        result = convolve(image, kernel, strides=pair(self.strides), padding=padding, dilation=dilation, groups=self.groups)
        return result if bias is None else result + bias.reshape(1, 1, 1, -1)


class ConvTranspose(nn.Module):
    """A transposed convolution: the gradient of a strided one, as torch's ConvTranspose2d.

    Attributes:
      features: output channels.
      kernel_size: side of the window, or (height, width).
      strides: enlargement.
      padding: pixels taken off each side of the full result.
      output_padding: rows and columns added at the bottom and right.
      use_bias: whether a bias is added.
      kernel_init: initialiser of the kernel.
      bias_init: initialiser of the bias.
      dtype: computation type; None takes the input's.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, H', W', features) with H' = (H - 1) * strides - 2 * padding + kernel_size + output_padding. The parameter
    `kernel_transposed` is (height, width, in, out), flipped in space against torch's so that it is used as it stands.
    """

    features: int
    kernel_size: Pair = 3
    strides: Pair = 1
    padding: Pair = 0
    output_padding: Pair = 0
    use_bias: bool = True
    kernel_init: Callable = he_normal
    bias_init: Callable = zeros
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        window = pair(self.kernel_size)
        shape = (*window, image.shape[-1], self.features)
        kernel = parameter(self, "kernel_transposed", self.kernel_init, shape, self.param_dtype)
        bias = parameter(self, "bias", self.bias_init, (self.features,), self.param_dtype) if self.use_bias else None
        image, kernel, bias = nn.dtypes.promote_dtype(image, kernel, bias, dtype=self.dtype)
        sides = zip(window, pair(self.padding), pair(self.output_padding), strict=True)
        padding = [(k - 1 - p, k - 1 - p + extra) for k, p, extra in sides]
        result = lax.conv_general_dilated(image, kernel, (1, 1), padding, lhs_dilation=pair(self.strides), dimension_numbers=_NHWC)
        return result if bias is None else result + bias.reshape(1, 1, 1, -1)


def convolve(
    image: jax.Array,
    kernel: jax.Array,
    *,
    strides: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
    dilation: tuple[int, int] = (1, 1),
    groups: int = 1,
) -> jax.Array:
    """Convolve (N, H, W, C) with a kernel (height, width, C / groups, out), zeros outside the image."""
    return lax.conv_general_dilated(
        image,
        kernel,
        strides,
        [(p, p) for p in padding],
        rhs_dilation=dilation,
        dimension_numbers=_NHWC,
        feature_group_count=groups,
    )
