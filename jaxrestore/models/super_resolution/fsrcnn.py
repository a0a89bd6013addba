"""FSRCNN: accelerating the super-resolution convolutional neural network.

Dong, Loy and Tang, ECCV 2016, https://arxiv.org/abs/1608.00367

    luma -> conv 5 -> conv 1 -> [conv 3] x depth -> conv 1 -> transposed conv 9 -> luma      each but the last followed by PReLU
            features  shrink    mapping             expand    enlargement
"""

import math
from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.initialise import Normal, VarianceScaling
from jaxrestore.nn.prelu import PReLU
from jaxrestore.typing import DType, Image

_he_over_outputs = VarianceScaling(gain=math.sqrt(2.0), fan="out")


class FSRCNN(nn.Module):
    """An hourglass on the small image, enlarged by its last layer.

    Attributes:
      scale: enlargement.
      features: channels of the first layer and before the last (d in the paper).
      shrunk: channels of the mapping layers (s).
      depth: number of mapping layers (m).
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), not clipped.
    """

    scale: int = 3
    features: int = 56
    shrunk: int = 12
    depth: int = 4
    channels: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        widths = [(self.features, 5), (self.shrunk, 1), *[(self.shrunk, 3)] * self.depth, (self.features, 1)]
        x = image
        for i, (features, window) in enumerate(widths):
            x = Conv(features, window, kernel_init=_he_over_outputs, **types, name=f"conv_{i}")(x)
            x = PReLU(param_dtype=self.param_dtype, name=f"prelu_{i}")(x)
        # Caffe's layer gives scale * (H - 1) + 1 rows; the missing scale - 1 come out of the same kernel.
        enlarge = ConvTranspose(self.channels, 9, self.scale, 4, self.scale - 1, kernel_init=Normal(0.001), **types, name="enlarge")
        return enlarge(x).astype(image.dtype)


def reference_names(model: FSRCNN) -> dict[str, str]:
    """Our module paths -> the module names of yjn870/FSRCNN-pytorch."""
    names = {"conv_0": "first_part.0", "prelu_0": "first_part.1", "enlarge": "last_part"}
    for i in range(model.depth + 2):
        names |= {f"conv_{i + 1}": f"mid_part.{2 * i}", f"prelu_{i + 1}": f"mid_part.{2 * i + 1}"}
    return names


_card = partial(
    ModelCard,
    module=FSRCNN,
    task="super_resolution",
    paper="https://arxiv.org/abs/1608.00367",
    channels=1,
    parameters=12_809,
    reference="yjn870/FSRCNN-pytorch (no licence stated)",
    reference_names=reference_names,
    notes="the paper counts weights without biases and slopes: 12,464",
)

CARDS = (
    _card(
        name="fsrcnn_x2",
        scale=2,
        fields=dict(scale=2),
        published={"Set5": (37.05, 0.9560), "Set14": (32.66, 0.9090), "B100": (31.53, 0.8920), "Urban100": (29.88, 0.9020)},
    ),
    _card(name="fsrcnn_x3", scale=3, fields=dict(scale=3), published={"Set5": 33.16}),
    _card(
        name="fsrcnn_x4",
        scale=4,
        fields=dict(scale=4),
        published={"Set5": (30.72, 0.8660), "Set14": (27.61, 0.7550), "B100": (26.98, 0.7150), "Urban100": (24.62, 0.7280)},
    ),
)
