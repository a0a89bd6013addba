"""Convolution: the one place where every network's convolutions are computed.

Padding, strides and parameter shapes are those of the reference frameworks (symmetric explicit padding, never XLA's "SAME"). The form of
the computation is chosen for the platform: the compiler's own convolution on GPU and TPU, one of `nn.conv_forms` on the CPU. The choice is
made when a program is lowered, so one exported for several platforms holds each one's own. Kernels are (height, width, in / groups, out),
biases (out,).
"""

import math
from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from jaxrestore.nn import conv_forms as forms
from jaxrestore.nn.affine import add_bias, kernel_and_bias
from jaxrestore.nn.conv_window import Sides, Window, plain
from jaxrestore.nn.gathered_product import gathered_product, has_few_windows
from jaxrestore.nn.initialise import FanUniform, he_normal, zeros
from jaxrestore.nn.minimal_filtering import is_for_one_call
from jaxrestore.nn.shapes import only_shapes
from jaxrestore.ops.padding import pad
from jaxrestore.ops.symbolic import is_symbolic, larger
from jaxrestore.typing import DType, Image, Side

Pair = int | tuple[int, int]
# A transposed convolution is computed phase by phase where that saves so many times the arithmetic, of at least so many channels.
_WASTE, _WIDE = 1.4, 32


def pair(value: Pair | tuple[Side, Side]) -> tuple[Side, Side]:
    """A number for both sides, or (vertical, horizontal)."""
    return value if isinstance(value, tuple) else (value, value)


class Conv(nn.Module):
    """A two-dimensional convolution with torch's padding.

    Attributes:
      features: output channels.
      kernel_size: side of the window, or (height, width).
      strides: step between windows.
      padding: pixels added on each side; None keeps the size for odd windows: dilation * (kernel_size - 1) / 2. "same" is TensorFlow's:
        what ceil(H / strides) windows need, the odd pixel below and right.
      padding_mode: "zeros", "reflect" (without the edge pixel), "replicate" or "circular".
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
    padding: Pair | str | None = None
    padding_mode: str = "zeros"
    dilation: Pair = 1
    groups: int = 1
    use_bias: bool = True
    kernel_init: Callable = he_normal
    bias_init: Callable | FanUniform = zeros
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Convolve."""
        window, dilation = pair(self.kernel_size), pair(self.dilation)
        shape = (*window, image.shape[-1] // self.groups, self.features)
        image, kernel, bias = kernel_and_bias(self, image, shape)
        image, sides = self.padded(image)
        result = convolve(image, kernel, strides=pair(self.strides), padding=sides, dilation=dilation, groups=self.groups)
        return add_bias(result, bias)

    def padded(self, image: jax.Array) -> tuple[jax.Array, Sides]:
        """The image with what is added to it, but for zeros; and the rows and columns of zeros to add ((above, below), (left, right))."""
        sides = self._sides(image, pair(self.kernel_size), pair(self.dilation))
        if self.padding_mode == "zeros" or not any(map(any, sides)):
            return image, sides
        return pad(image, *sides, self.padding_mode), ((0, 0), (0, 0))

    def _sides(self, image: jax.Array, window: tuple[int, int], dilation: tuple[int, int]) -> Sides:
        """Pixels added ((above, below), (left, right))."""
        if self.padding == "same":
            extents = (d * (k - 1) + 1 for k, d in zip(window, dilation, strict=True))
            sides = zip(image.shape[1:3], extents, pair(self.strides), strict=True)
            missing = [larger((-(-side // s) - 1) * s + extent - side, 0) for side, extent, s in sides]
            return ((missing[0] // 2, -(-missing[0] // 2)), (missing[1] // 2, -(-missing[1] // 2)))
        both = tuple(d * (k - 1) // 2 for k, d in zip(window, dilation, strict=True)) if self.padding is None else pair(self.padding)
        return ((both[0],) * 2, (both[1],) * 2)


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
    `kernel_transposed` is (height, width, in, out), flipped in space against torch's so that it is used as it stands. Torch's own initial
    values count the fan over the output channels here: `VarianceScaling(gain=math.sqrt(1 / 3), fan="out", distribution="uniform")`.
    """

    features: int
    kernel_size: Pair = 3
    strides: Pair = 1
    padding: Pair = 0
    output_padding: Pair = 0
    use_bias: bool = True
    kernel_init: Callable = he_normal
    bias_init: Callable | FanUniform = zeros
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        shape = (*pair(self.kernel_size), image.shape[-1], self.features)
        image, kernel, bias = kernel_and_bias(self, image, shape, "kernel_transposed")
        strides, padding, output_padding = pair(self.strides), pair(self.padding), pair(self.output_padding)
        result = convolve_transposed(image, kernel, strides=strides, padding=padding, output_padding=output_padding)
        return add_bias(result, bias)


def convolve(
    image: jax.Array,
    kernel: jax.Array,
    *,
    strides: tuple[int, int] = (1, 1),
    padding: tuple[int, int] | Sides = (0, 0),
    dilation: tuple[int, int] = (1, 1),
    groups: int = 1,
) -> jax.Array:
    """Convolve with zeros outside the image, in the form that is fastest on the platform for which the program is compiled.

    Args:
      image: (N, H, W, C).
      kernel: (height, width, C / groups, out).
      strides: step between windows, (vertical, horizontal).
      padding: zeros added on each side, (vertical, horizontal) or ((above, below), (left, right)).
      dilation: step between the taps of a window.
      groups: number of channel groups.

    Returns:
      (N, H', W', out), of the image's dtype. It may be differentiated in forward and in reverse mode, any number of times.
    """
    vertical, horizontal = (pair(p) for p in padding)
    if only_shapes():
        sides = zip(image.shape[1:3], kernel.shape[:2], strides, (vertical, horizontal), dilation, strict=True)
        height, width = ((side + sum(p) - d * (k - 1) - 1) // s + 1 for side, k, s, p, d in sides)
        return jnp.zeros((image.shape[0], height, width, kernel.shape[-1]), image.dtype)
    return _convolve(image, kernel, Window(strides, (vertical, horizontal), dilation, groups), is_for_one_call())


def convolve_transposed(
    image: jax.Array,
    kernel: jax.Array,
    *,
    strides: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
    output_padding: tuple[int, int] = (0, 0),
) -> jax.Array:
    """The gradient of a strided convolution with respect to its input, in the form that is fastest on the platform.

    Args:
      image: (N, H, W, C).
      kernel: (height, width, C, out), flipped in space against torch's.
      strides: enlargement.
      padding: pixels taken off each side of the full result.
      output_padding: rows and columns added at the bottom and right.

    Returns:
      (N, H', W', out) with H' = (H - 1) * strides - 2 * padding + height + output_padding.
    """
    if only_shapes():
        sides = zip(image.shape[1:3], kernel.shape[:2], strides, padding, output_padding, strict=True)
        height, width = ((side - 1) * s - 2 * p + k + extra for side, k, s, p, extra in sides)
        return jnp.zeros((image.shape[0], height, width, kernel.shape[-1]), image.dtype)
    sides = zip(kernel.shape[:2], padding, output_padding, strict=True)
    vertical, horizontal = ((k - 1 - p, k - 1 - p + extra) for k, p, extra in sides)
    return _convolve_transposed(image, kernel, strides, (vertical, horizontal), is_for_one_call())


# Compiled together with what is around them, but traced once for each shape: a network has hundreds of convolutions alike. The last
# argument is part of what tells traces apart, since the forms look at it too.
@partial(jax.jit, static_argnums=(2, 3))
def _convolve(image: jax.Array, kernel: jax.Array, window: Window, for_one_call: bool) -> jax.Array:
    return lax.platform_dependent(image, kernel, cpu=_cpu_form(image, kernel, window), default=partial(plain, window=window))


@partial(jax.jit, static_argnums=(2, 3, 4))
def _convolve_transposed(image: jax.Array, kernel: jax.Array, strides: tuple[int, int], padding: Sides, for_one_call: bool) -> jax.Array:
    options = dict(strides=strides, padding=padding)
    cpu = partial(_cpu_form_of_transposed(image, kernel, strides), **options)
    return lax.platform_dependent(image, kernel, cpu=cpu, default=partial(forms.transposed_plain, **options))


def _cpu_form_of_transposed(image: jax.Array, kernel: jax.Array, strides: tuple[int, int]) -> Callable:
    # A kernel that is larger than the image is cheaper to cut into phases than to bring into another order.
    small = not is_symbolic(*image.shape) and math.prod(image.shape[:3]) <= kernel.shape[-1] and strides != (1, 1)
    taps = math.prod(s * -(-k // s) for k, s in zip(kernel.shape[:2], strides, strict=True))
    wasteful = taps >= _WASTE * math.prod(kernel.shape[:2]) and min(kernel.shape[2:]) >= _WIDE
    whole = all(k >= s for k, s in zip(kernel.shape[:2], strides, strict=True))
    return forms.transposed_by_phase if (wasteful or small) and whole else forms.transposed_sub_pixel


def _cpu_form(image: jax.Array, kernel: jax.Array, window: Window) -> Callable:
    taps = math.prod(kernel.shape[:2])
    if window.groups == 1 and window.dilation == (1, 1) and has_few_windows(image, kernel, window.strides, window.padding):
        return partial(gathered_product, strides=window.strides, padding=window.padding)
    if window.groups == 1:
        form = forms.product if taps == 1 else forms.dense
    elif window.groups < image.shape[-1]:
        form = forms.split_groups
    else:
        form = forms.shifted_sum if taps <= forms.MOST_SHIFTS else plain
    return partial(form, window=window)
