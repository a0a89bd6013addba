"""RDN: residual dense network for image super-resolution.

Zhang, Tian, Kong, Zhong and Fu, CVPR 2018, https://arxiv.org/abs/1802.08797

    image -> conv -+-> conv -> dense block x blocks -> all their results -> conv 1, conv 3 -> + -> upsample -> conv -> image
                   `--------------------------------------------------------------------------^
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.dense import ResidualDenseBlock
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.sub_pixel import PixelShuffleUpsample, upsample_names, upsample_stages
from jaxrestore.typing import DType, Image


class RDN(nn.Module):
    """Residual dense blocks whose results are all fused at the end.

    Attributes:
      scale: enlargement: 2, 3, 4 or 8.
      features: channels between the blocks (G0 in the paper).
      growth: channels that each layer of a block adds (G), and of the sub-pixel tail.
      blocks: number of residual dense blocks (D).
      depth: layers in a block (C).
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), not clipped.
    """

    scale: int = 4
    features: int = 64
    growth: int = 64
    blocks: int = 16
    depth: int = 8
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        options = dict(**TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, **options)
        # The reference works on 0..255, without a mean.
        shallow = conv(self.features, name="head_0")(255.0 * image)
        x = conv(self.features, name="head_1")(shallow)
        results = []
        for i in range(self.blocks):
            x = ResidualDenseBlock(self.features, self.growth, self.depth, **options, name=f"block_{i}")(x)
            results.append(x)
        x = conv(self.features, 1, name="fusion_0")(jnp.concatenate(results, -1))
        x = shallow + conv(self.features, name="fusion_1")(x)
        x = PixelShuffleUpsample(self.scale, self.growth, **options, name="upsample")(x)
        return conv(self.channels, name="tail")(x).astype(image.dtype) / 255.0


def reference_names(model: RDN) -> dict[str, str]:
    """Our module paths -> the module names of sanghyun-son/EDSR-PyTorch, whose RDN equals the authors' Torch7 code."""
    names = {"head_0": "SFENet1", "head_1": "SFENet2", "fusion_0": "GFF.0", "fusion_1": "GFF.1"}
    for b in range(model.blocks):
        names |= {f"block_{b}/conv_{i}": f"RDBs.{b}.convs.{i}.conv.0" for i in range(model.depth)}
        names[f"block_{b}/fusion"] = f"RDBs.{b}.LFF"
    names |= upsample_names("upsample", "UPNet", model.scale)
    return {**names, "tail": f"UPNet.{2 * len(upsample_stages(model.scale))}"}


_card = partial(
    ModelCard,
    module=RDN,
    task="super_resolution",
    paper="https://arxiv.org/abs/1802.08797",
    reference="sanghyun-son/EDSR-PyTorch (MIT), equal to yulunzhang/RDN (no licence stated)",
    reference_names=reference_names,
)
_small = dict(growth=32, blocks=20, depth=6)  # configuration A of the reference

CARDS = (
    _card(
        name="rdn_x2",
        scale=2,
        fields=dict(scale=2),
        parameters=22_123_395,
        published={"Set5": (38.24, 0.9614), "Set14": (34.01, 0.9212), "B100": (32.34, 0.9017), "Urban100": (32.89, 0.9353)},
    ),
    _card(
        name="rdn_x3",
        scale=3,
        fields=dict(scale=3),
        parameters=22_308_035,
        published={"Set5": (34.71, 0.9296), "Set14": (30.57, 0.8468), "B100": (29.26, 0.8093), "Urban100": (28.80, 0.8653)},
    ),
    _card(
        name="rdn_x4",
        scale=4,
        fields=dict(scale=4),
        parameters=22_271_107,
        published={"Set5": (32.47, 0.8990), "Set14": (28.81, 0.7871), "B100": (27.72, 0.7419), "Urban100": (26.61, 0.8028)},
    ),
    _card(name="rdn_small_x2", scale=2, fields=dict(scale=2, **_small), parameters=5_541_795),
    _card(name="rdn_small_x3", scale=3, fields=dict(scale=3, **_small), parameters=5_634_115),
    _card(name="rdn_small_x4", scale=4, fields=dict(scale=4, **_small), parameters=5_578_787),
)
