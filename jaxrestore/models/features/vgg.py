"""VGG-16 and VGG-19: very deep convolutional networks, as extractors of features.

Simonyan and Zisserman, ICLR 2015, https://arxiv.org/abs/1409.1556 (configurations D and E)

    image -> [conv1, ReLU] x 2 -> pool1 -> [conv2, ReLU] x 2 -> pool2 -> [conv3, ReLU] x 3 -> pool3 -> ... -> pool5
              64 channels                   128                          256 (x 4 in VGG-19)          512

Layers are named as in the literature: "conv5_4" is the fourth convolution before the fifth pooling (what ESRGAN's loss compares),
"relu2_2" the second group's last activation (Johnson's), "pool1" a pooling.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.imagenet import standardise
from jaxrestore.ops.unpooling import max_pool
from jaxrestore.typing import DType, Image

WIDTHS = (64, 128, 256, 512, 512)
"""Channels of the five groups."""

GROUPS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""Depth -> convolutions of each group."""

LPIPS_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
"""The layers of VGG-16 that LPIPS compares."""

REFERENCE_IGNORED = ("classifier.",)


class VGG(nn.Module):
    """The convolutions of VGG-16 or VGG-19: features of an image, from chosen layers.

    Attributes:
      depth: 16 or 19.
      layers: names of the layers whose output is wanted: "convG_I", "reluG_I" or "poolG". Nothing beyond the deepest is computed.
      channel_divisor: widths are divided by it; 1 is the published network.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, 3) in [0, 1], standardised inside (one channel is taken as grey). Gives one array for each of `layers`, in that order.
    """

    depth: int = 16
    layers: tuple[str, ...] = LPIPS_LAYERS
    channel_divisor: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> tuple[jax.Array, ...]:
        """Features of the chosen layers."""
        plan = _plan(self.depth)
        unknown = [name for name in self.layers if name not in plan]
        if unknown or not self.layers:
            raise InputError(f"VGG-{self.depth} has no layer {unknown or 'to give'}: its layers are {', '.join(plan)}")
        # Every parameter is made, wherever the computation may stop later.
        last = max([plan.index(name) for name in self.layers] + [len(plan) - 2] * self.is_initializing())
        least = 2 ** sum(name.startswith("pool") for name in plan[: last + 1])
        if min(image.shape[-3:-1]) < least:
            raise InputError(f"VGG-{self.depth} needs {least}x{least} pixels for {plan[last]}, got the shape {image.shape}")
        x = standardise(image)
        features = {}
        for name in plan[: last + 1]:
            if name.startswith("conv"):
                width = WIDTHS[int(name[4]) - 1] // self.channel_divisor
                x = Conv(width, dtype=self.dtype, param_dtype=self.param_dtype, name=name)(x)
            else:
                x = max_pool(x) if name.startswith("pool") else nn.relu(x)
            features[name] = x
        return tuple(features[name] for name in self.layers)


def _plan(depth: int) -> list[str]:
    """Names of all layers in order; a layer's place is its number in torchvision's `features`."""
    if depth not in GROUPS:
        raise InputError(f"VGG: depth is {depth!r}: it must be one of {', '.join(map(str, GROUPS))}")
    plan = []
    for group, convolutions in enumerate(GROUPS[depth], start=1):
        plan += [f"{kind}{group}_{i}" for i in range(1, convolutions + 1) for kind in ("conv", "relu")]
        plan.append(f"pool{group}")
    return plan


def reference_names(model: VGG) -> dict[str, str]:
    """Our module paths -> the names in torchvision's `vgg16` and `vgg19`."""
    return {name: f"features.{place}" for place, name in enumerate(_plan(model.depth)) if name.startswith("conv")}
