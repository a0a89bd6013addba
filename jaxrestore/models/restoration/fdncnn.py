"""FDnCNN: a flexible DnCNN that is told the noise level.

Zhang, Zuo, Chen, Meng and Zhang, https://github.com/cszn/DnCNN; the training and the idea of the map are FFDNet's (Zhang, Zuo and Zhang,
IEEE TIP 2018, https://arxiv.org/abs/1710.04026), here on the full-size image.

    image, level -> conv, ReLU -> [conv, ReLU] x (depth - 2) -> conv -> clean

No normalisation and no skip: the network gives the clean image itself.
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.noise_level import level_map
from jaxrestore.typing import DType, Image


class FDnCNN(nn.Module):
    """A plain stack of 3x3 convolutions from an image and its noise level to the clean image.

    Attributes:
      depth: number of convolutions, at least 2.
      features: channels of every hidden layer.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1] and a noise level (N, H, W, 1) (standard deviation on the same scale, trained for 0 to 75 / 255),
    gives (N, H, W, channels), not clipped.
    """

    depth: int = 20
    features: int = 64
    channels: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, noise_level: Image | None = None) -> Image:
        """Denoise."""
        conv = partial(Conv, kernel_size=3, dtype=self.dtype, param_dtype=self.param_dtype)
        x = jnp.concatenate([image, level_map(self, image, noise_level)], -1)
        for i in range(self.depth - 1):
            x = nn.relu(conv(self.features, name=f"conv_{i}")(x))
        return conv(self.channels, name=f"conv_{self.depth - 1}")(x).astype(image.dtype)


def reference_names(model: FDnCNN) -> dict[str, str]:
    """Our module paths -> the module names of cszn/KAIR."""
    return {f"conv_{i}": f"model.{2 * i}" for i in range(model.depth)}


_card = partial(
    ModelCard,
    module=FDnCNN,
    task="denoising",
    paper="https://arxiv.org/abs/1608.03981",
    reference="cszn/KAIR (MIT)",
    reference_names=reference_names,
    notes="one set of weights for sigma 0 to 75",
)

CARDS = (
    _card(
        name="fdncnn_gray",
        channels=1,
        parameters=666_497,
        published={"BSD68 sigma 15": 31.69, "BSD68 sigma 25": 29.22, "BSD68 sigma 50": 26.27},
        convention="gray",
    ),
    _card(name="fdncnn_color", fields=dict(channels=3), parameters=668_803, convention="rgb"),
)
