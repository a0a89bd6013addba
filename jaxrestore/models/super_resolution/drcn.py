"""DRCN: deeply-recursive convolutional network for image super-resolution.

Kim, Lee and Lee, CVPR 2016, https://arxiv.org/abs/1511.04491

    bicubic luma -+-> conv, conv -> [the same conv] x recursions       embedding, inference (each result is kept)
                  |                    |      |      |
                  |                   conv   conv   conv               reconstruction: the same two convolutions for all
                  `-------------------(+)----(+)----(+)----> weighted mean -> luma
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import Constant, Identity, parameter
from jaxrestore.typing import DType, Image


class DRCN(nn.Module):
    """One convolution applied again and again; the images made of all its results are averaged with learnt weights.

    Attributes:
      recursions: how often the convolution is applied.
      features: channels of every hidden layer.
      middle_relu: a ReLU between the two reconstruction convolutions; the paper's text allows both readings.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], not clipped. The images before averaging are sown as "intermediates".
    """

    recursions: int = 16
    features: int = 256
    middle_relu: bool = False
    channels: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Sharpen."""
        conv = partial(Conv, dtype=self.dtype, param_dtype=self.param_dtype)
        x = nn.relu(conv(self.features, name="embedding_0")(image))
        x = nn.relu(conv(self.features, name="embedding_1")(x))
        recursion = conv(self.features, kernel_init=Identity(), name="recursion")
        reconstruction = conv(self.features, name="reconstruction_0"), conv(self.channels, name="reconstruction_1")
        weights = parameter(self, "ensemble", Constant(1.0 / self.recursions), (self.recursions,), self.param_dtype)
        shares = weights / jnp.sum(weights)
        result = image
        for i in range(self.recursions):
            x = nn.relu(recursion(x))
            y = reconstruction[0](x)
            y = reconstruction[1](nn.relu(y) if self.middle_relu else y).astype(image.dtype)
            self.sow("intermediates", "restored", image + y)
            result = result + shares[i].astype(image.dtype) * y
        return result


def reference_names(model: DRCN) -> dict[str, str]:
    """Our paths -> the names in icpm/super-resolution, whose ensemble weights are a tensor beside the state dict."""
    return {
        "embedding_0": "embedding_layer.0",
        "embedding_1": "embedding_layer.2",
        "recursion": "conv_block.0",
        "reconstruction_0": "reconstruction_layer.0",
        "reconstruction_1": "reconstruction_layer.1",
        ".ensemble": "ensemble_w",
    }


CARDS = (
    ModelCard(
        name="drcn",
        module=DRCN,
        task="super_resolution",
        paper="https://arxiv.org/abs/1511.04491",
        channels=1,
        interpolated=True,
        scales=(2, 3, 4),
        parameters=1_775_121,
        published={
            "Set5 x2": (37.63, 0.9588),
            "Set14 x2": (33.04, 0.9118),
            "B100 x2": (31.85, 0.8942),
            "Urban100 x2": (30.75, 0.9133),
            "Set5 x3": (33.82, 0.9226),
            "Set14 x3": (29.76, 0.8311),
            "B100 x3": (28.80, 0.7963),
            "Urban100 x3": (27.15, 0.8276),
            "Set5 x4": (31.53, 0.8854),
            "Set14 x4": (28.02, 0.7670),
            "B100 x4": (27.23, 0.7233),
            "Urban100 x4": (25.14, 0.7510),
        },
        reference="icpm/super-resolution (Apache-2.0), a retraining by others",
        reference_names=reference_names,
        notes="1,775,105 (the literature's 1,775K) and 16 ensemble weights; one set of weights for each scale",
    ),
)
