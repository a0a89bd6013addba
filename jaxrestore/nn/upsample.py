"""Enlargement by two with a change of channels: the ways in which decoders go up a level."""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.initialise import VarianceScaling, he_normal
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.pixel_shuffle import pixel_shuffle
from jaxrestore.ops.unpooling import Places, max_unpool
from jaxrestore.typing import DType, Image

_INTERPOLATIONS = {"bilinear": True, "nearest": False, "bicubic": False}  # method -> align_corners

UPSAMPLINGS = (*_INTERPOLATIONS, "pixel_shuffle", "reshape", "unpooling", "transposed")
"""The methods that `Upsample` knows."""


class Upsample(nn.Module):
    """Twice the size, with other channels. No bias, normalisation or activation.

    Attributes:
      features: output channels.
      method: one of `UPSAMPLINGS`.
        "bilinear" (corners aligned, as torch's UpsamplingBilinear2d), "nearest", "bicubic" (as torch's, corners not aligned): and a 1x1
        convolution. "pixel_shuffle": channels into space, then a 1x1 convolution. "reshape": the numbers of the (channels, height, width)
        array read as (channels / 4, 2 height, 2 width), which mixes places, then a 1x1 convolution. "unpooling": a 1x1 convolution, then
        each value to where a pooling found its maximum. "transposed": a transposed 2x2 convolution.
      kernel_init: initialiser of the kernel.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, 2H, 2W, features). Its parameter is C * features numbers for the interpolations and "unpooling", a quarter
    of that for "pixel_shuffle" and "reshape", four times that for "transposed".
    """

    features: int
    method: str = "bilinear"
    kernel_init: Callable = he_normal
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, places: Places | None = None) -> Image:
        """Enlarge.

        Args:
          image: (N, H, W, C).
          places: (N, H, W, features), for "unpooling" only: where the maxima of the pooling lay (`ops.unpooling`).

        Raises:
          InputError: an unknown method, no places for "unpooling", or channels that are no multiple of 4 for the methods that need it.
        """
        if self.method not in UPSAMPLINGS:
            raise InputError(f"upsampling is {self.method!r}: it must be one of {', '.join(UPSAMPLINGS)}")
        types = {"dtype": self.dtype, "param_dtype": self.param_dtype}
        if self.method == "transposed":
            kernel_init = _towards_outputs(self.kernel_init)
            return ConvTranspose(self.features, 2, 2, use_bias=False, kernel_init=kernel_init, **types, name="conv")(image)
        conv = Conv(self.features, 1, use_bias=False, kernel_init=self.kernel_init, **types, name="conv")
        if self.method in _INTERPOLATIONS:
            # A 1x1 convolution without bias and an interpolation commute; on the small image the convolution costs a quarter.
            return interpolate(conv(image), scale=2, method=self.method, align_corners=_INTERPOLATIONS[self.method])
        if self.method == "unpooling":
            if places is None:
                raise InputError("unpooling needs the places of the pooling that it undoes: pass them to the layer")
            return max_unpool(conv(image), places)
        if image.shape[-1] % 4:
            raise InputError(f"upsampling by {self.method!r} needs a multiple of 4 channels, not {image.shape[-1]}")
        return conv(pixel_shuffle(image, 2) if self.method == "pixel_shuffle" else _reshape(image))


def _reshape(image: Image) -> Image:
    batch, height, width, channels = image.shape
    planes = jnp.moveaxis(image, -1, 1).reshape(batch, channels // 4, 2 * height, 2 * width)
    return jnp.moveaxis(planes, 1, -1)


def _towards_outputs(initialiser: Callable) -> Callable:
    # Torch counts the fan-in of a transposed convolution on the side of its outputs.
    if isinstance(initialiser, VarianceScaling) and initialiser.fan == "in":
        return VarianceScaling(initialiser.gain, "out", initialiser.distribution)
    return initialiser
