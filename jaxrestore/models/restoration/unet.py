"""U-Net: convolutional networks for biomedical image segmentation, in the padded form that restores images.

Ronneberger, Fischer and Brox, MICCAI 2015, https://arxiv.org/abs/1505.04597

    image -> double -+--------------------------------------> concatenate -> double -> conv 1x1 -> image
                     `-> pool, double -+--------------> concatenate -> double, up -^
                                       `-> pool, double, up -^

The original convolves without padding and without normalisation. Here convolutions keep the size and each has a batch normalisation, as in
the two implementations that are used most: milesial/Pytorch-UNet ("transposed" and "bilinear") and LeeJunHyun/Image_Segmentation
("nearest").
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.conv_block import ConvUnit
from jaxrestore.nn.initialise import TORCH_INIT, VarianceScaling, torch_default
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.padding import crop, pad
from jaxrestore.ops.unpooling import max_pool
from jaxrestore.typing import DType, Image

UPSAMPLINGS = ("transposed", "bilinear", "nearest")
_transposed_default = VarianceScaling(torch_default.gain, "out", "uniform")


class UNet(nn.Module):
    """An encoder by max-pooling and a decoder that sees the encoder's features of each size.

    Attributes:
      features: channels at full size; they double at each level.
      levels: number of poolings by 2.
      channels: image channels.
      classes: None for restoration; else the channels of the result: logits of a segmentation.
      upsampling: "transposed" (2x2 convolution), "bilinear" (corners aligned; halves the channels in the double convolution after it and
        keeps those of the deepest level), "nearest" (then a 3x3 convolution with normalisation; every convolution has a bias).
      residual: the network predicts what is added to the image.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, H, W, classes or channels), not clipped. Of any size: with "transposed" and "bilinear"
    the enlarged features are padded with zeros to the encoder's, as the reference does; with "nearest" the image is reflected at the bottom
    and right to a multiple of `multiple`, and so is, with the others, an image of fewer pixels than that.
    """

    features: int = 64
    levels: int = 4
    channels: int = 3
    classes: int | None = None
    upsampling: str = "transposed"
    residual: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of where that is needed."""
        return 2**self.levels

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Restore, or segment.

        Raises:
          InputError: an unknown upsampling, or a residual of other channels than the image's.
        """
        if self.upsampling not in UPSAMPLINGS:
            raise InputError(f"upsampling is {self.upsampling!r}: it must be one of {', '.join(UPSAMPLINGS)}")
        if self.residual and self.classes not in (None, self.channels):
            raise InputError(f"classes is {self.classes}: a residual has the image's {self.channels} channels")
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        unit = partial(ConvUnit, use_bias=self.upsampling == "nearest", kernel_init=torch_default, **types)

        def double(name: str, x: Image, width: int, hidden: int) -> jax.Array:
            x = unit(hidden, name=f"{name}_conv_0")(x, train)
            return unit(width, name=f"{name}_conv_1")(x, train)

        def up(level: int, x: Image, width: int) -> jax.Array:
            if self.upsampling == "transposed":
                init = dict(TORCH_INIT, kernel_init=_transposed_default)
                return ConvTranspose(width, 2, 2, **init, **types, name=f"up_{level}")(x)
            x = interpolate(x, scale=2, method=self.upsampling, align_corners=self.upsampling == "bilinear")
            return unit(width, name=f"up_{level}")(x, train) if self.upsampling == "nearest" else x

        size = image.shape[1:3]
        whole = self.upsampling == "nearest"
        below, right = (-n % self.multiple if whole else max(self.multiple - n, 0) for n in size)
        x = pad(image, (0, below), (0, right))
        bilinear = self.upsampling == "bilinear"
        skips: list[jax.Array] = []
        for level in range(self.levels + 1):
            x = max_pool(x) if level else x
            width = self.features * 2 ** (level - (bilinear and level == self.levels))
            x = double(f"encoder_{level}", x, width, width)
            skips.append(x)
        skips.pop()
        for level in reversed(range(self.levels)):
            skip = skips.pop()
            x = up(level, x, self.features * 2**level)
            x = pad(x, (0, skip.shape[1] - x.shape[1]), (0, skip.shape[2] - x.shape[2]), "zeros")
            x = jnp.concatenate([skip, x], -1)
            width = self.features * 2 ** (level - (bilinear and level > 0))
            x = double(f"decoder_{level}", x, width, x.shape[-1] // 2)
        x = Conv(self.classes or self.channels, 1, **TORCH_INIT, **types, name="last")(x).astype(image.dtype)
        x = crop(x, size)
        return image + x if self.residual else x


def reference_names(model: UNet) -> dict[str, str]:
    """Our module paths -> the module names of milesial/Pytorch-UNet, or of LeeJunHyun/Image_Segmentation for "nearest"."""
    return _names_of_lee(model) if model.upsampling == "nearest" else _names_of_milesial(model)


def _double(ours: str, theirs: str) -> dict[str, str]:
    kinds = ("conv", "norm")
    return {f"{ours}_conv_{i}/{kind}": f"{theirs}.{3 * i + j}" for i in range(2) for j, kind in enumerate(kinds)}


def _names_of_milesial(model: UNet) -> dict[str, str]:
    names = {**_double("encoder_0", "inc.double_conv"), "last": "outc.conv"}
    for level in range(1, model.levels + 1):
        names |= _double(f"encoder_{level}", f"down{level}.maxpool_conv.1.double_conv")
    for level in range(model.levels):
        theirs = f"up{model.levels - level}"
        names |= _double(f"decoder_{level}", f"{theirs}.conv.double_conv")
        names |= {f"up_{level}": f"{theirs}.up"} if model.upsampling == "transposed" else {}
    return names


def _names_of_lee(model: UNet) -> dict[str, str]:
    names = {"last": "Conv_1x1"}
    for level in range(model.levels + 1):
        names |= _double(f"encoder_{level}", f"Conv{level + 1}.conv")
    for level in range(model.levels):
        names |= _double(f"decoder_{level}", f"Up_conv{level + 2}.conv")
        names |= {f"up_{level}/conv": f"Up{level + 2}.up.1", f"up_{level}/norm": f"Up{level + 2}.up.2"}
    return names


_MILESIAL = "milesial/Pytorch-UNet (GPL-3.0)"
_LEE = "LeeJunHyun/Image_Segmentation (no licence stated)"
_NOTES = "linear output, for restoration"
_bilinear = dict(upsampling="bilinear")
_nearest = dict(upsampling="nearest")

_card = partial(
    ModelCard,
    module=UNet,
    task="restoration",
    paper="https://arxiv.org/abs/1505.04597",
    multiple=16,
    blind=True,
    reference=_MILESIAL,
    reference_names=reference_names,
)

CARDS = (
    _card(name="unet", parameters=31_037_763, notes=_NOTES),
    _card(name="unet_gray", fields=dict(channels=1), channels=1, parameters=31_036_481, notes=_NOTES),
    _card(
        name="unet_bilinear",
        fields=_bilinear,
        parameters=17_263_107,
        notes=f"{_NOTES}; corners-aligned upsampling depends on the image's size: only the whole image gives the exact result, not tiles",
    ),
    _card(name="unet_nearest", fields=_nearest, parameters=34_527_171, reference=_LEE, notes=_NOTES),
    _card(name="unet_nearest_gray", fields=dict(_nearest, channels=1), channels=1, parameters=34_525_889, reference=_LEE, notes=_NOTES),
    _card(name="unet_segmentation", task="segmentation", fields=dict(classes=2), parameters=31_037_698, notes="two classes, as logits"),
)
