"""Attention U-Net: learning where to look for the pancreas.

Oktay et al., MIDL 2018, https://arxiv.org/abs/1804.03999

    image -> double -+-------------------------------> gate ------> concatenate -> double -> conv 1x1 -> image
                     `-> pool, double -+----> gate -> concatenate -> double, up -^
                                       `-> pool, double, up -^

U-Net with an attention gate on each skip: the decoder's features at a size say which of the encoder's are passed on. This is the
two-dimensional form of LeeJunHyun/Image_Segmentation; the authors' own network segments volumes, and its gate is
`nn.attention_gates.GridAttentionGate`. No score in restoration was ever published.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.attention_gates import AdditiveAttentionGate, additive_attention_gate_names
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.conv_block import ConvBlock, ConvUnit
from jaxrestore.nn.initialise import TORCH_INIT, torch_default
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.ops.unpooling import max_pool
from jaxrestore.typing import DType, Image


class AttentionUNet(nn.Module):
    """A U-Net with additive attention gates on its skips.

    Attributes:
      features: channels at full size; they double at each level.
      levels: number of poolings by 2.
      channels: image channels.
      residual: the network predicts what is added to the image.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], not clipped. Other sizes than multiples of `multiple` are reflected at the bottom and
    right and cropped back.
    """

    features: int = 64
    levels: int = 4
    channels: int = 3
    residual: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return 2**self.levels

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Restore."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        double = partial(ConvBlock, use_bias=True, kernel_init=torch_default, **types)
        x = pad_to_multiple(image, self.multiple)
        skips: list[jax.Array] = []
        for level in range(self.levels):
            x = double(self.features * 2**level, name=f"encoder_{level}")(x, train)
            skips.append(x)
            x = max_pool(x)
        x = double(self.features * 2**self.levels, name=f"encoder_{self.levels}")(x, train)
        for level in reversed(range(self.levels)):
            width = self.features * 2**level
            up = ConvUnit(width, use_bias=True, kernel_init=torch_default, **types, name=f"up_{level}")
            x = up(interpolate(x, scale=2, method="nearest"), train)
            gated = AdditiveAttentionGate(width // 2, **types, name=f"gate_{level}")(skips.pop(), x, train)
            x = double(width, name=f"decoder_{level}")(jnp.concatenate([gated, x], -1), train)
        x = Conv(self.channels, 1, **TORCH_INIT, **types, name="last")(x).astype(image.dtype)
        x = crop(x, image.shape[1:3])
        return image + x if self.residual else x


def reference_names(model: AttentionUNet) -> dict[str, str]:
    """Our module paths -> the module names of LeeJunHyun/Image_Segmentation."""
    names = {"last": "Conv_1x1"}

    def double(ours: str, theirs: str) -> dict[str, str]:
        return {f"{ours}/unit_{i}/{kind}": f"{theirs}.conv.{3 * i + j}" for i in range(2) for j, kind in enumerate(("conv", "norm"))}

    for level in range(model.levels + 1):
        names |= double(f"encoder_{level}", f"Conv{level + 1}")
    for level in range(model.levels):
        names |= double(f"decoder_{level}", f"Up_conv{level + 2}")
        names |= {f"up_{level}/conv": f"Up{level + 2}.up.1", f"up_{level}/norm": f"Up{level + 2}.up.2"}
        names |= additive_attention_gate_names(f"gate_{level}", f"Att{level + 2}")
    return names


CARDS = (
    ModelCard(
        name="attention_unet",
        module=AttentionUNet,
        task="restoration",
        paper="https://arxiv.org/abs/1804.03999",
        multiple=16,
        blind=True,
        parameters=34_878_703,
        reference="LeeJunHyun/Image_Segmentation (no licence stated)",
        reference_names=reference_names,
        notes="linear output, for restoration; published for segmentation alone (Dice)",
    ),
)
