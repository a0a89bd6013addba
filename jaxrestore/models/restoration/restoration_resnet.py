"""A plain residual network for restoration: the single-scale ResNet of DeepDeblur.

Nah, Kim and Lee, "Deep Multi-scale Convolutional Neural Network for Dynamic Scene Deblurring", CVPR 2017, section 3.1,
https://arxiv.org/abs/1612.02177

    image -> conv -> [conv, ReLU, conv, +] x depth -> conv -> image
       `............................................... + (global residual)

No normalisation, no activation after a sum.
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.residual import ResidualBlock
from jaxrestore.typing import DType, Image

_MEAN = 0.5


class RestorationResNet(nn.Module):
    """Residual blocks between two convolutions.

    Attributes:
      features: channels of every hidden layer.
      depth: number of residual blocks.
      kernel_size: side of all windows.
      channels: image channels.
      global_residual: the network gives what is to be added to the image; otherwise the image itself.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], not clipped.
    """

    features: int = 64
    depth: int = 16
    kernel_size: int = 3
    channels: int = 3
    global_residual: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Restore."""
        types = dict(**TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, kernel_size=self.kernel_size, **types)
        x = conv(self.features, name="head")(image - _MEAN)
        for i in range(self.depth):
            x = ResidualBlock(self.features, kernel_size=self.kernel_size, **types, name=f"block_{i}")(x)
        x = conv(self.channels, name="tail")(x).astype(image.dtype)
        return image + x if self.global_residual else x + _MEAN


def reference_names(model: RestorationResNet) -> dict[str, str]:
    """Our module paths -> the module names of SeungjunNah/DeepDeblur-PyTorch."""
    names = {"head": "body.0", "tail": f"body.{model.depth + 1}"}
    for i in range(model.depth):
        names |= {f"block_{i}/conv_{j}": f"body.{i + 1}.body.{2 * j}" for j in range(2)}
    return names


_card = partial(
    ModelCard,
    module=RestorationResNet,
    paper="https://arxiv.org/abs/1612.02177",
    reference="SeungjunNah/DeepDeblur-PyTorch (MIT)",
    reference_names=reference_names,
    convention="rgb",
)

CARDS = (
    _card(
        name="resnet_denoise_color",
        task="denoising",
        fields=dict(global_residual=True),
        blind=True,
        parameters=1_185_219,
        notes="DeepDeblur's residual network at the size of SRResNet, told to predict the noise; not in the paper",
    ),
    _card(name="resnet_deblur", task="deblurring", fields=dict(kernel_size=5, depth=19), parameters=3_903_299),
)
