"""IDN: fast and accurate single-image super-resolution via information distillation network.

Hui, Wang and Gao, CVPR 2018, https://arxiv.org/abs/1803.09454

    luma -+-> conv, conv -> distillation block x depth -> transposed conv 17 -> + -> luma        every convolution with LeakyReLU 0.05
          `------------------------- bicubic -----------------------------------^
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.distillation import DistillationBlock
from jaxrestore.nn.initialise import VarianceScaling
from jaxrestore.ops.resize import imresize
from jaxrestore.typing import DType, Image

_leaky = partial(nn.leaky_relu, negative_slope=0.05)
_he_over_outputs = VarianceScaling(fan="out")
_WINDOW = 17


class IDN(nn.Module):
    """Distillation blocks on the small image; a transposed convolution makes what is added to the bicubic enlargement.

    Attributes:
      scale: enlargement: 2, 3 or 4.
      features: channels of every hidden layer.
      depth: number of distillation blocks.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), not clipped.
    """

    scale: int = 4
    features: int = 64
    depth: int = 4
    channels: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        options = dict(kernel_init=_he_over_outputs, dtype=self.dtype, param_dtype=self.param_dtype)
        x = _leaky(Conv(self.features, **options, name="conv_0")(image))
        x = _leaky(Conv(self.features, **options, name="conv_1")(x))
        for i in range(self.depth):
            x = DistillationBlock(self.features, **options, name=f"block_{i}")(x)
        # Caffe's layer gives scale * (H - 1) + 1 rows, which the authors add to the enlarged image from its row scale - 1 on. Here the same
        # kernel also gives the rows before that one.
        padding = _WINDOW // 2 - (self.scale - 1)
        residual = ConvTranspose(self.channels, _WINDOW, self.scale, padding, **options, name="enlarge")(x)
        height, width = (self.scale * side for side in image.shape[-3:-1])
        return imresize(image, self.scale) + residual[:, :height, :width].astype(image.dtype)


def reference_names(model: IDN) -> dict[str, str]:
    """Our module paths -> the layer names of the authors' Caffe network, Zheng222/IDN-Caffe."""
    names = {"conv_0": "conv1", "conv_1": "conv2", "enlarge": "upsample"}
    for b in range(model.depth):
        names |= {f"block_{b}/enhance/unit_{i}/conv": f"conv{b + 3}_{i + 1}" for i in range(6)}
        names[f"block_{b}/compress/conv"] = f"down{b + 1}"
    return names


_card = partial(
    ModelCard,
    module=IDN,
    task="super_resolution",
    paper="https://arxiv.org/abs/1803.09454",
    channels=1,
    parameters=552_769,
    reference="Zheng222/IDN-Caffe (no licence stated)",
    reference_names=reference_names,
)

CARDS = (
    _card(
        name="idn_x2",
        scale=2,
        fields=dict(scale=2),
        published={"Set5": (37.83, 0.9600), "Set14": (33.30, 0.9148), "B100": (32.08, 0.8985), "Urban100": (31.27, 0.9196)},
    ),
    _card(
        name="idn_x3",
        scale=3,
        fields=dict(scale=3),
        published={"Set5": (34.11, 0.9253), "Set14": (29.99, 0.8354), "B100": (28.95, 0.8013), "Urban100": (27.42, 0.8359)},
    ),
    _card(
        name="idn_x4",
        scale=4,
        fields=dict(scale=4),
        published={"Set5": (31.82, 0.8903), "Set14": (28.25, 0.7730), "B100": (27.41, 0.7297), "Urban100": (25.41, 0.7632)},
    ),
)
