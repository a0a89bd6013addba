"""A restorer on the backbone of region-based detection: ResNet-101 and a feature pyramid.

No network for restoration is published as "Faster R-CNN". Its parts are: the feature pyramid on ResNet-101 that Faster R-CNN detects with
(Lin et al., CVPR 2017, https://arxiv.org/abs/1612.03144), and DeblurGAN-v2's way from such a pyramid back to an image (Kupyn et al., ICCV
2019). This puts the two together, at the size of the detector, with a loss on regions (`losses.regions`) beside the adversarial one:

    image -+-> ResNet-101 -> five maps -> feature pyramid -> four heads -> smooth -> smooth -> conv, tanh -> + -> clip
           `---------------------------------------------------------------------------------------------------^
"""

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.feature_pyramid import PyramidDecoder, pyramid_decoder_names
from jaxrestore.nn.imagenet import standardise
from jaxrestore.nn.resnet import RESNET_DEPTHS, ResNet, resnet_names
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.typing import DType, Image

_MULTIPLE = 32


class RegionFPN(nn.Module):
    """A feature pyramid on a ResNet that predicts what to add to the image.

    Attributes:
      features: channels of the heads.
      pyramid_features: channels of the pyramid.
      norm: of the pyramid and the way up: "instance", "batch" or "none"; the backbone has batch normalisations.
      depths: blocks of the backbone's four stages, a value of `nn.resnet.RESNET_DEPTHS`.
      backbone_features: channels of the backbone's first convolution.
      channels: image channels, 3 or 1.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], clipped. Other sizes than multiples of `multiple` are mirrored at the border and cropped
    back.
    """

    features: int = 256
    pyramid_features: int = 512
    norm: str = "instance"
    depths: tuple[int, int, int, int] = RESNET_DEPTHS[101]
    backbone_features: int = 64
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return _MULTIPLE

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Restore."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        x = standardise(pad_to_multiple(image, _MULTIPLE))
        maps = ResNet(self.depths, self.backbone_features, **types, name="backbone")(x, train)
        decoder = PyramidDecoder(self.features, self.pyramid_features, self.norm, self.channels, **types, name="pyramid")
        x = crop(decoder(maps, train), image.shape[1:3]).astype(image.dtype)
        return jnp.clip(image + 0.5 * nn.tanh(x), 0.0, 1.0)


def reference_names(model: RegionFPN) -> dict[str, str]:
    """Our module paths -> torchvision's names for the backbone, those of VITA-Group/DeblurGANv2 for the rest."""
    return resnet_names(model.depths, "backbone") | pyramid_decoder_names("pyramid", model.norm)


CARDS = (
    ModelCard(
        name="region_fpn_resnet101",
        module=RegionFPN,
        task="deblurring",
        paper="https://arxiv.org/abs/1612.03144",
        multiple=_MULTIPLE,
        parameters=61_297_987,
        reference_names=reference_names,
        convention="rgb",
        notes="our own combination of published parts, of the size of Faster R-CNN with ResNet-101 and a feature pyramid (60 M); the "
        "backbone takes ImageNet weights of torchvision",
    ),
)
