"""DeblurGAN: blind motion deblurring using conditional adversarial networks.

Kupyn, Budzan, Mykhailych, Mishkin and Matas, CVPR 2018, https://arxiv.org/abs/1711.07064

    image -+-> conv 7 -> down -> down -> [residual block] x 9 -> up -> up -> conv 7, tanh -> + -> clip
           `--------------------------------------------------------------------------------^

CycleGAN's generator, which here makes a correction. The discriminator is pix2pix's with a wider border, used as a Wasserstein critic.
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.patch_discriminator import PatchDiscriminator, patch_discriminator_names
from jaxrestore.nn.resnet_generator import MULTIPLE, ResNetGenerator, resnet_generator_names
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.typing import DType, Image


class DeblurGAN(nn.Module):
    """A residual generator that predicts what to add to the blurred image.

    Attributes:
      features: channels of the first layer.
      depth: number of residual blocks.
      norm: "instance", "batch" or "none".
      dropout: share of a residual branch's values dropped, with `rngs={"dropout": key}`.
      residual: the network's result is added to the image; otherwise it is the restored image.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], clipped where `residual`. Other sizes than multiples of `multiple` are mirrored at the
    border and cropped back.
    """

    features: int = 64
    depth: int = 9
    norm: str = "instance"
    dropout: float = 0.5
    residual: bool = True
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return MULTIPLE

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Deblur."""
        generator = ResNetGenerator(
            self.features, self.depth, self.norm, self.dropout, self.channels, self.dtype, self.param_dtype, name="generator"
        )
        x = generator(2.0 * pad_to_multiple(image, MULTIPLE) - 1.0, train)
        x = crop(x, image.shape[1:3])
        # Half of a correction in [-1, 1], since the range here is half as wide.
        return jnp.clip(image + 0.5 * x, 0.0, 1.0) if self.residual else 0.5 + 0.5 * x


class DeblurGANDiscriminator(PatchDiscriminator):
    """The 70x70 PatchGAN with zeros two pixels wide around every layer.

    Attributes:
      norm: "instance" here.
      padding: 2 here.
      channels: image channels.

    Takes (N, H, W, channels) in [0, 1], gives scores (N, H // 8 + 3, W // 8 + 3, 1). The other attributes are those of
    `PatchDiscriminator`.
    """

    norm: str = "instance"
    padding: int = 2
    channels: int = 3


def reference_names(model: DeblurGAN | DeblurGANDiscriminator) -> dict[str, str]:
    """Our module paths -> the module names of KupynOrest/DeblurGAN."""
    if isinstance(model, DeblurGANDiscriminator):
        return patch_discriminator_names(model)
    return resnet_generator_names(model.depth, model.norm, model.dropout, "generator")


_card = partial(
    ModelCard, paper="https://arxiv.org/abs/1711.07064", reference="KupynOrest/DeblurGAN at a6f4ad00 (BSD)", reference_names=reference_names
)

CARDS = (
    _card(
        name="deblurgan",
        module=DeblurGAN,
        task="deblurring",
        multiple=MULTIPLE,
        parameters=11_378_179,
        published={"GoPro": (28.7, 0.958)},
        convention="rgb",
        notes="the paper's SSIM follows a convention that others do not reproduce (0.858 with the usual one); later commits of the "
        "reference compute another network",
    ),
    _card(name="deblurgan_discriminator", module=DeblurGANDiscriminator, task="discrimination", parameters=2_764_737),
)
