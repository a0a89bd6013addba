"""Information distillation: a part of the features takes a short way, the rest is worked on further."""

from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.nn.conv_block import ConvUnit
from jaxrestore.nn.initialise import he_normal
from jaxrestore.typing import DType, Image


class EnhancementUnit(nn.Module):
    """The enhancement unit of IDN.

        image (C) -+-> D-d -> D-2d -> D -+-> kept: the first D/s ----------------.
                   |    3x3, middle one  `-> the others -> D -> D-d -> C + D/s -> + ->
                   |    in groups                                                |
                   `--------------------------------- concatenated with kept ----'

    Attributes:
      features: D, channels of the third and the fourth convolution.
      difference: d, by how many channels neighbouring layers differ.
      slices: s; one part in s is kept.
      groups: groups of the second and the fifth convolution.
      activation: after each of the six convolutions.
      norm: batch normalisation between each convolution and its activation; IDN has none.
      use_bias: biases in the convolutions.
      kernel_init: initialiser of the kernels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, H, W, C + features / slices).

    Reference: Hui, Wang and Gao, "Fast and Accurate Single Image Super-Resolution via Information Distillation Network", CVPR 2018,
    equations 2 to 7; https://arxiv.org/abs/1803.09454
    """

    features: int = 64
    difference: int = 16
    slices: int = 4
    groups: int = 4
    activation: Callable = partial(nn.leaky_relu, negative_slope=0.05)
    norm: bool = False
    use_bias: bool = True
    kernel_init: Callable = he_normal
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Enhance."""
        widths = (self.features - self.difference, self.features - 2 * self.difference)
        if self.features % self.slices or min(widths) < 1 or any(width % self.groups for width in widths):
            raise InputError(
                f"an enhancement unit of {self.features} features cannot keep 1/{self.slices} and have layers of {widths[0]} and "
                f"{widths[1]} channels in {self.groups} groups: choose more features, such as a multiple of {4 * self.groups}"
            )
        unit = partial(
            ConvUnit,
            activation=self.activation,
            norm=self.norm,
            use_bias=self.use_bias,
            kernel_init=self.kernel_init,
            dtype=self.dtype,
            param_dtype=self.param_dtype,
        )
        kept = self.features // self.slices
        x = unit(widths[0], name="unit_0")(image, train)
        x = unit(widths[1], groups=self.groups, name="unit_1")(x, train)
        x = unit(self.features, name="unit_2")(x, train)
        short = jnp.concatenate([image.astype(x.dtype), x[..., :kept]], -1)
        x = unit(self.features, name="unit_3")(x[..., kept:], train)
        x = unit(widths[0], groups=self.groups, name="unit_4")(x, train)
        return short + unit(image.shape[-1] + kept, name="unit_5")(x, train)


class DistillationBlock(nn.Module):
    """An enhancement unit and the 1x1 convolution that compresses its result (the compression unit).

    Attributes:
      features: output channels; the unit inside has as many, differences and slices of a quarter.
      groups: as for `EnhancementUnit`.
      activation: as for `EnhancementUnit`, and after the compression.
      norm: as for `EnhancementUnit`.
      use_bias: as for `EnhancementUnit`.
      kernel_init: as for `EnhancementUnit`.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, H, W, features).

    Reference: as for `EnhancementUnit`, figure 1.
    """

    features: int = 64
    groups: int = 4
    activation: Callable = partial(nn.leaky_relu, negative_slope=0.05)
    norm: bool = False
    use_bias: bool = True
    kernel_init: Callable = he_normal
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Enhance and compress."""
        shared = {
            "activation": self.activation,
            "norm": self.norm,
            "use_bias": self.use_bias,
            "kernel_init": self.kernel_init,
            "dtype": self.dtype,
            "param_dtype": self.param_dtype,
        }
        x = EnhancementUnit(self.features, self.features // 4, groups=self.groups, **shared, name="enhance")(image, train)
        return ConvUnit(self.features, kernel_size=1, **shared, name="compress")(x, train)
