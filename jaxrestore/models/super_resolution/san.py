"""SAN: second-order attention network for single-image super-resolution.

Dai, Cai, Zhang, Xia and Zhang, CVPR 2019

    image -> head -+-> non-local -+-> [group, + gamma * s] x groups -> non-local -> + -> upsample -> conv -> image
                   |              `- s                                              |
                   `----------------------------------------------------------------^
    group:  -+-> [conv, ReLU, conv, +] x depth -> second-order channel attention -> conv -> + ->
             `------------------------------------------------------------------------------^
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.color import DIV2K_MEAN
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT, parameter, zeros
from jaxrestore.nn.nonlocal_attention import NonLocal
from jaxrestore.nn.residual import ResidualBlock
from jaxrestore.nn.second_order_attention import SecondOrderChannelAttention
from jaxrestore.nn.sub_pixel import PixelShuffleUpsample, upsample_names
from jaxrestore.typing import DType, Image


class SAN(nn.Module):
    """Residual groups with second-order attention, between two applications of the same non-local module.

    Attributes:
      scale: enlargement: 2, 3, 4 or 8.
      features: channels of every hidden layer.
      groups: number of residual groups.
      depth: residual blocks in a group.
      reduction: of the channels inside the attention.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), not clipped; H and W are at least 2. The non-local module
    looks at quarters of the image, the channel attention at all of it.
    """

    scale: int = 4
    features: int = 64
    groups: int = 20
    depth: int = 10
    reduction: int = 16
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, **TORCH_INIT, **types)
        attend = NonLocal(self.features // 8, pool=2, **types, name="nonlocal")
        gamma = parameter(self, "gamma", zeros, (1,), self.param_dtype)
        shallow = conv(self.features, name="head")(255.0 * (image - DIV2K_MEAN))
        start = x = _by_quarters(attend, shallow)
        for i in range(self.groups):
            x = self._group(x, i) + jnp.asarray(gamma, x.dtype).reshape(1, 1, 1, 1) * start
        x = shallow + _by_quarters(attend, x)
        x = PixelShuffleUpsample(self.scale, self.features, **TORCH_INIT, **types, name="upsample")(x)
        if self.is_initializing():  # in the reference's files and in its count of parameters, but without a use
            conv(self.features, name="unused")(shallow)
            SecondOrderChannelAttention(8, **types, name="unused_attention")(shallow)
            for i in range(self.groups):
                parameter(self, f"unused_gamma_{i}", zeros, (1,), self.param_dtype)
        return conv(self.channels, name="tail")(x).astype(image.dtype) / 255.0 + DIV2K_MEAN

    def _group(self, image: Image, number: int) -> Image:
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        x = image
        for i in range(self.depth):
            x = ResidualBlock(self.features, **TORCH_INIT, **types, name=f"group_{number}_block_{i}")(x)
        x = SecondOrderChannelAttention(self.reduction, **types, name=f"group_{number}_attention")(x)
        return image + Conv(self.features, **TORCH_INIT, **types, name=f"group_{number}_end")(x)


def _by_quarters(module: NonLocal, image: Image) -> Image:
    height, width = (side // 2 for side in image.shape[1:3])
    rows = [jnp.concatenate([module(part[:, :, :width]), module(part[:, :, width:])], 2) for part in (image[:, :height], image[:, height:])]
    return jnp.concatenate(rows, 1)


def reference_names(model: SAN) -> dict[str, str]:
    """Our module paths -> the module names of daitao/SAN."""
    names = {"head": "head.0", "tail": "tail.1", "unused": "conv_last", ".gamma": "gamma"}
    parts = {"theta": "theta", "phi": "phi.0", "g": "g.0", "W": "W"}
    names |= {f"nonlocal/{ours}": f"non_local.non_local.{theirs}" for ours, theirs in parts.items()}
    for ours, theirs in {
        "unused_attention": "non_local.soca",
        **{f"group_{g}_attention": f"RG.{g}.soca" for g in range(model.groups)},
    }.items():
        names |= {f"{ours}/squeeze": f"{theirs}.conv_du.0", f"{ours}/excite": f"{theirs}.conv_du.2"}
    for g in range(model.groups):
        for b in range(model.depth):
            names |= {f"group_{g}_block_{b}/conv_{i}": f"RG.{g}.rcab.{b}.conv_first.{2 * i}" for i in range(2)}
        names |= {f"group_{g}_end": f"RG.{g}.conv_last", f".unused_gamma_{g}": f"RG.{g}.gamma"}
    return names | upsample_names("upsample", "tail.0", model.scale)


REFERENCE_IGNORED = ("sub_mean", "add_mean")  # the constant DIV2K_MEAN; the authors' files hold a slightly trained copy of it

_card = partial(
    ModelCard,
    module=SAN,
    task="super_resolution",
    paper="https://openaccess.thecvf.com/content_CVPR_2019/html/Dai_Second-Order_Attention_Network_for_Single_Image_Super-Resolution_CVPR_2019_paper.html",
    reference="daitao/SAN (no licence stated)",
    reference_names=reference_names,
    reference_ignored=REFERENCE_IGNORED,
    notes="38,044 of the parameters have no use, as in the reference",
)

CARDS = (
    _card(
        name="san_x2",
        scale=2,
        fields=dict(scale=2),
        parameters=15_712_776,
        published={"Set5": (38.31, 0.9620), "Set14": (34.07, 0.9213), "B100": (32.42, 0.9028), "Urban100": (33.10, 0.9370)},
    ),
    _card(
        name="san_x3",
        scale=3,
        fields=dict(scale=3),
        parameters=15_897_416,
        published={"Set5": (34.75, 0.9300), "Set14": (30.59, 0.8476), "B100": (29.33, 0.8112), "Urban100": (28.93, 0.8671)},
    ),
    _card(
        name="san_x4",
        scale=4,
        fields=dict(scale=4),
        parameters=15_860_488,
        published={"Set5": (32.64, 0.9003), "Set14": (28.92, 0.7888), "B100": (27.78, 0.7436), "Urban100": (26.79, 0.8068)},
    ),
)
