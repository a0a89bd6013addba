"""ESPCN: real-time super-resolution using an efficient sub-pixel convolutional neural network.

Shi, Caballero, Huszar, Totz, Aitken, Bishop, Rueckert and Wang, CVPR 2016, https://arxiv.org/abs/1609.05158

    image -> conv 5, tanh -> conv 3, tanh -> conv 3 -> pixel shuffle -> image

A retraining for colour takes the three channels of JPEG's full-range YCbCr.
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.activation import activation
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import Normal, he_normal
from jaxrestore.ops.color import rgb_to_ycbcr_full, ycbcr_full_to_rgb
from jaxrestore.ops.pixel_shuffle import pixel_shuffle
from jaxrestore.typing import DType, Image


class ESPCN(nn.Module):
    """Three convolutions on the small image; the last gives every pixel its scale x scale descendants.

    Attributes:
      scale: enlargement.
      features: channels of the hidden layers.
      nonlinearity: "tanh", or "relu" (the paper found tanh better).
      channels: image channels.
      ycbcr: the three channels are RGB outside and full-range YCbCr inside, where the result is clipped to [0, 1].
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), not clipped otherwise.
    """

    scale: int = 3
    features: tuple[int, ...] = (64, 32)
    nonlinearity: str = "tanh"
    channels: int = 1
    ycbcr: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        conv = partial(Conv, dtype=self.dtype, param_dtype=self.param_dtype)
        act = activation(self.nonlinearity)
        x = rgb_to_ycbcr_full(image) if self.ycbcr else image
        for i, features in enumerate(self.features):
            x = act(conv(features, 5 if i == 0 else 3, kernel_init=he_normal, name=f"conv_{i}")(x))
        last = conv(self.channels * self.scale**2, 3, kernel_init=Normal(0.001), name=f"conv_{len(self.features)}")
        x = pixel_shuffle(last(x), self.scale).astype(image.dtype)
        return ycbcr_full_to_rgb(jnp.clip(x, 0.0, 1.0)) if self.ycbcr else x


def reference_names(model: ESPCN) -> dict[str, str]:
    """Our module paths -> the module names of yjn870/ESPCN-pytorch, or of Nhat-Thanh/ESPCN-Pytorch for the network in YCbCr."""
    if model.ycbcr:
        return {f"conv_{i}": f"conv_{i + 1}" for i in range(len(model.features) + 1)}
    hidden = {f"conv_{i}": f"first_part.{2 * i}" for i in range(len(model.features))}
    return {**hidden, f"conv_{len(model.features)}": "last_part.0"}


_card = partial(
    ModelCard,
    module=ESPCN,
    task="super_resolution",
    paper="https://arxiv.org/abs/1609.05158",
    channels=1,
    reference="yjn870/ESPCN-pytorch (no licence stated)",
    reference_names=reference_names,
)

_in_ycbcr = partial(
    _card,
    channels=3,
    reference="Nhat-Thanh/ESPCN-Pytorch (MIT), a retraining by others",
    notes="its authors measure over all channels of YCbCr rounded down to 8 bits, which gives higher numbers than luma does",
)

CARDS = (
    _card(name="espcn_x2", scale=2, fields=dict(scale=2), parameters=21_284),
    _card(
        name="espcn_x3", scale=3, fields=dict(scale=3), parameters=22_729, published={"Set5": 32.55}, notes="score: trained on 91 images"
    ),
    _card(
        name="espcn_x4",
        scale=4,
        fields=dict(scale=4),
        parameters=24_752,
        published={"Set5": (30.76, 0.8784), "Set14": (27.66, 0.8004), "B100": (27.02, 0.7442)},
    ),
    _in_ycbcr(name="espcn_ycbcr_x2", scale=2, fields=dict(scale=2, channels=3, ycbcr=True), parameters=26_796),
    _in_ycbcr(name="espcn_ycbcr_x3", scale=3, fields=dict(scale=3, channels=3, ycbcr=True), parameters=31_131),
    _in_ycbcr(name="espcn_ycbcr_x4", scale=4, fields=dict(scale=4, channels=3, ycbcr=True), parameters=37_200),
)
