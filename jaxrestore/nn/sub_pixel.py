"""Enlargement by sub-pixel convolution: channels become pixels (Shi et al. 2016)."""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import FanUniform, he_normal, zeros
from jaxrestore.ops.pixel_shuffle import pixel_shuffle
from jaxrestore.typing import DType, Image


def upsample_stages(scale: int) -> tuple[int, ...]:
    """The steps in which an enlargement is made: powers of two in steps of two, three in one.

    Raises:
      InputError: another scale.
    """
    if scale == 3:
        return (3,)
    if scale < 1 or scale & (scale - 1):
        raise InputError(f"scale is {scale}: it must be 3 or a power of two")
    return (2,) * (scale.bit_length() - 1)


def upsample_names(ours: str, theirs: str, scale: int) -> dict[str, str]:
    """Paths inside a `PixelShuffleUpsample` -> the names in a reference's sequence, where every second module is a rearrangement."""
    return {f"{ours}/conv_{i}": f"{theirs}.{2 * i}" for i in range(len(upsample_stages(scale)))}


class PixelShuffleUpsample(nn.Module):
    """For each stage a 3x3 convolution to stage^2 times the channels, and these rearranged as pixels.

    Attributes:
      scale: enlargement: 3 or a power of two.
      features: channels of every stage.
      activation: after each stage (whether before or after the rearrangement is the same); None for none.
      groups: channel groups of the convolutions.
      kernel_init: initialiser of the kernels.
      bias_init: initialiser of the biases.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, scale*H, scale*W, features).

    Reference: Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network",
    CVPR 2016, section 3.2; in stages as in Lim et al. 2017.
    """

    scale: int
    features: int
    activation: Callable | None = None
    groups: int = 1
    kernel_init: Callable = he_normal
    bias_init: Callable | FanUniform = zeros
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, x: Image) -> Image:
        """Enlarge."""
        for i, stage in enumerate(upsample_stages(self.scale)):
            conv = Conv(
                self.features * stage**2,
                groups=self.groups,
                kernel_init=self.kernel_init,
                bias_init=self.bias_init,
                dtype=self.dtype,
                param_dtype=self.param_dtype,
                name=f"conv_{i}",
            )
            x = pixel_shuffle(conv(x), stage)
            x = x if self.activation is None else self.activation(x)
        return x
