"""DeblurGAN-v2: deblurring (orders-of-magnitude) faster and better.

Kupyn, Martyniuk, Wu and Wang, ICCV 2019, https://arxiv.org/abs/1908.03826

    image -+-> backbone -> five maps -> feature pyramid -> four heads -> smooth -> smooth -> conv, tanh -> + -> clip
           `-------------------------------------------------------------------------------------------------^

The backbone is a classification network, MobileNetV2 or Inception-ResNet-v2, that starts from ImageNet weights. Two discriminators judge
the result: one its patches of 70x70 pixels, one the whole.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.feature_pyramid import PyramidDecoder, pyramid_decoder_names
from jaxrestore.nn.inception_resnet_v2 import InceptionResNetV2, inception_resnet_v2_names
from jaxrestore.nn.mobilenet_v2 import MobileNetV2, mobilenet_v2_names
from jaxrestore.nn.patch_discriminator import PatchDiscriminator, patch_discriminator_names
from jaxrestore.ops.padding import crop, pad, pad_to_multiple
from jaxrestore.ops.symbolic import larger, next_multiple
from jaxrestore.typing import DType, Image

_MULTIPLE = 32
_SIGHTS = ("patch", "full")
# Inception-ResNet-v2 cuts borders off; of fewer pixels its coarsest map is too small to be mirrored.
_LEAST_FOR_INCEPTION = 128


class DeblurGANv2MobileNet(nn.Module):
    """The generator on MobileNetV2, for speed.

    Attributes:
      features: channels of the heads.
      pyramid_features: channels of the pyramid, twice as many.
      norm: of the pyramid and the way up: "instance", "batch" or "none"; the backbone has batch normalisations.
      width: factor on the backbone's channels.
      last_features: channels of the backbone's last layer, which is not used.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], clipped. Other sizes than multiples of `multiple` are continued with grey and cropped
    back. The authors use their networks as they train them, with the statistics of the batch: `train=True`.
    """

    features: int = 64
    pyramid_features: int = 128
    norm: str = "instance"
    width: float = 1.0
    last_features: int = 1280
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return _MULTIPLE

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Deblur."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        x = pad_to_multiple(2.0 * image - 1.0, _MULTIPLE, "zeros")
        maps = MobileNetV2(self.width, self.last_features, **types, name="backbone")(x, train)
        decoder = PyramidDecoder(self.features, self.pyramid_features, self.norm, self.channels, **types, name="pyramid")
        return _restored(image, decoder(maps, train))


class DeblurGANv2Inception(nn.Module):
    """The generator on Inception-ResNet-v2, for quality.

    Attributes:
      features: as for `DeblurGANv2MobileNet`.
      pyramid_features: as for `DeblurGANv2MobileNet`.
      norm: as for `DeblurGANv2MobileNet`.
      channel_divisor: the backbone's widths are divided by it.
      depths: numbers of the backbone's three kinds of blocks; those of the third are not used.
      classes: outputs of the backbone's classifier, which is not used.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], clipped. Other sizes than multiples of `multiple`, and sides under 128 pixels, are
    continued with grey and cropped back. The authors use their networks as they train them, with the statistics of the batch: `train=True`.
    """

    features: int = 128
    pyramid_features: int = 256
    norm: str = "instance"
    channel_divisor: int = 1
    depths: tuple[int, int, int] = (10, 20, 10)
    classes: int = 1000
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return _MULTIPLE

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Deblur."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        backbone = InceptionResNetV2(self.channel_divisor, self.depths, self.classes, **types, name="backbone")
        rows, columns = ((0, larger(next_multiple(side, _MULTIPLE), _LEAST_FOR_INCEPTION) - side) for side in image.shape[1:3])
        maps = backbone(pad(2.0 * image - 1.0, rows, columns, "zeros"), train)
        # The backbone's maps lack these rows and columns at the border: (above and left, below and right), fine to coarse.
        borders = ((0, 1), (1, 1), (1, 2), (1, 1), (1, 1))
        maps = [pad(x, border, border) for x, border in zip(maps, borders, strict=True)]
        decoder = PyramidDecoder(self.features, self.pyramid_features, self.norm, self.channels, **types, name="pyramid")
        return _restored(image, decoder(maps, train))


class DeblurGANv2Discriminator(nn.Module):
    """Two PatchGANs: one judges patches, one the whole image.

    Attributes:
      features: channels of the first layers.
      norm: "instance", "batch" or "none".
      depths: strided convolutions of the two: 3 see 70x70 pixels, 5 see 286x286.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives logits (N, H // 8 + 3, W // 8 + 3, 1) and (N, H // 32 + 3, W // 32 + 3, 1).
    """

    features: int = 64
    norm: str = "instance"
    depths: tuple[int, int] = (3, 5)
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> tuple[Image, Image]:
        """Judge."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        judge = partial(PatchDiscriminator, self.features, norm=self.norm, padding=2, deviation=None, **types)
        patch, full = (judge(depth=depth, name=name)(image, train) for depth, name in zip(self.depths, _SIGHTS, strict=True))
        return patch, full


def _restored(image: Image, x: jax.Array) -> Image:
    x = crop(x, image.shape[1:3]).astype(image.dtype)
    return jnp.clip(image + 0.5 * nn.tanh(x), 0.0, 1.0)


def reference_names(model: DeblurGANv2MobileNet | DeblurGANv2Inception | DeblurGANv2Discriminator) -> dict[str, str]:
    """Our module paths -> the module names of VITA-Group/DeblurGANv2; of its two discriminators the first part is the name of ours."""
    if isinstance(model, DeblurGANv2Discriminator):
        judges = {name: PatchDiscriminator(depth=depth, norm=model.norm) for name, depth in zip(_SIGHTS, model.depths, strict=True)}
        return {
            f"{name}/{our}": f"{name}.{their}" for name, judge in judges.items() for our, their in patch_discriminator_names(judge).items()
        }
    pyramid = pyramid_decoder_names("pyramid", model.norm)
    if isinstance(model, DeblurGANv2MobileNet):
        return mobilenet_v2_names("backbone", "fpn.features") | pyramid
    backbone = InceptionResNetV2(model.channel_divisor, model.depths, model.classes)
    return inception_resnet_v2_names(backbone, "backbone", "fpn.inception") | pyramid


# The backbone's tensors under a second name; statistics that the instance normalisations keep and, in use, do not take.
REFERENCE_IGNORED = (
    *(f"fpn.enc{i}." for i in range(5)),
    *(f"fpn.td{i}.1.running_" for i in (1, 2, 3)),
    "smooth.1.running_",
    "smooth2.1.running_",
)

_card = partial(
    ModelCard,
    paper="https://arxiv.org/abs/1908.03826",
    reference="VITA-Group/DeblurGANv2 (BSD)",
    reference_names=reference_names,
    reference_ignored=REFERENCE_IGNORED,
)
_deblur = partial(_card, task="deblurring", multiple=_MULTIPLE, convention="rgb")

CARDS = (
    _deblur(
        name="deblurgan_v2_inception",
        module=DeblurGANv2Inception,
        parameters=60_929_291,
        published={"GoPro": (29.55, 0.934)},
        notes="the backbone's last blocks and its classifier count among the parameters and are not computed; authors' weights want the "
        "statistics of the image: train=True",
    ),
    _deblur(
        name="deblurgan_v2_mobilenet",
        module=DeblurGANv2MobileNet,
        parameters=3_312_707,
        published={"GoPro": (28.17, 0.925)},
        notes="the backbone's last blocks count among the parameters and are not computed; authors' weights want the statistics of the "
        "image: train=True",
    ),
    _card(name="deblurgan_v2_discriminator", module=DeblurGANv2Discriminator, task="discrimination", parameters=13_919_106),
)
