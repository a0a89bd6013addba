"""Convolutions over time: of videos (N, T, H, W, C) and of sequences (N, T, C). Layouts and padding are those of `nn.conv`."""

from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from jaxrestore.nn.affine import add_bias, kernel_and_bias
from jaxrestore.nn.conv import convolve, convolve_transposed
from jaxrestore.nn.gathered_product import gathered_product, has_few_windows
from jaxrestore.nn.initialise import FanUniform, he_normal, zeros
from jaxrestore.nn.shapes import only_shapes
from jaxrestore.typing import ArrayLike, DType, Latents, Video

Sides = int | tuple[int, int, int]
Triple = tuple[int, int, int]
_VIDEO = ("NDHWC", "DHWIO", "NDHWC")


def triple(value: Sides) -> Triple:
    """A number for all sides, or (time, vertical, horizontal)."""
    return value if isinstance(value, tuple) else (value, value, value)


class Conv3d(nn.Module):
    """A convolution over time, height and width with torch's padding.

    Attributes:
      features: output channels.
      kernel_size: side of the window, or (time, height, width).
      strides: step between windows.
      padding: frames, rows and columns added on each side; None keeps the size for odd windows.
      use_bias: whether a bias is added.
      kernel_init: initialiser of the kernel.
      bias_init: initialiser of the bias.
      dtype: computation type; None takes the input's.
      param_dtype: type of the parameters.

    Takes (N, T, H, W, C), gives (N, T', H', W', features) with T' = (T + 2 * padding - kernel_size) // strides + 1. The parameter `kernel`
    is (time, height, width, C, features).
    """

    features: int
    kernel_size: Sides = 3
    strides: Sides = 1
    padding: Sides | None = None
    use_bias: bool = True
    kernel_init: Callable = he_normal
    bias_init: Callable | FanUniform = zeros
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, video: Video) -> jax.Array:
        """Convolve."""
        window = triple(self.kernel_size)
        padding = tuple((k - 1) // 2 for k in window) if self.padding is None else triple(self.padding)
        shape = (*window, video.shape[-1], self.features)
        video, kernel, bias = kernel_and_bias(self, video, shape)
        return add_bias(convolve_3d(video, kernel, strides=triple(self.strides), padding=padding), bias)


class ConvTranspose3d(nn.Module):
    """A transposed convolution over time, height and width, as torch's ConvTranspose3d.

    Attributes:
      features: output channels.
      kernel_size: side of the window, or (time, height, width).
      strides: enlargement.
      padding: frames, rows and columns taken off each side of the full result.
      use_bias: whether a bias is added.
      kernel_init: initialiser of the kernel.
      bias_init: initialiser of the bias.
      dtype: computation type; None takes the input's.
      param_dtype: type of the parameters.

    Takes (N, T, H, W, C), gives (N, T', H', W', features) with T' = (T - 1) * strides - 2 * padding + kernel_size. The parameter
    `kernel_transposed` is (time, height, width, C, features), flipped in all three against torch's so that it is used as it stands.
    """

    features: int
    kernel_size: Sides = 3
    strides: Sides = 1
    padding: Sides = 0
    use_bias: bool = True
    kernel_init: Callable = he_normal
    bias_init: Callable | FanUniform = zeros
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, video: Video) -> jax.Array:
        """Enlarge."""
        shape = (*triple(self.kernel_size), video.shape[-1], self.features)
        video, kernel, bias = kernel_and_bias(self, video, shape, "kernel_transposed")
        return add_bias(convolve_transposed_3d(video, kernel, strides=triple(self.strides), padding=triple(self.padding)), bias)


class ConvTranspose1d(nn.Module):
    """A transposed convolution over time, as torch's ConvTranspose1d.

    Attributes:
      features: output channels.
      kernel_size: length of the window.
      strides: enlargement.
      padding: places taken off each side of the full result.
      use_bias: whether a bias is added.
      kernel_init: initialiser of the kernel.
      bias_init: initialiser of the bias.
      dtype: computation type; None takes the input's.
      param_dtype: type of the parameters.

    Takes (N, T, C), gives (N, T', features) with T' = (T - 1) * strides - 2 * padding + kernel_size. The parameter `kernel_transposed` is
    (time, C, features), flipped against torch's.
    """

    features: int
    kernel_size: int = 3
    strides: int = 1
    padding: int = 0
    use_bias: bool = True
    kernel_init: Callable = he_normal
    bias_init: Callable | FanUniform = zeros
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, sequence: Latents) -> jax.Array:
        """Lengthen."""
        shape = (self.kernel_size, sequence.shape[-1], self.features)
        sequence, kernel, bias = kernel_and_bias(self, sequence, shape, "kernel_transposed")
        row = convolve_transposed(sequence[:, None], kernel[None], strides=(1, self.strides), padding=(0, self.padding))
        return add_bias(row[:, 0], bias)


def convolve_3d(video: Video, kernel: ArrayLike, *, strides: Triple = (1, 1, 1), padding: Triple = (0, 0, 0)) -> jax.Array:
    """Convolve with zeros outside the video, in the form that is fastest on the platform for which the program is compiled.

    Args:
      video: (N, T, H, W, C).
      kernel: (time, height, width, C, out).
      strides: step between windows, (time, vertical, horizontal).
      padding: zeros added on each side.

    Returns:
      (N, T', H', W', out), of the video's dtype.
    """
    if only_shapes():
        sides = zip(video.shape[1:4], kernel.shape[:3], strides, padding, strict=True)
        return jnp.zeros((len(video), *((side + 2 * p - k) // s + 1 for side, k, s, p in sides), kernel.shape[-1]), video.dtype)
    border = [(p, p) for p in padding]
    plain = partial(lax.conv_general_dilated, window_strides=strides, padding=border, dimension_numbers=_VIDEO)
    cpu = partial(_frame_by_frame, strides=strides, padding=padding)
    if has_few_windows(video, kernel, strides, border):
        cpu = partial(gathered_product, strides=strides, padding=border)
    return lax.platform_dependent(video, kernel, cpu=cpu, default=plain)


def convolve_transposed_3d(video: Video, kernel: ArrayLike, *, strides: Triple = (1, 1, 1), padding: Triple = (0, 0, 0)) -> jax.Array:
    """The gradient of a strided convolution with respect to its input, in the form that is fastest on the platform.

    Args:
      video: (N, T, H, W, C).
      kernel: (time, height, width, C, out), flipped in all three against torch's.
      strides: enlargement, (time, vertical, horizontal).
      padding: frames, rows and columns taken off each side of the full result.

    Returns:
      (N, T', H', W', out) with T' = (T - 1) * strides - 2 * padding + time.
    """
    if only_shapes():
        sides = zip(video.shape[1:4], kernel.shape[:3], strides, padding, strict=True)
        return jnp.zeros((len(video), *((side - 1) * s - 2 * p + k for side, k, s, p in sides), kernel.shape[-1]), video.dtype)
    border = [(k - 1 - p, k - 1 - p) for k, p in zip(kernel.shape[:3], padding, strict=True)]
    plain = partial(lax.conv_general_dilated, window_strides=(1, 1, 1), padding=border, lhs_dilation=strides, dimension_numbers=_VIDEO)
    return lax.platform_dependent(video, kernel, cpu=partial(_frames_from_frames, strides=strides, padding=padding), default=plain)


def _frame_by_frame(video: jax.Array, kernel: jax.Array, *, strides: Triple, padding: Triple) -> jax.Array:
    """The sum over the kernel's times of convolutions of frames: those have fast gradients on the CPU."""
    (step, *space_strides), (before, *space_padding) = strides, padding
    video = jnp.pad(video, ((0, 0), (before, before), (0, 0), (0, 0), (0, 0)))
    count = (video.shape[1] - len(kernel)) // step + 1
    total = 0.0
    for time, frame_kernel in enumerate(kernel):
        frames = video[:, time : time + step * (count - 1) + 1 : step]
        flat = frames.reshape(-1, *frames.shape[2:])
        result = convolve(flat, frame_kernel, strides=tuple(space_strides), padding=tuple(space_padding))
        total = total + result.reshape(*frames.shape[:2], *result.shape[1:])
    return jnp.asarray(total)


def _frames_from_frames(video: jax.Array, kernel: jax.Array, *, strides: Triple, padding: Triple) -> jax.Array:
    """The sum over the kernel's times of transposed convolutions of frames, each put where it belongs."""
    (step, *space_strides), (cut, *space_padding) = strides, padding
    flat = video.reshape(-1, *video.shape[2:])
    total = 0.0
    for time in range(len(kernel)):
        result = convolve_transposed(flat, kernel[len(kernel) - 1 - time], strides=tuple(space_strides), padding=tuple(space_padding))
        result = result.reshape(*video.shape[:2], *result.shape[1:])
        place = (time - cut, len(kernel) - 1 - time - cut, step - 1)
        total = total + lax.pad(result, jnp.zeros((), result.dtype), ((0, 0, 0), place, (0, 0, 0), (0, 0, 0), (0, 0, 0)))
    return jnp.asarray(total)
