"""VDSR: accurate image super-resolution using very deep convolutional networks.

Kim, Lee and Lee, CVPR 2016, https://arxiv.org/abs/1511.04587

    bicubic luma -+-> [conv, ReLU] x (depth - 1) -> conv -> + -> luma
                  `----------------------------------------^
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import Form, ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import VarianceScaling
from jaxrestore.typing import DType, Image

_he_over_outputs = VarianceScaling(fan="out")


class VDSR(nn.Module):
    """A plain stack of 3x3 convolutions that predicts what bicubic interpolation has lost; one network for all scales.

    Attributes:
      depth: number of convolutions.
      features: channels of every hidden layer.
      channels: image channels.
      use_bias: biases in the convolutions; the authors' weights have them, a much used retraining has none.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], not clipped.
    """

    depth: int = 20
    features: int = 64
    channels: int = 1
    use_bias: bool = True
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Sharpen."""
        conv = partial(Conv, use_bias=self.use_bias, kernel_init=_he_over_outputs, dtype=self.dtype, param_dtype=self.param_dtype)
        x = image
        for i in range(self.depth - 1):
            x = nn.relu(conv(self.features, name=f"conv_{i}")(x))
        return image + conv(self.channels, name=f"conv_{self.depth - 1}")(x).astype(image.dtype)


def reference_names(model: VDSR) -> dict[str, str]:
    """Our module paths -> the layer names of huangzehao/caffe-vdsr, or of twtygqyy/pytorch-vdsr for the form without biases."""
    if model.use_bias:
        return {f"conv_{i}": f"conv{i + 1}" for i in range(model.depth)}
    between = {f"conv_{i}": f"residual_layer.{i - 1}.conv" for i in range(1, model.depth - 1)}
    return {"conv_0": "input", **between, f"conv_{model.depth - 1}": "output"}


CARDS = (
    ModelCard(
        name="vdsr",
        module=VDSR,
        task="super_resolution",
        paper="https://arxiv.org/abs/1511.04587",
        channels=1,
        interpolated=True,
        scales=(2, 3, 4),
        parameters=665_921,
        published={
            "Set5 x2": (37.53, 0.9587),
            "Set14 x2": (33.03, 0.9124),
            "B100 x2": (31.90, 0.8960),
            "Urban100 x2": (30.76, 0.9140),
            "Set5 x3": (33.66, 0.9213),
            "Set14 x3": (29.77, 0.8314),
            "B100 x3": (28.82, 0.7976),
            "Urban100 x3": (27.14, 0.8279),
            "Set5 x4": (31.35, 0.8838),
            "Set14 x4": (28.01, 0.7674),
            "B100 x4": (27.29, 0.7251),
            "Urban100 x4": (25.18, 0.7524),
        },
        reference="huangzehao/caffe-vdsr (MIT), the authors' weights",
        reference_names=reference_names,
        forms={"without_bias": Form(dict(use_bias=False), 664_704, "twtygqyy/pytorch-vdsr (MIT)")},
        notes="one set of weights for all scales",
    ),
)
