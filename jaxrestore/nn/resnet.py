"""ResNet-50, -101 and -152: the features of an image at five scales.

He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, https://arxiv.org/abs/1512.03385

    image -> conv 7x7/2, 64 -> pool/2 -> [256] x 3 -> [512]/2 x 4 -> [1024]/2 x 23 -> [2048]/2 x 3

    a block: -+-> 1x1, BN, ReLU -> 3x3, BN, ReLU -> 1x1, BN -> + -> ReLU
              `---------------- (1x1, BN) -------------------^

The stride of a block is that of its 3x3 convolution, as in torchvision.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import VarianceScaling
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.typing import DType, Image

RESNET_DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
"""Number of layers -> blocks of the four stages."""

_EXPANSION = 4
_he_out = VarianceScaling(fan="out")


class ResNet(nn.Module):
    """The convolutions of a ResNet.

    Attributes:
      depths: blocks of the four stages.
      features: channels of the first convolution.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), standardised as ImageNet's images, gives five maps of 1, 4, 8, 16 and 32 times `features` channels, reduced by 2, 4,
    8, 16 and 32.
    """

    depths: tuple[int, int, int, int] = (3, 4, 23, 3)
    features: int = 64
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> tuple[jax.Array, ...]:
        """Features at five scales."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        x = Conv(self.features, 7, 2, 3, use_bias=False, kernel_init=_he_out, **types, name="conv")(image)
        x = nn.relu(BatchNorm(**types, name="norm")(x, train))
        maps = [x]
        x = nn.max_pool(x, (3, 3), (2, 2), ((1, 1), (1, 1)))
        for stage, depth in enumerate(self.depths):
            for i in range(depth):
                stride = 2 if stage and i == 0 else 1
                x = Bottleneck(self.features * 2**stage, stride, **types, name=f"stage_{stage}_block_{i}")(x, train)
            maps.append(x)
        return tuple(maps)


class Bottleneck(nn.Module):
    """Few channels between many, around a shortcut.

    Attributes:
      features: channels of the 3x3 convolution; four times as many come out.
      stride: of that convolution.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, ceil(H / stride), ceil(W / stride), 4 * features).
    """

    features: int
    stride: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """Apply."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, use_bias=False, kernel_init=_he_out, **types)
        norm = partial(BatchNorm, **types)
        wide = _EXPANSION * self.features
        x = nn.relu(norm(name="norm_0")(conv(self.features, 1, name="conv_0")(image), train))
        x = nn.relu(norm(name="norm_1")(conv(self.features, 3, self.stride, 1, name="conv_1")(x), train))
        x = norm(name="norm_2")(conv(wide, 1, name="conv_2")(x), train)
        shortcut = jnp.asarray(image)
        if self.stride > 1 or image.shape[-1] != wide:
            shortcut = norm(name="shortcut_norm")(conv(wide, 1, self.stride, name="shortcut")(image), train)
        return nn.relu(shortcut + x)


def resnet_names(depths: tuple[int, ...], ours: str) -> dict[str, str]:
    """Module paths under `ours` -> the names of torchvision's `resnet50`, `resnet101` and `resnet152`."""
    names = {"conv": "conv1", "norm": "bn1"}
    for stage, depth in enumerate(depths):
        for i in range(depth):
            our, their = f"stage_{stage}_block_{i}", f"layer{stage + 1}.{i}"
            names |= {f"{our}/conv_{j}": f"{their}.conv{j + 1}" for j in range(3)}
            names |= {f"{our}/norm_{j}": f"{their}.bn{j + 1}" for j in range(3)}
            if i == 0:  # the channels change at the start of every stage
                names |= {f"{our}/shortcut": f"{their}.downsample.0", f"{our}/shortcut_norm": f"{their}.downsample.1"}
    return {f"{ours}/{our}": their for our, their in names.items()}
