"""ESPCN: real-time super-resolution using an efficient sub-pixel convolutional neural network.

Shi, Caballero, Huszar, Totz, Aitken, Bishop, Rueckert and Wang, CVPR 2016, https://arxiv.org/abs/1609.05158

    image -> conv 5, tanh -> conv 3, tanh -> conv 3 -> pixel shuffle -> image
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.activation import activation
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import Normal, he_normal
from jaxrestore.ops.pixel_shuffle import pixel_shuffle
from jaxrestore.typing import DType, Image


class ESPCN(nn.Module):
    """Three convolutions on the small image; the last gives every pixel its scale x scale descendants.

    Attributes:
      scale: enlargement.
      features: channels of the hidden layers.
      nonlinearity: "tanh", or "relu" (the paper found tanh better).
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), not clipped.
    """

    scale: int = 3
    features: tuple[int, ...] = (64, 32)
    nonlinearity: str = "tanh"
    channels: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        conv = partial(Conv, dtype=self.dtype, param_dtype=self.param_dtype)
        act = activation(self.nonlinearity)
        x = image
        for i, features in enumerate(self.features):
            x = act(conv(features, 5 if i == 0 else 3, kernel_init=he_normal, name=f"conv_{i}")(x))
        last = conv(self.channels * self.scale**2, 3, kernel_init=Normal(0.001), name=f"conv_{len(self.features)}")
        return pixel_shuffle(last(x), self.scale).astype(image.dtype)


def reference_names(model: ESPCN) -> dict[str, str]:
    """Our module paths -> the module names of yjn870/ESPCN-pytorch."""
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
)
