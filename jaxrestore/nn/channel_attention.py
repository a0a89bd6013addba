"""Channel attention: every channel is scaled by what the whole image says about it."""

from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import FanUniform, he_normal, zeros
from jaxrestore.typing import DType, Image


def mean_over_image(image: Image) -> Image:
    """(N, H, W, C) -> (N, 1, 1, C), summed in float32."""
    return jnp.mean(image, (1, 2), keepdims=True, dtype=jnp.promote_types(image.dtype, jnp.float32)).astype(image.dtype)


def contrast(image: Image) -> Image:
    """Standard deviation plus mean of every channel: (N, H, W, C) -> (N, 1, 1, C) (Hui et al. 2019, equation 4)."""
    x = image.astype(jnp.promote_types(image.dtype, jnp.float32))
    mean = jnp.mean(x, (1, 2), keepdims=True)
    variance = jnp.mean(jnp.square(x - mean), (1, 2), keepdims=True)
    # The slope of a square root is infinite at 0, where a channel is constant.
    positive = variance > 0
    deviation = jnp.where(positive, jnp.sqrt(jnp.where(positive, variance, 1.0)), 0.0)
    return (deviation + mean).astype(image.dtype)


class ChannelAttention(nn.Module):
    """image * sigmoid(conv(ReLU(conv(statistic(image))))), both convolutions 1x1.

    Attributes:
      reduction: of the channels between the two convolutions.
      statistic: (N, H, W, C) -> (N, 1, 1, C): `mean_over_image` or `contrast`.
      kernel_init: initialiser of the kernels.
      bias_init: initialiser of the biases.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, C).

    Reference: Zhang et al., "RCAN", ECCV 2018, equations 5 to 7.
    """

    reduction: int = 16
    statistic: Callable[[Image], Image] = mean_over_image
    kernel_init: Callable = he_normal
    bias_init: Callable | FanUniform = zeros
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Scale the channels."""
        channels = image.shape[-1]
        conv = partial(
            Conv, kernel_size=1, kernel_init=self.kernel_init, bias_init=self.bias_init, dtype=self.dtype, param_dtype=self.param_dtype
        )
        x = nn.relu(conv(channels // self.reduction, name="squeeze")(self.statistic(image)))
        return image * nn.sigmoid(conv(channels, name="excite")(x))


class ChannelAttentionBlock(nn.Module):
    """x + attention(conv(ReLU(conv(x)))): RCAN's residual channel attention block.

    Attributes:
      features: channels.
      reduction: as for `ChannelAttention`.
      kernel_init: initialiser of the kernels.
      bias_init: initialiser of the biases.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, features).
    """

    features: int
    reduction: int = 16
    kernel_init: Callable = he_normal
    bias_init: Callable | FanUniform = zeros
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Refine."""
        options = dict(kernel_init=self.kernel_init, bias_init=self.bias_init, dtype=self.dtype, param_dtype=self.param_dtype)
        x = nn.relu(Conv(self.features, **options, name="conv_0")(image))
        x = Conv(self.features, **options, name="conv_1")(x)
        return image + ChannelAttention(self.reduction, **options, name="attention")(x)


class ResidualGroup(nn.Module):
    """x + conv(block(... block(x))): RCAN's residual group.

    Attributes:
      features: channels.
      depth: number of channel attention blocks.
      reduction: as for `ChannelAttention`.
      kernel_init: initialiser of the kernels.
      bias_init: initialiser of the biases.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, features).
    """

    features: int
    depth: int = 20
    reduction: int = 16
    kernel_init: Callable = he_normal
    bias_init: Callable | FanUniform = zeros
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Refine."""
        options = dict(kernel_init=self.kernel_init, bias_init=self.bias_init, dtype=self.dtype, param_dtype=self.param_dtype)
        x = image
        for i in range(self.depth):
            x = ChannelAttentionBlock(self.features, self.reduction, **options, name=f"block_{i}")(x)
        return image + Conv(self.features, **options, name="end")(x)


def residual_group_names(ours: str, theirs: str, depth: int) -> dict[str, str]:
    """Paths inside a `ResidualGroup` -> the module names of yulunzhang/RCAN, which its successors kept.

    Args:
      ours: path of the group.
      theirs: the reference's name of it.
      depth: number of blocks.
    """
    names = {f"{ours}/end": f"{theirs}.body.{depth}"}
    for i in range(depth):
        block, body = f"{ours}/block_{i}", f"{theirs}.body.{i}.body"
        names |= {f"{block}/conv_0": f"{body}.0", f"{block}/conv_1": f"{body}.2"}
        names |= {f"{block}/attention/squeeze": f"{body}.3.conv_du.0", f"{block}/attention/excite": f"{body}.3.conv_du.2"}
    return names
