"""RNAN: residual non-local attention networks for image restoration.

Zhang, Li, Li, Zhong and Fu, ICLR 2019, https://arxiv.org/abs/1903.10082

    image -> head -+-> non-local group -> local group x depth -> conv -> non-local group -> + -> upsample -> conv -> image
                   `------------------------------------------------------------------------^
    group:  block -+-> block, block (trunk) -> * -> + -> block, block -> conv
                   |-> mask ------------------^     |
                   `--------------------------------^
    mask:   [non-local] block -+-> strided conv -> block, block -> transposed conv -> + -> block -> 1x1 -> sigmoid
                               `------------------------------------------------------^
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.color import DIV2K_MEAN
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.nonlocal_attention import NonLocal
from jaxrestore.nn.residual import ResidualBlock
from jaxrestore.nn.sub_pixel import PixelShuffleUpsample, upsample_names
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.typing import DType, Image


class AttentionGroup(nn.Module):
    """A residual attention block and a convolution.

    Attributes:
      features: channels.
      nonlocal_mask: the mask branch begins with non-local attention.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, features) of even sides.
    """

    features: int
    nonlocal_mask: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Refine."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        block = partial(ResidualBlock, self.features, **TORCH_INIT, **types)
        conv = partial(Conv, self.features, **TORCH_INIT, **types)
        x = block(name="head")(image)
        trunk = block(name="trunk_1")(block(name="trunk_0")(x))
        mask = NonLocal(self.features // 2, "queries", **types, name="mask_nonlocal")(x) if self.nonlocal_mask else x
        mask = block(name="mask_head")(mask)
        low = conv(strides=2, name="mask_down")(mask)
        low = block(name="mask_1")(block(name="mask_0")(low))
        mask = mask + ConvTranspose(self.features, 6, 2, 2, **TORCH_INIT, **types, name="mask_up")(low)
        mask = nn.sigmoid(conv(kernel_size=1, name="mask_end")(block(name="mask_tail")(mask)))
        x = block(name="tail_1")(block(name="tail_0")(trunk * mask + x))
        return conv(name="end")(x)


class RNAN(nn.Module):
    """Groups with local masks between two groups with non-local masks.

    Attributes:
      scale: enlargement: 1 (restoration, the size is kept), 2, 3 or 4.
      features: channels of every hidden layer.
      depth: number of local groups.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), not clipped. Odd sides are padded by reflection and cropped
    back. Memory grows with the square of the number of pixels.
    """

    scale: int = 4
    features: int = 64
    depth: int = 8
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, **TORCH_INIT, **types)
        group = partial(AttentionGroup, self.features, **types)
        height, width = image.shape[1:3]
        shallow = conv(self.features, name="head")(255.0 * (pad_to_multiple(image, 2) - DIV2K_MEAN))
        x = group(nonlocal_mask=True, name="nonlocal_low")(shallow)
        for i in range(self.depth):
            x = group(name=f"group_{i}")(x)
        x = group(nonlocal_mask=True, name="nonlocal_high")(conv(self.features, name="body_end")(x))
        x = PixelShuffleUpsample(self.scale, self.features, **TORCH_INIT, **types, name="upsample")(shallow + x)
        x = conv(self.channels, name="tail")(x).astype(image.dtype) / 255.0 + DIV2K_MEAN
        return crop(x, (self.scale * height, self.scale * width))


def reference_names(model: RNAN) -> dict[str, str]:
    """Our module paths -> the module names of yulunzhang/RNAN."""
    names = {"head": "head.0", "body_end": f"body.{model.depth}", "tail": "tail.1"}
    groups = {f"group_{i}": f"body.{i}" for i in range(model.depth)} | {
        "nonlocal_low": "body_nl_low.0",
        "nonlocal_high": "body_nl_high.0",
    }
    for ours, theirs in groups.items():
        stem, after = f"{theirs}.body.0", 1 if ours.startswith("nonlocal") else 0
        blocks = {
            "head": "RA_RB1.0",
            "trunk_0": "RA_TB.0.body.0",
            "trunk_1": "RA_TB.0.body.1",
            "mask_head": f"RA_MB.0.MB_RB1.{after}",
            "mask_0": "RA_MB.0.MB_RB2.0",
            "mask_1": "RA_MB.0.MB_RB2.1",
            "mask_tail": "RA_MB.0.MB_RB3.0",
            "tail_0": "RA_tail.0",
            "tail_1": "RA_tail.1",
        }
        for block, path in blocks.items():
            names |= {f"{ours}/{block}/conv_{i}": f"{stem}.{path}.body.{2 * i}" for i in range(2)}
        convolutions = {"mask_down": "MB_Down.0", "mask_up": "MB_Up.0", "mask_end": "MB_1x1conv.0"}
        names |= {f"{ours}/{layer}": f"{stem}.RA_MB.0.{path}" for layer, path in convolutions.items()}
        names[f"{ours}/end"] = f"{theirs}.body.1"
        if after:
            names |= {f"{ours}/mask_nonlocal/{part}": f"{stem}.RA_MB.0.MB_RB1.0.{part}" for part in ("theta", "phi", "g", "W")}
    return names | upsample_names("upsample", "tail.0", model.scale)


REFERENCE_IGNORED = ("sub_mean", "add_mean")  # the constant DIV2K_MEAN; the authors' files hold a slightly trained copy of it

_card = partial(
    ModelCard,
    module=RNAN,
    task="super_resolution",
    paper="https://arxiv.org/abs/1903.10082",
    multiple=2,
    reference="yulunzhang/RNAN (no licence stated)",
    reference_names=reference_names,
    reference_ignored=REFERENCE_IGNORED,
    notes="memory grows with the square of the number of pixels; published scores were measured in overlapping pieces",
)

CARDS = (
    _card(
        name="rnan_x2",
        scale=2,
        fields=dict(scale=2),
        parameters=9_107_267,
        published={"Set5": (38.17, 0.9611), "Set14": (33.87, 0.9207), "B100": (32.32, 0.9014), "Urban100": (32.73, 0.9340)},
    ),
    _card(
        name="rnan_x3",
        scale=3,
        fields=dict(scale=3),
        parameters=9_291_907,
        published={"Set5": (34.66, 0.9290), "Set14": (30.52, 0.8463), "B100": (29.26, 0.8090), "Urban100": (28.75, 0.8646)},
    ),
    _card(
        name="rnan_x4",
        scale=4,
        fields=dict(scale=4),
        parameters=9_254_979,
        published={"Set5": (32.49, 0.8982), "Set14": (28.83, 0.7878), "B100": (27.72, 0.7421), "Urban100": (26.61, 0.8023)},
    ),
)
