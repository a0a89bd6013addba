"""EDSR: enhanced deep residual networks for single-image super-resolution.

Lim, Son, Kim, Nah and Lee, CVPR Workshops 2017, https://arxiv.org/abs/1707.02921

    image -> head -+-> [conv, ReLU, conv, +] x depth -> conv -> + -> upsample -> conv -> image
                   `--------------------------------------------^
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.color import DIV2K_MEAN
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.inner_channels import InnerChannels, kept
from jaxrestore.nn.residual import ResidualBlock
from jaxrestore.nn.sub_pixel import PixelShuffleUpsample, upsample_names
from jaxrestore.typing import DType, Image


class EDSR(nn.Module):
    """A residual network without normalisation and with a sub-pixel tail.

    Attributes:
      scale: enlargement: 2, 3, 4 or 8.
      features: channels of every hidden layer.
      depth: number of residual blocks.
      block_features: channels inside the blocks, fewer in a pruned network; None for `features`.
      residual_scale: factor on each block's branch before its skip (section 3.3; 0.1 for the full network).
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), not clipped.
    """

    scale: int = 4
    features: int = 64
    depth: int = 16
    residual_scale: float = 1.0
    channels: int = 3
    block_features: int | None = None
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        options = dict(**TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        # The reference works on 0..255 with the mean of DIV2K taken off; its weights expect that range.
        shallow = Conv(self.features, **options, name="head")(255.0 * (image - DIV2K_MEAN))
        x = shallow
        for i in range(self.depth):
            block = ResidualBlock(self.features, self.residual_scale, inner=self.block_features, **options, name=f"block_{i}")
            x = block(x)
        x = shallow + Conv(self.features, **options, name="body_end")(x)
        x = PixelShuffleUpsample(self.scale, self.features, **options, name="upsample")(x)
        return Conv(self.channels, **options, name="tail")(x).astype(image.dtype) / 255.0 + DIV2K_MEAN

    def narrowed(self, share: float | int) -> "EDSR":
        """The network with this share of the channels inside its blocks."""
        return self.clone(block_features=kept(self.block_features or self.features, share))

    def inner_channels(self) -> tuple[InnerChannels, ...]:
        """Those between the two convolutions of each block."""
        return tuple(InnerChannels((f"block_{i}/conv_0",), (f"block_{i}/conv_1",)) for i in range(self.depth))


def reference_names(model: EDSR) -> dict[str, str]:
    """Our module paths -> the module names of sanghyun-son/EDSR-PyTorch."""
    names = {"head": "head.0", "body_end": f"body.{model.depth}", "tail": "tail.1"}
    for i in range(model.depth):
        names |= {f"block_{i}/conv_0": f"body.{i}.body.0", f"block_{i}/conv_1": f"body.{i}.body.2"}
    return names | upsample_names("upsample", "tail.0", model.scale)


REFERENCE_IGNORED = ("sub_mean", "add_mean")  # fixed 1x1 convolutions; ours is the constant DIV2K_MEAN

_card = partial(
    ModelCard,
    module=EDSR,
    task="super_resolution",
    paper="https://arxiv.org/abs/1707.02921",
    reference="sanghyun-son/EDSR-PyTorch (MIT)",
    reference_names=reference_names,
    reference_ignored=REFERENCE_IGNORED,
)
_full = dict(features=256, depth=32, residual_scale=0.1)

CARDS = (
    _card(
        name="edsr_baseline_x2",
        scale=2,
        fields=dict(scale=2),
        parameters=1_369_859,
        published={"Set5": (37.99, 0.9604), "Set14": (33.57, 0.9175), "B100": (32.16, 0.8994), "Urban100": (31.98, 0.9272)},
    ),
    _card(name="edsr_baseline_x3", scale=3, fields=dict(scale=3), parameters=1_554_499),
    _card(
        name="edsr_baseline_x4",
        scale=4,
        fields=dict(scale=4),
        parameters=1_517_571,
        published={"Set5": (32.09, 0.8938), "Set14": (28.58, 0.7813), "B100": (27.57, 0.7357), "Urban100": (26.04, 0.7849)},
    ),
    _card(
        name="edsr_x2",
        scale=2,
        fields=dict(scale=2, **_full),
        parameters=40_729_603,
        published={"Set5": (38.11, 0.9602), "Set14": (33.92, 0.9195), "B100": (32.32, 0.9013), "Urban100": (32.93, 0.9351)},
    ),
    _card(
        name="edsr_x3",
        scale=3,
        fields=dict(scale=3, **_full),
        parameters=43_680_003,
        published={"Set5": (34.65, 0.9280), "Set14": (30.52, 0.8462), "B100": (29.25, 0.8093), "Urban100": (28.80, 0.8653)},
    ),
    _card(
        name="edsr_x4",
        scale=4,
        fields=dict(scale=4, **_full),
        parameters=43_089_923,
        published={"Set5": (32.46, 0.8968), "Set14": (28.80, 0.7876), "B100": (27.71, 0.7420), "Urban100": (26.64, 0.8033)},
    ),
)
