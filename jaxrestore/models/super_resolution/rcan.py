"""RCAN: image super-resolution using very deep residual channel attention networks.

Zhang, Li, Li, Wang, Zhong and Fu, ECCV 2018, https://arxiv.org/abs/1807.02758

    image -> head -+-> group x groups -> conv -> + -> upsample -> conv -> image
                   `-----------------------------^
    group:  -+-> block x depth -> conv -> + ->        block:  -+-> conv, ReLU, conv, channel attention -> + ->
             `----------------------------^                    `------------------------------------------^
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.channel_attention import ResidualGroup, residual_group_names
from jaxrestore.nn.color import DIV2K_MEAN
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.sub_pixel import PixelShuffleUpsample, upsample_names
from jaxrestore.typing import DType, Image


class RCAN(nn.Module):
    """Residual groups in a residual network, every block with channel attention.

    Attributes:
      scale: enlargement: 2, 3, 4 or 8.
      features: channels of every hidden layer.
      groups: number of residual groups.
      depth: blocks in a group.
      reduction: of the channels inside the attention.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), not clipped. The attention averages over the whole image.
    """

    scale: int = 4
    features: int = 64
    groups: int = 10
    depth: int = 20
    reduction: int = 16
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        options = dict(**TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        shallow = Conv(self.features, **options, name="head")(255.0 * (image - DIV2K_MEAN))
        x = shallow
        for i in range(self.groups):
            x = ResidualGroup(self.features, self.depth, self.reduction, **options, name=f"group_{i}")(x)
        x = shallow + Conv(self.features, **options, name="body_end")(x)
        x = PixelShuffleUpsample(self.scale, self.features, **options, name="upsample")(x)
        return Conv(self.channels, **options, name="tail")(x).astype(image.dtype) / 255.0 + DIV2K_MEAN


def reference_names(model: RCAN) -> dict[str, str]:
    """Our module paths -> the module names of yulunzhang/RCAN."""
    names = {"head": "head.0", "body_end": f"body.{model.groups}", "tail": "tail.1"}
    for g in range(model.groups):
        names |= residual_group_names(f"group_{g}", f"body.{g}", model.depth)
    return names | upsample_names("upsample", "tail.0", model.scale)


REFERENCE_IGNORED = ("sub_mean", "add_mean")  # the constant DIV2K_MEAN; the authors' files hold a slightly trained copy of it

_card = partial(
    ModelCard,
    module=RCAN,
    task="super_resolution",
    paper="https://arxiv.org/abs/1807.02758",
    reference="yulunzhang/RCAN (no licence stated)",
    reference_names=reference_names,
    reference_ignored=REFERENCE_IGNORED,
    notes="published scores were measured with overlapping quarters of large images, which changes them slightly",
)

CARDS = (
    _card(
        name="rcan_x2",
        scale=2,
        fields=dict(scale=2),
        parameters=15_444_643,
        published={"Set5": (38.27, 0.9614), "Set14": (34.12, 0.9216), "B100": (32.41, 0.9027), "Urban100": (33.34, 0.9384)},
    ),
    _card(
        name="rcan_x3",
        scale=3,
        fields=dict(scale=3),
        parameters=15_629_283,
        published={"Set5": (34.74, 0.9299), "Set14": (30.65, 0.8482), "B100": (29.32, 0.8111), "Urban100": (29.09, 0.8702)},
    ),
    _card(
        name="rcan_x4",
        scale=4,
        fields=dict(scale=4),
        parameters=15_592_355,
        published={"Set5": (32.63, 0.9002), "Set14": (28.87, 0.7889), "B100": (27.77, 0.7436), "Urban100": (26.82, 0.8087)},
    ),
)
