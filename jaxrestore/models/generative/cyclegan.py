"""CycleGAN: unpaired image-to-image translation using cycle-consistent adversarial networks.

Zhu, Park, Isola and Efros, ICCV 2017, https://arxiv.org/abs/1703.10593

        a -> generator_ab -> b' -> generator_ba -> a again          b -> generator_ba -> a' -> generator_ab -> b again
                             `-> discriminator_b                                         `-> discriminator_a

    a generator: image -> conv 7 -> down -> down -> [residual block] x 9 -> up -> up -> conv 7, tanh -> translated

Two generators and two discriminators of the same kind, trained together.
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import Form, ModelCard
from jaxrestore.nn.patch_discriminator import PatchDiscriminator, patch_discriminator_names
from jaxrestore.nn.resnet_generator import MULTIPLE, ResNetGenerator, resnet_generator_names
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.typing import DType, Image


class CycleGAN(nn.Module):
    """One of the two generators.

    Attributes:
      features: channels of the first layer.
      depth: number of residual blocks: 9 for 256x256 pixels and more, 6 for 128x128.
      norm: "batch", "instance" or "none".
      dropout: share of a residual branch's values dropped, with `rngs={"dropout": key}`.
      channels: image channels.
      output_channels: channels of the translated image; None for as many.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, H, W, output_channels) in [0, 1]. Other sizes than multiples of `multiple` are mirrored
    at the border and cropped back.
    """

    features: int = 64
    depth: int = 9
    norm: str = "instance"
    dropout: float = 0.0
    channels: int = 3
    output_channels: int | None = None
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return MULTIPLE

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Translate."""
        generator = ResNetGenerator(
            self.features,
            self.depth,
            self.norm,
            self.dropout,
            self.output_channels or self.channels,
            self.dtype,
            self.param_dtype,
            name="generator",
        )
        x = generator(2.0 * pad_to_multiple(image, MULTIPLE) - 1.0, train)
        return crop(0.5 + 0.5 * x, image.shape[1:3])


class CycleGANDiscriminator(PatchDiscriminator):
    """The 70x70 PatchGAN, on one image.

    Attributes:
      norm: "instance" here.
      channels: image channels.

    Takes (N, H, W, channels) in [0, 1]; gives scores (N, H // 8 - 2, W // 8 - 2, 1), which the paper compares with 0 and 1 by least
    squares. The other attributes are those of `PatchDiscriminator`.
    """

    norm: str = "instance"
    channels: int = 3


def reference_names(model: CycleGAN | CycleGANDiscriminator) -> dict[str, str]:
    """Our module paths -> the module names of junyanz/pytorch-CycleGAN-and-pix2pix."""
    if isinstance(model, CycleGANDiscriminator):
        return patch_discriminator_names(model)
    return resnet_generator_names(model.depth, model.norm, model.dropout, "generator")


_REFERENCE = "junyanz/pytorch-CycleGAN-and-pix2pix (BSD-2-Clause)"
_card = partial(
    ModelCard,
    module=CycleGAN,
    task="translation",
    paper="https://arxiv.org/abs/1703.10593",
    reference=_REFERENCE,
    reference_names=reference_names,
    multiple=MULTIPLE,
)

CARDS = (
    _card(
        name="cyclegan_resnet9",
        parameters=11_378_179,
        forms={"batch_norm": Form(dict(norm="batch"), 11_383_427, _REFERENCE)},
        notes="a pair of generators and a pair of discriminators are trained together: 28,285,832 parameters",
    ),
    _card(name="cyclegan_resnet6", fields=dict(depth=6), parameters=7_837_699),
    _card(name="cyclegan_discriminator", module=CycleGANDiscriminator, task="discrimination", multiple=1, parameters=2_764_737),
)
