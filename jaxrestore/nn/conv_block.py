"""A convolution with what follows it, and blocks of them."""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import he_normal
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.typing import DType, Image


class ConvUnit(nn.Module):
    """Convolution, batch normalisation, activation.

    Attributes:
      features: output channels.
      activation: applied last, element by element.
      kernel_size: side of the window.
      groups: number of channel groups.
      norm: whether there is a normalisation; a bias before it would have no effect.
      use_bias: whether the convolution has a bias.
      kernel_init: initialiser of the kernel.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, H, W, features) for an odd window.
    """

    features: int
    activation: Callable = nn.relu
    kernel_size: int = 3
    groups: int = 1
    norm: bool = True
    use_bias: bool = False
    kernel_init: Callable = he_normal
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Apply the three in turn."""
        types = {"dtype": self.dtype, "param_dtype": self.param_dtype}
        conv = Conv(
            self.features, self.kernel_size, groups=self.groups, use_bias=self.use_bias, kernel_init=self.kernel_init, **types, name="conv"
        )
        x = conv(image)
        if self.norm:
            x = BatchNorm(**types, name="norm")(x, train)
        return self.activation(x)


class ConvBlock(nn.Module):
    """3x3 convolution units one after the other: two make the block of U-Net and its kin.

    Attributes:
      features: output channels of every unit.
      depth: number of units.
      activation: as for `ConvUnit`.
      norm: as for `ConvUnit`.
      use_bias: as for `ConvUnit`.
      kernel_init: as for `ConvUnit`.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, H, W, features).

    Reference: Ronneberger, Fischer and Brox, "U-Net", MICCAI 2015, section 2 (there without padding and normalisation).
    """

    features: int
    depth: int = 2
    activation: Callable = nn.relu
    norm: bool = True
    use_bias: bool = False
    kernel_init: Callable = he_normal
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Apply the units."""
        x = image
        for i in range(self.depth):
            x = ConvUnit(
                self.features,
                self.activation,
                norm=self.norm,
                use_bias=self.use_bias,
                kernel_init=self.kernel_init,
                dtype=self.dtype,
                param_dtype=self.param_dtype,
                name=f"unit_{i}",
            )(x, train)
        return x
