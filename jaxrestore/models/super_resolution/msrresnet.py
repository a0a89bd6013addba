"""MSRResNet: the residual network without normalisation that ESRGAN's authors train beside theirs.

Wang et al., "ESRGAN", ECCV Workshops 2018, https://arxiv.org/abs/1809.00219 (a form of SRResNet, CVPR 2017)

    image -+-> conv, LeakyReLU -> [conv, ReLU, conv, +] x depth -> [conv, shuffle, LeakyReLU] x stages -> conv, LeakyReLU -> conv -> +
           `--------------------------------------- bilinear -----------------------------------------------------------------------^
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import VarianceScaling
from jaxrestore.nn.residual import ResidualBlock
from jaxrestore.nn.sub_pixel import PixelShuffleUpsample, upsample_stages
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.typing import DType, Image

_small = VarianceScaling(gain=0.1 * 2**0.5)  # a tenth of He's, throughout, as the reference does


class MSRResNet(nn.Module):
    """Residual blocks and a sub-pixel tail, added to the bilinearly enlarged image.

    Attributes:
      scale: enlargement: 2, 3 or 4.
      features: channels of every hidden layer.
      depth: number of residual blocks.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), not clipped.
    """

    scale: int = 4
    features: int = 64
    depth: int = 16
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        leaky = partial(nn.leaky_relu, negative_slope=0.1)
        options = dict(kernel_init=_small, dtype=self.dtype, param_dtype=self.param_dtype)
        x = leaky(Conv(self.features, **options, name="head")(image))
        for i in range(self.depth):
            x = ResidualBlock(self.features, **options, name=f"block_{i}")(x)
        x = PixelShuffleUpsample(self.scale, self.features, leaky, **options, name="upsample")(x)
        x = leaky(Conv(self.features, **options, name="high_resolution")(x))
        x = Conv(self.channels, **options, name="tail")(x)
        return x.astype(image.dtype) + interpolate(image, self.scale, method="bilinear")


def reference_names(model: MSRResNet) -> dict[str, str]:
    """Our module paths -> the module names of XPixelGroup/BasicSR."""
    names = {"head": "conv_first", "high_resolution": "conv_hr", "tail": "conv_last"}
    for i in range(model.depth):
        names |= {f"block_{i}/conv_0": f"body.{i}.conv1", f"block_{i}/conv_1": f"body.{i}.conv2"}
    for i in range(len(upsample_stages(model.scale))):
        names[f"upsample/conv_{i}"] = f"upconv{i + 1}"
    return names


_card = partial(
    ModelCard,
    module=MSRResNet,
    task="super_resolution",
    paper="https://arxiv.org/abs/1809.00219",
    reference="XPixelGroup/BasicSR (Apache-2.0)",
    reference_names=reference_names,
)

CARDS = (
    _card(name="msrresnet_x2", scale=2, fields=dict(scale=2), parameters=1_369_859),
    _card(name="msrresnet_x3", scale=3, fields=dict(scale=3), parameters=1_554_499),
    _card(name="msrresnet_x4", scale=4, fields=dict(scale=4), parameters=1_517_571),
)
