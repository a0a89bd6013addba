"""ESRGAN: enhanced super-resolution generative adversarial networks.

Wang et al., ECCV Workshops 2018, https://arxiv.org/abs/1809.00219
Real-ESRGAN: Wang, Xie, Dong and Shan, ICCV Workshops 2021, https://arxiv.org/abs/2107.10833

    image -> conv -+-> RRDB x depth -> conv -> + -> [nearest x2, conv, LeakyReLU] x 2 -> conv, LeakyReLU -> conv -> image
                   `---------------------------^

For scales 2 and 1 the same network works on 2x2 or 4x4 sub-images, as in Real-ESRGAN.
"""

import math
from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.dense import ResidualInResidualDenseBlock
from jaxrestore.nn.discriminator import ConvStack, Head
from jaxrestore.nn.initialise import TORCH_INIT, VarianceScaling
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.ops.pixel_shuffle import pixel_unshuffle
from jaxrestore.typing import DType, Image

_small = VarianceScaling(gain=0.1 * math.sqrt(2.0))  # a tenth of He's inside the blocks, as the reference does


class RRDBNet(nn.Module):
    """The generator: residual-in-residual dense blocks without normalisation.

    Attributes:
      scale: enlargement: 4, 2 or 1.
      features: channels between the blocks.
      growth: channels that each layer of a dense block adds.
      depth: number of blocks.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), not clipped. For scales 2 and 1, sizes that are no
    multiple of 2 or 4 are padded by reflection and cropped back.
    """

    scale: int = 4
    features: int = 64
    growth: int = 32
    depth: int = 23
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return 4 // self.scale

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        if self.scale not in (1, 2, 4):
            raise InputError(f"scale is {self.scale}: RRDBNet enlarges by 1, 2 or 4")
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, **TORCH_INIT, **types)
        leaky = partial(nn.leaky_relu, negative_slope=0.2)
        height, width = image.shape[-3:-1]
        shallow = conv(self.features, name="head")(pixel_unshuffle(pad_to_multiple(image, self.multiple), self.multiple))
        x = shallow
        for i in range(self.depth):
            x = ResidualInResidualDenseBlock(self.features, self.growth, kernel_init=_small, **types, name=f"block_{i}")(x)
        x = shallow + conv(self.features, name="body_end")(x)
        for i in range(2):
            x = leaky(conv(self.features, name=f"upsample_{i}")(interpolate(x, 2, method="nearest")))
        x = conv(self.channels, name="tail")(leaky(conv(self.features, name="high_resolution")(x)))
        return crop(x, (self.scale * height, self.scale * width)).astype(image.dtype)


class ESRGANDiscriminator(nn.Module):
    """A VGG-like classifier of real and made images.

    Attributes:
      features: channels of the first layer; they double three times.
      dense_features: width of the hidden dense layer.
      image_size: side of the images.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, image_size, image_size, C) in [0, 1], gives (N, 1) logits.
    """

    features: int = 64
    dense_features: int = 100
    image_size: int = 128
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> jnp.ndarray:
        """Judge."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        widths = [self.features * min(2**level, 8) for level in range(5)]
        layers = tuple(layer for width in widths for layer in ((width, 3, 1), (width, 4, 2)))
        x = ConvStack(layers, **types, name="features")(image, train)
        return Head(self.dense_features, **types, name="head")(x)


def reference_names(model: RRDBNet | ESRGANDiscriminator) -> dict[str, str]:
    """Our module paths -> the module names of XPixelGroup/BasicSR."""
    if isinstance(model, ESRGANDiscriminator):
        names = {"head/dense_0": "linear1", "head/dense_1": "linear2", "features/conv_0": "conv0_0"}
        for i in range(1, 10):
            names |= {f"features/conv_{i}": f"conv{i // 2}_{i % 2}", f"features/norm_{i}": f"bn{i // 2}_{i % 2}"}
        return names
    names = {"head": "conv_first", "body_end": "conv_body", "high_resolution": "conv_hr", "tail": "conv_last"}
    names |= {f"upsample_{i}": f"conv_up{i + 1}" for i in range(2)}
    for block in range(model.depth):
        for dense in range(3):
            names |= {f"block_{block}/dense_{dense}/conv_{i}": f"body.{block}.rdb{dense + 1}.conv{i + 1}" for i in range(5)}
    return names


REFERENCE_SYNONYMS = {  # of the original xinntao/ESRGAN
    "RRDB_trunk": "body",
    "RDB1": "rdb1",
    "RDB2": "rdb2",
    "RDB3": "rdb3",
    "trunk_conv": "conv_body",
    "upconv1": "conv_up1",
    "upconv2": "conv_up2",
    "HRconv": "conv_hr",
}

_card = partial(
    ModelCard,
    module=RRDBNet,
    task="super_resolution",
    reference="XPixelGroup/BasicSR and xinntao/ESRGAN (Apache-2.0)",
    reference_names=reference_names,
)
_paper = "https://arxiv.org/abs/1809.00219"
_real_paper = "https://arxiv.org/abs/2107.10833"

CARDS = (
    _card(
        name="esrgan_x4",
        scale=4,
        paper=_paper,
        parameters=16_697_987,
        published={"Set5": (32.73, 0.9011), "Set14": (28.99, 0.7917), "B100": (27.85, 0.7455), "Urban100": (27.03, 0.8153)},
        notes="scores are those of the network trained for PSNR; the adversarial weights and Real-ESRGAN's are the same network",
    ),
    _card(name="real_esrgan_x2", scale=2, multiple=2, fields=dict(scale=2), paper=_real_paper, parameters=16_703_171),
    _card(name="real_esrgan_x1", scale=1, multiple=4, fields=dict(scale=1), paper=_real_paper, parameters=16_723_907),
    _card(
        name="esrgan_discriminator",
        module=ESRGANDiscriminator,
        task="discrimination",
        paper=_paper,
        parameters=14_499_401,
        notes="ESRGAN's; takes images of 128x128 pixels unless image_size says otherwise",
    ),
)
