"""ResNet, as an extractor of features, and the way of its ImageNet weights into the restorers that are built on it.

He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, https://arxiv.org/abs/1512.03385

    image -> conv 7x7/2 -> pool/2 -> stage 0 -> stage 1, /2 -> stage 2, /2 -> stage 3, /2
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.imagenet import standardise
from jaxrestore.nn.resnet import RESNET_DEPTHS, ResNet, resnet_names
from jaxrestore.typing import DType, Image

REFERENCE_IGNORED = ("fc.",)


class ResNetFeatures(nn.Module):
    """The convolutions of ResNet-50, -101 or -152.

    Attributes:
      depths: blocks of the four stages.
      features: channels of the first convolution.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, 3) in [0, 1], standardised inside (one channel is taken as grey), gives five maps of 64, 256, 512, 1024 and 2048
    channels, reduced by 2, 4, 8, 16 and 32. Its variables have the paths of the backbone in `RegionFPN`, so that `weights.transfer` takes
    them over: `load_weights("resnet101.pth", ResNetFeatures())`, then `transfer(variables, weights.variables)`.
    """

    depths: tuple[int, int, int, int] = RESNET_DEPTHS[101]
    features: int = 64
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> tuple[jax.Array, ...]:
        """Features at five scales."""
        backbone = ResNet(self.depths, self.features, self.dtype, self.param_dtype, name="backbone")
        return backbone(standardise(image), train)


def reference_names(model: ResNetFeatures) -> dict[str, str]:
    """Our module paths -> the names of torchvision's ResNets."""
    return resnet_names(model.depths, "backbone")
