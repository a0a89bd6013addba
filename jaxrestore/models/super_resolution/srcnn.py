"""SRCNN: image super-resolution using deep convolutional networks.

Dong, Loy, He and Tang, ECCV 2014 and TPAMI 2016, https://arxiv.org/abs/1501.00092

    bicubic luma -> conv, ReLU (patches) -> conv, ReLU (mapping) -> conv (reconstruction) -> luma
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import Normal
from jaxrestore.typing import DType, Image


class SRCNN(nn.Module):
    """Three convolutions on an image that bicubic interpolation has enlarged already; one set of weights for each scale.

    Attributes:
      kernel_sizes: sides of the three windows: (9, 1, 5) or (9, 5, 5).
      features: channels of the two hidden layers.
      channels: image channels.
      padding_mode: "replicate" as in the authors' tests, or "zeros" as in most retrainings; only the border differs.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], not clipped.
    """

    kernel_sizes: tuple[int, int, int] = (9, 1, 5)
    features: tuple[int, int] = (64, 32)
    channels: int = 1
    padding_mode: str = "replicate"
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Sharpen."""
        conv = partial(Conv, padding_mode=self.padding_mode, kernel_init=Normal(0.001), dtype=self.dtype, param_dtype=self.param_dtype)
        x = nn.relu(conv(self.features[0], self.kernel_sizes[0], name="patches")(image))
        x = nn.relu(conv(self.features[1], self.kernel_sizes[1], name="mapping")(x))
        return conv(self.channels, self.kernel_sizes[2], name="reconstruction")(x).astype(image.dtype)


def reference_names(model: SRCNN) -> dict[str, str]:
    """Our module paths -> the module names of yjn870/SRCNN-pytorch."""
    return {"patches": "conv1", "mapping": "conv2", "reconstruction": "conv3"}


_card = partial(
    ModelCard,
    module=SRCNN,
    task="super_resolution",
    paper="https://arxiv.org/abs/1501.00092",
    channels=1,
    interpolated=True,
    scales=(2, 3, 4),
    reference="yjn870/SRCNN-pytorch (no licence stated)",
    reference_names=reference_names,
)

CARDS = (
    _card(
        name="srcnn_915",
        fields=dict(kernel_sizes=(9, 1, 5)),
        parameters=8_129,
        published={"Set5 x3": 32.39},
        notes="the paper counts weights without biases: 8,032; one set of weights for each scale",
    ),
    _card(
        name="srcnn_955",
        fields=dict(kernel_sizes=(9, 5, 5)),
        parameters=57_281,
        published={
            "Set5 x2": (36.66, 0.9542),
            "Set5 x3": (32.75, 0.9090),
            "Set5 x4": (30.48, 0.8628),
            "Set14 x4": (27.50, 0.7513),
            "B100 x4": (26.90, 0.7101),
            "Urban100 x4": (24.52, 0.7221),
        },
        notes="the paper counts weights without biases: 57,184; one set of weights for each scale; trained on ImageNet",
    ),
)
