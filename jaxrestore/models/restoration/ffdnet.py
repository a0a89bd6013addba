"""FFDNet: toward a fast and flexible solution for CNN-based image denoising.

Zhang, Zuo and Zhang, IEEE TIP 2018, https://arxiv.org/abs/1710.04026

    image -> 2x2 sub-images, level -> conv, ReLU -> [conv, ReLU] x (depth - 2) -> conv -> 2x2 sub-images -> clean

Working on sub-images takes a quarter of the arithmetic and doubles the receptive field. The paper's normalisation in the hidden layers is
merged into the convolutions of the published networks.
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.noise_level import level_map
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.ops.pixel_shuffle import pixel_shuffle, pixel_unshuffle
from jaxrestore.typing import DType, Image

Layer = tuple[np.ndarray, np.ndarray]

_SIDE = 2  # of the sub-images' grid


class FFDNet(nn.Module):
    """A plain stack of 3x3 convolutions on sub-images and a map of the noise level.

    Attributes:
      depth: number of convolutions, at least 2.
      features: channels of every hidden layer.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1] and a noise level (N, H, W, 1) (standard deviation on the same scale, trained for 0 to 75 / 255; it
    may differ from place to place), gives (N, H, W, channels), not clipped. Odd sides are padded with the nearest pixel and cropped back.
    """

    depth: int = 15
    features: int = 64
    channels: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return _SIDE

    @nn.compact
    def __call__(self, image: Image, noise_level: Image | None = None) -> Image:
        """Denoise."""
        conv = partial(Conv, kernel_size=3, dtype=self.dtype, param_dtype=self.param_dtype)
        size = image.shape[-3:-1]
        x, levels = (
            pixel_unshuffle(pad_to_multiple(part, _SIDE, "replicate"), _SIDE) for part in (image, level_map(self, image, noise_level))
        )
        x = jnp.concatenate([x, jnp.mean(levels, -1, keepdims=True)], -1)
        for i in range(self.depth - 1):
            x = nn.relu(conv(self.features, name=f"conv_{i}")(x))
        x = conv(self.channels * _SIDE**2, name=f"conv_{self.depth - 1}")(x)
        return crop(pixel_shuffle(x, _SIDE), size).astype(image.dtype)


def reference_names(model: FFDNet) -> dict[str, str]:
    """Our module paths -> the module names of cszn/KAIR."""
    return {f"conv_{i}": f"model.{2 * i}" for i in range(model.depth)}


def from_matlab(model: FFDNet, layers: list[Layer]) -> list[Layer]:
    """Kernels (height, width, in, out) and biases of the authors' MATLAB files in our order of channels.

    MATLAB counts the sub-images of a channel down the columns, we count them along the rows.
    """
    order = np.arange(model.channels * _SIDE**2).reshape(model.channels, _SIDE, _SIDE).transpose(0, 2, 1).ravel()
    (first, first_bias), *hidden, (last, last_bias) = layers
    inputs = np.append(order, order.size)  # the map comes after the sub-images and stays there
    return [(first[:, :, inputs], first_bias), *hidden, (last[..., order], last_bias[order])]


_card = partial(
    ModelCard,
    module=FFDNet,
    task="denoising",
    paper="https://arxiv.org/abs/1710.04026",
    multiple=_SIDE,
    reference="cszn/KAIR (MIT)",
    reference_names=reference_names,
    notes="one set of weights for sigma 0 to 75",
)

CARDS = (
    _card(
        name="ffdnet_gray",
        channels=1,
        parameters=485_316,
        published={"BSD68 sigma 15": 31.63, "BSD68 sigma 25": 29.19, "BSD68 sigma 50": 26.29},
        convention="gray",
    ),
    _card(
        name="ffdnet_color",
        fields=dict(depth=12, features=96, channels=3),
        parameters=852_108,
        published={"CBSD68 sigma 15": 33.87, "CBSD68 sigma 25": 31.21, "CBSD68 sigma 50": 27.96},
        convention="rgb",
    ),
)
