"""Attention to channels and to places, one after the other (CBAM) or side by side (BAM)."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.nn.channel_attention import mean_over_image
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT, torch_default
from jaxrestore.nn.linear import Linear
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.typing import DType, Image


class ChannelGate(nn.Module):
    """image * sigmoid(mlp(mean) + mlp(maximum)), with one multilayer perceptron for both statistics of each channel.

    Attributes:
      reduction: of the channels between the perceptron's layers.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, C).

    Raises:
      InputError: the reduction leaves no channel.

    Reference: Woo, Park, Lee and Kweon, "CBAM", ECCV 2018, equation 2.
    """

    reduction: int = 16
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> jax.Array:
        """Scale the channels."""
        channels = image.shape[-1]
        linear = partial(Linear, **TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        squeeze, excite = linear(_reduced(channels, self.reduction), name="squeeze"), linear(channels, name="excite")
        statistics = (mean_over_image(image), jnp.max(image, (1, 2), keepdims=True))
        return image * nn.sigmoid(sum(excite(nn.relu(squeeze(x))) for x in statistics)).astype(image.dtype)


class SpatialGate(nn.Module):
    """image * sigmoid(norm(conv(maximum and mean over the channels))).

    Attributes:
      kernel_size: side of the window.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, C).

    Reference: Woo, Park, Lee and Kweon, "CBAM", ECCV 2018, equation 3; the normalisation is in the authors' code alone.
    """

    kernel_size: int = 7
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """Scale the pixels."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        x = jnp.concatenate([jnp.max(image, -1, keepdims=True), jnp.mean(image, -1, keepdims=True)], -1)
        x = Conv(1, self.kernel_size, use_bias=False, kernel_init=torch_default, **types, name="conv")(x)
        x = BatchNorm(momentum=0.01, **types, name="norm")(x, train)
        return image * nn.sigmoid(x).astype(image.dtype)


class CBAM(nn.Module):
    """The convolutional block attention module: a gate of channels, then a gate of places.

    Attributes:
      reduction: as for `ChannelGate`.
      kernel_size: as for `SpatialGate`.
      spatial: whether there is a gate of places.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, C).

    Reference: Woo, Park, Lee and Kweon, "CBAM: Convolutional Block Attention Module", ECCV 2018, figure 1; https://arxiv.org/abs/1807.06521
    """

    reduction: int = 16
    kernel_size: int = 7
    spatial: bool = True
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """Scale channels, then pixels."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        x = ChannelGate(self.reduction, **types, name="channel")(image)
        return SpatialGate(self.kernel_size, **types, name="spatial")(x, train) if self.spatial else x


class BAM(nn.Module):
    """The bottleneck attention module: image * (1 + sigmoid(a number a channel * a number a place)).

    The channels' part is a multilayer perceptron of their means; the places' part reduces the channels, looks at dilated windows, and gives
    one number a pixel. Neither passes a sigmoid before they are multiplied, as in the authors' code; the paper adds them.

    Attributes:
      reduction: of the channels in both parts.
      dilation: of the 3x3 windows.
      depth: number of dilated convolutions.
      mean_over_square: the means are over the leading columns alone, as many as there are rows, as in the authors' code; it makes no
        difference to a square image.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, C).

    Raises:
      InputError: the reduction leaves no channel.

    Reference: Park, Woo, Lee and Kweon, "BAM: Bottleneck Attention Module", BMVC 2018; https://arxiv.org/abs/1807.06514
    """

    reduction: int = 16
    dilation: int = 4
    depth: int = 2
    mean_over_square: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """Scale each channel of each pixel."""
        channels, types = image.shape[-1], dict(dtype=self.dtype, param_dtype=self.param_dtype)
        reduced = _reduced(channels, self.reduction)
        conv, linear, norm = partial(Conv, **TORCH_INIT, **types), partial(Linear, **TORCH_INIT, **types), partial(BatchNorm, **types)
        seen = image[:, :, : image.shape[1]] if self.mean_over_square else image
        x = linear(reduced, name="channel_squeeze")(mean_over_image(seen))
        of_channels = linear(channels, name="channel_excite")(nn.relu(norm(name="channel_norm")(x, train)))
        x = nn.relu(norm(name="spatial_norm")(conv(reduced, 1, name="spatial_squeeze")(image), train))
        for i in range(self.depth):
            x = conv(reduced, dilation=self.dilation, name=f"spatial_conv_{i}")(x)
            x = nn.relu(norm(name=f"spatial_norm_{i}")(x, train))
        of_places = conv(1, 1, name="spatial_excite")(x)
        return image * (1.0 + nn.sigmoid(of_channels * of_places)).astype(image.dtype)


def _reduced(channels: int, reduction: int) -> int:
    if not 1 <= reduction <= channels:
        raise InputError(f"reduction is {reduction}: it must be from 1 to the number of channels, {channels}")
    return channels // reduction
