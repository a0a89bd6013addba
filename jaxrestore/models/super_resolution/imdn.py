"""IMDN: lightweight image super-resolution with information multi-distillation network.

Hui, Gao, Yang and Wang, ACM Multimedia 2019, https://arxiv.org/abs/1909.11856

    image -> conv -+-> block x depth -> all their results -> conv 1, LeakyReLU -> conv -> + -> conv -> pixel shuffle -> image
                   `----------------------------------------------------------------------^
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.channel_attention import ChannelAttention, contrast
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.ops.pixel_shuffle import pixel_shuffle
from jaxrestore.typing import DType, Image

_leaky = partial(nn.leaky_relu, negative_slope=0.05)


class MultiDistillationBlock(nn.Module):
    """Three times a quarter of the channels is kept and the rest refined; what was kept is fused under contrast-aware attention.

    Attributes:
      features: channels.
      reduction: of the channels inside the attention.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, features).

    Reference: section 3.2 and figure 3 of the paper.
    """

    features: int = 64
    reduction: int = 16
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Refine."""
        options = dict(**TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        share = self.features // 4
        kept, x = [], image
        for i in range(3):
            x = _leaky(Conv(self.features, **options, name=f"conv_{i}")(x))
            kept.append(x[..., :share])
            x = x[..., share:]
        kept.append(Conv(share, **options, name="conv_3")(x))
        x = ChannelAttention(self.reduction, contrast, **options, name="attention")(jnp.concatenate(kept, -1))
        return image + Conv(self.features, 1, **options, name="fusion")(x)


class IMDN(nn.Module):
    """Multi-distillation blocks, fused, and a sub-pixel tail in one step.

    Attributes:
      scale: enlargement.
      features: channels of every hidden layer.
      depth: number of blocks.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), not clipped. The attention looks at the whole image.
    """

    scale: int = 4
    features: int = 64
    depth: int = 6
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, **TORCH_INIT, **types)
        shallow = conv(self.features, name="head")(image)
        x, results = shallow, []
        for i in range(self.depth):
            x = MultiDistillationBlock(self.features, **types, name=f"block_{i}")(x)
            results.append(x)
        x = _leaky(conv(self.features, 1, name="fusion")(jnp.concatenate(results, -1)))
        x = shallow + conv(self.features, name="body_end")(x)
        return pixel_shuffle(conv(self.channels * self.scale**2, name="tail")(x), self.scale).astype(image.dtype)


def reference_names(model: IMDN) -> dict[str, str]:
    """Our module paths -> the module names of Zheng222/IMDN."""
    names = {"head": "fea_conv", "fusion": "c.0", "body_end": "LR_conv", "tail": "upsampler.0"}
    for b in range(model.depth):
        theirs = f"IMDB{b + 1}"
        names |= {f"block_{b}/conv_{i}": f"{theirs}.c{i + 1}" for i in range(4)}
        names |= {f"block_{b}/fusion": f"{theirs}.c5"}
        names |= {f"block_{b}/attention/squeeze": f"{theirs}.cca.conv_du.0", f"block_{b}/attention/excite": f"{theirs}.cca.conv_du.2"}
    return names


_card = partial(
    ModelCard,
    module=IMDN,
    task="super_resolution",
    paper="https://arxiv.org/abs/1909.11856",
    reference="Zheng222/IMDN (no licence stated)",
    reference_names=reference_names,
)

CARDS = (
    _card(name="imdn_x2", scale=2, fields=dict(scale=2), parameters=694_404, published={"Set5": 38.00}),
    _card(name="imdn_x3", scale=3, fields=dict(scale=3), parameters=703_059, published={"Set5": 34.36}),
    _card(name="imdn_x4", scale=4, fields=dict(scale=4), parameters=715_176, published={"Set5": 32.21}),
)
