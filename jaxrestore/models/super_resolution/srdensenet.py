"""SRDenseNet: image super-resolution using dense skip connections.

Tong, Li, Liu and Gao, ICCV 2017

    luma -> conv -> dense block x blocks -> 1x1 -> [transposed conv, ReLU] x 2 -> conv -> luma         ReLU after every layer but the last

A block's first layer sees everything before the block, the others what the block itself has given so far.
"""

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.typing import DType, Image


class SRDenseNet(nn.Module):
    """Dense blocks whose results are all kept (SRDenseNet_All); enlarges by 4.

    Attributes:
      growth: channels that each layer of a block adds.
      blocks: number of dense blocks.
      depth: layers in a block; the first convolution has growth * depth channels.
      bottleneck: channels of the 1x1 convolution and the transposed ones.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, 4*H, 4*W, channels), not clipped.
    """

    growth: int = 16
    blocks: int = 8
    depth: int = 8
    bottleneck: int = 256
    channels: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        x = nn.relu(Conv(self.growth * self.depth, **types, name="head")(image))
        for b in range(self.blocks):
            new = nn.relu(Conv(self.growth, **types, name=f"block_{b}_conv_0")(x))
            for i in range(1, self.depth):
                layer = nn.relu(Conv(self.growth, **types, name=f"block_{b}_conv_{i}")(new))
                new = jnp.concatenate([new, layer], -1)
            x = jnp.concatenate([x, new], -1)
        x = nn.relu(Conv(self.bottleneck, 1, **types, name="bottleneck")(x))
        for i in range(2):
            x = nn.relu(ConvTranspose(self.bottleneck, 3, 2, 1, 1, **types, name=f"enlarge_{i}")(x))
        return Conv(self.channels, **types, name="tail")(x).astype(image.dtype)


def reference_names(model: SRDenseNet) -> dict[str, str]:
    """Our module paths -> the module names of yjn870/SRDenseNet-pytorch."""
    names = {"head": "conv.conv", "bottleneck": "bottleneck.0", "tail": "reconstruction"}
    for b in range(model.blocks):
        names |= {f"block_{b}_conv_{i}": f"dense_blocks.{b}.block.{i}.conv" for i in range(model.depth)}
    return {**names, "enlarge_0": "deconv.0", "enlarge_1": "deconv.2"}


CARDS = (
    ModelCard(
        name="srdensenet_x4",
        module=SRDenseNet,
        task="super_resolution",
        paper="https://openaccess.thecvf.com/content_iccv_2017/html/Tong_Image_Super-Resolution_Using_ICCV_2017_paper.html",
        channels=1,
        scale=4,
        parameters=2_659_585,
        published={"Set5": (32.02, 0.8934), "Set14": (28.50, 0.7782), "B100": (27.53, 0.7337), "Urban100": (26.05, 0.7819)},
        reference="yjn870/SRDenseNet-pytorch (no licence stated)",
        reference_names=reference_names,
        notes="no code by the authors; the literature counts 2,015K or 5,452K, this is the count with 3x3 transposed convolutions",
    ),
)
