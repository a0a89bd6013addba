"""pix2pix: image-to-image translation with conditional adversarial networks.

Isola, Zhu, Zhou and Efros, CVPR 2017, https://arxiv.org/abs/1611.07004

    image -> down_0 ---------------------------------------- concatenate -> up_0, tanh -> translated
                `-> down_1 ----------------- concatenate -> up_1 -^
                       `-> ... -> down_7 -> up_7 ... -^

Each `down` halves the size (4x4 convolution, after a leaky ReLU), each `up` doubles it (transposed 4x4 convolution, after a ReLU). The
discriminator judges patches of 70x70 pixels of the translated image together with the image that it was made from.
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.dropout import Dropout
from jaxrestore.nn.norm import normalisation
from jaxrestore.nn.patch_discriminator import (
    GAN_INIT,
    GAN_SCALE_INIT,
    PatchDiscriminator,
    PixelDiscriminator,
    patch_discriminator_names,
)
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.typing import DType, Image


class Pix2Pix(nn.Module):
    """A U-Net down to a single pixel.

    Attributes:
      features: channels of the first level; they double with each, up to eight times as many.
      levels: number of halvings, at least 2: 8 takes 256x256 pixels to one, 7 takes 128x128.
      norm: "batch", "instance" or "none"; the convolutions before a batch normalisation have no bias.
      dropout: share of the values dropped after the levels of full width, with `rngs={"dropout": key}`.
      channels: image channels.
      output_channels: channels of the translated image; None for as many.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, H, W, output_channels) in [0, 1]. Other sizes than multiples of `multiple` are mirrored
    at the border and cropped back. The paper uses the network as it trains it: with dropout, which is its only noise, and with the
    statistics of the batch; that is `train=True` with `rngs={"dropout": key}`.
    """

    features: int = 64
    levels: int = 8
    norm: str = "batch"
    dropout: float = 0.5
    channels: int = 3
    output_channels: int | None = None
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return 2**self.levels

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Translate.

        Raises:
          InputError: fewer than 2 levels, or an unknown normalisation.
        """
        if self.levels < 2:
            raise InputError(f"levels is {self.levels}: a U-Net has at least 2")
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        window = dict(kernel_size=4, strides=2, padding=1, kernel_init=GAN_INIT, **types)
        inner = window | dict(use_bias=self.norm != "batch")
        norm = partial(normalisation, self.norm, scale_init=GAN_SCALE_INIT, **types)
        widths = [self.features * min(2**i, 8) for i in range(self.levels)]
        last = self.levels - 1

        x = 2.0 * pad_to_multiple(image, self.multiple) - 1.0
        skips = []
        for i, width in enumerate(widths):
            x = Conv(width, name=f"down_{i}", **inner)(nn.leaky_relu(x, 0.2) if i else x)
            if 0 < i < last:
                x = norm(f"down_{i}_norm")(x, train)
            skips.append(x)
        for i in reversed(range(1, self.levels)):
            x = nn.relu(x if i == last else jnp.concatenate([skips[i], x], -1))
            x = norm(f"up_{i}_norm")(ConvTranspose(widths[i - 1], name=f"up_{i}", **inner)(x), train)
            if 4 <= i < last:
                x = Dropout(self.dropout, name=f"up_{i}_dropout")(x)
        x = nn.relu(jnp.concatenate([skips[0], x], -1))
        x = ConvTranspose(self.output_channels or self.channels, name="up_0", **window)(x)
        return crop(0.5 + 0.5 * nn.tanh(x.astype(image.dtype)), image.shape[1:3])


class Pix2PixDiscriminator(PatchDiscriminator):
    """The 70x70 PatchGAN: one score for each patch of two images, one on the other.

    Attributes:
      channels: of both images together.

    Takes (N, H, W, channels) in [0, 1], the image that was given first, then the one that is judged; gives logits (N, H // 8 - 2,
    W // 8 - 2, 1). The other attributes are those of `PatchDiscriminator`.
    """

    channels: int = 6


class PixelGANDiscriminator(PixelDiscriminator):
    """The 1x1 PatchGAN of the paper's section 4.4: one score for each pixel of two images, one on the other.

    Attributes:
      channels: of both images together.

    Takes (N, H, W, channels) in [0, 1] as `Pix2PixDiscriminator` does, gives logits (N, H, W, 1). The other attributes are those of
    `PixelDiscriminator`.
    """

    channels: int = 6


def reference_names(model: Pix2Pix | Pix2PixDiscriminator | PixelGANDiscriminator) -> dict[str, str]:
    """Our module paths -> the module names of junyanz/pytorch-CycleGAN-and-pix2pix."""
    if isinstance(model, PatchDiscriminator):
        return patch_discriminator_names(model)
    if isinstance(model, PixelDiscriminator):
        return {"conv_0": "net.0", "conv_1": "net.2", "norm_1": "net.3", "tail": "net.5"}
    names = {"down_0": "model.model.0", "up_0": "model.model.3"}
    block = "model.model.1"
    for i in range(1, model.levels):
        up = 3 if i == model.levels - 1 else 5
        names |= {f"down_{i}": f"{block}.model.1", f"up_{i}": f"{block}.model.{up}"}
        if model.norm == "batch":
            names |= {f"down_{i}_norm": f"{block}.model.2"} if up == 5 else {}
            names |= {f"up_{i}_norm": f"{block}.model.{up + 1}"}
        block = f"{block}.model.3"
    return names


_card = partial(
    ModelCard,
    module=Pix2Pix,
    task="translation",
    paper="https://arxiv.org/abs/1611.07004",
    reference="junyanz/pytorch-CycleGAN-and-pix2pix (BSD-2-Clause)",
    reference_names=reference_names,
)
_judge = partial(_card, task="discrimination", channels=6)

CARDS = (
    _card(
        name="pix2pix_unet256",
        multiple=256,
        parameters=54_413_955,
        notes="the paper keeps dropout and the batch's statistics when the network is used: train=True with a dropout key",
    ),
    _card(name="pix2pix_unet128", fields=dict(levels=7), multiple=128, parameters=41_828_995),
    _judge(name="pix2pix_discriminator", module=Pix2PixDiscriminator, parameters=2_768_705),
    _judge(name="pixelgan_discriminator", module=PixelGANDiscriminator, parameters=9_024),
)
