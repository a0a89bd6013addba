"""MobileNetV2: the features of an image at five scales, cheaply.

Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018, https://arxiv.org/abs/1801.04381

    image -> conv/2 -> 16 -> [24]/2 x 2 -> [32]/2 x 3 -> [64]/2 x 4 -> [96] x 3 -> [160]/2 x 3 -> [320] -> conv 1x1, 1280

    an inverted residual block: -> 1x1 to 6 times as many, BN, ReLU6 -> depthwise 3x3, BN, ReLU6 -> 1x1, BN -> (+ where it fits)
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import VarianceScaling
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.typing import DType, Image

_SETTING = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""Expansion, channels, number of blocks and first stride of each stage (table 2)."""

_he_out = VarianceScaling(fan="out")


class MobileNetV2(nn.Module):
    """The convolutions of MobileNetV2.

    Attributes:
      width: factor on the channels.
      last_features: channels of the last layer, which classification uses and this does not.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives five maps of 16, 24, 32, 64 and 160 channels times `width`, reduced by 2, 4, 8, 16 and 32. What lies behind
    the fifth has parameters, so that published weights fit, and is not computed.
    """

    width: float = 1.0
    last_features: int = 1280
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> tuple[jax.Array, ...]:
        """Features at five scales."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, use_bias=False, kernel_init=_he_out, **types)
        norm = partial(BatchNorm, **types)
        x = conv(int(32 * self.width), 3, 2, 1, name="conv_0")(image)
        x = nn.relu6(norm(name="norm_0")(x, train))
        taps = {1, 3, 6, 10, 15}
        maps = []
        for i, (expansion, features, stride) in enumerate(_blocks(self.width), 1):
            if i > max(taps) and not self.is_initializing():
                break
            x = InvertedResidual(features, expansion, stride, **types, name=f"block_{i}")(x, train)
            if i in taps:
                maps.append(x)
        if self.is_initializing():
            norm(name="norm_18")(conv(self.last_features, 1, name="conv_18")(x), train)
        return tuple(maps)


class InvertedResidual(nn.Module):
    """Many channels between few: 1x1, depthwise 3x3, 1x1.

    Attributes:
      features: output channels.
      expansion: middle channels for each input channel; with 1 the first convolution falls away.
      stride: of the depthwise convolution.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, ceil(H / stride), ceil(W / stride), features).
    """

    features: int
    expansion: int = 6
    stride: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """Apply."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, use_bias=False, kernel_init=_he_out, **types)
        norm = partial(BatchNorm, **types)
        middle = self.expansion * image.shape[-1]
        x = jnp.asarray(image)
        if self.expansion != 1:
            x = nn.relu6(norm(name="expand_norm")(conv(middle, 1, name="expand")(x), train))
        x = conv(middle, 3, self.stride, 1, groups=middle, name="depthwise")(x)
        x = nn.relu6(norm(name="depthwise_norm")(x, train))
        x = norm(name="project_norm")(conv(self.features, 1, name="project")(x), train)
        return image + x if self.stride == 1 and image.shape[-1] == self.features else x


def _blocks(width: float) -> list[tuple[int, int, int]]:
    """(expansion, channels, stride) of each block."""
    return [(t, int(c * width), s if i == 0 else 1) for t, c, n, s in _SETTING for i in range(n)]


def mobilenet_v2_names(ours: str, theirs: str) -> dict[str, str]:
    """Module paths under `ours` -> the names of tonylins/pytorch-mobilenet-v2 under `theirs` (the `features`)."""
    names = {"conv_0": "0.0", "norm_0": "0.1", "conv_18": "18.0", "norm_18": "18.1"}
    for i, (expansion, _, _) in enumerate(_blocks(1.0), 1):
        parts = ("expand", "expand_norm", None, "depthwise", "depthwise_norm", None, "project", "project_norm")
        parts = parts if expansion != 1 else parts[3:]
        names |= {f"block_{i}/{part}": f"{i}.conv.{place}" for place, part in enumerate(parts) if part}
    return {f"{ours}/{our}": f"{theirs}.{their}" for our, their in names.items()}
