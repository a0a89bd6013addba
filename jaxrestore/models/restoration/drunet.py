"""DRUNet: the denoiser of "Plug-and-Play Image Restoration with Deep Denoiser Prior".

Zhang, Li, Zuo, Zhang, Van Gool and Timofte, IEEE TPAMI 2021, https://arxiv.org/abs/2008.13751

    image, level -> head -+-> [block x n, down] -+-> ... -> block x n -> ... -> + -> [up, block x n] -> + -> tail -> clean
                          |                      `------------------------------^                       |
                          `-----------------------------------------------------------------------------^

No convolution has a bias, so scaling the input scales the output: one network serves every noise level, seen in training or not.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.initialise import VarianceScaling
from jaxrestore.nn.noise_level import level_map
from jaxrestore.nn.residual import ResidualBlock
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.ops.pixel_shuffle import pixel_shuffle, pixel_unshuffle
from jaxrestore.typing import DType, Image

_linear = VarianceScaling(gain=1.0)
_linear_up = VarianceScaling(gain=2.0)  # a 2x2 window at stride 2: each output sees one tap of four
# A branch that starts small leaves a deep stack close to the identity, which is where a restoration network wants to start.
_small_branch = VarianceScaling(gain=0.2)
_small = VarianceScaling(gain=0.1)  # a network that predicts noise starts by predicting little


class DRUNet(nn.Module):
    """A residual U-Net without biases.

    Attributes:
      features: channels of each scale, finest first.
      blocks: residual blocks on each side of each scale, and at the bottom.
      channels: image channels.
      blind: takes the image alone; otherwise also a map of the noise level.
      residual: the network predicts the noise, which is taken off the image, instead of the clean image.
      unshuffle: work on unshuffle x unshuffle sub-images, as FFDNet does: 2 takes a quarter of the arithmetic.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], and unless blind a noise level (N, H, W, 1) (standard deviation on the same scale), gives (N, H, W,
    channels), not clipped. Other sizes than multiples of `multiple` are padded with the nearest pixel and cropped back.
    """

    features: tuple[int, ...] = (64, 128, 256, 512)
    blocks: int = 4
    channels: int = 3
    blind: bool = False
    residual: bool = False
    unshuffle: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return self.unshuffle * 2 ** (len(self.features) - 1)

    @nn.compact
    def __call__(self, image: Image, noise_level: Image | None = None) -> Image:
        """Denoise."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        block = partial(ResidualBlock, use_bias=False, last_init=_small_branch, **types)
        conv = partial(Conv, use_bias=False, kernel_init=_linear, **types)
        down = partial(conv, kernel_size=2, strides=2, padding=0)
        up = partial(ConvTranspose, kernel_size=2, strides=2, use_bias=False, kernel_init=_linear_up, **types)
        x = image if self.blind else jnp.concatenate([image, level_map(self, image, noise_level)], -1)
        size = image.shape[-3:-1]
        x = pixel_unshuffle(pad_to_multiple(x, self.multiple, "replicate"), self.unshuffle)
        x = conv(self.features[0], name="head")(x)
        skips: list[jax.Array] = [x]
        for scale, (width, wider) in enumerate(zip(self.features, self.features[1:], strict=False)):
            for i in range(self.blocks):
                x = block(width, name=f"down_{scale}_block_{i}")(x)
            x = down(wider, name=f"down_{scale}")(x)
            skips.append(x)
        for i in range(self.blocks):
            x = block(self.features[-1], name=f"body_{i}")(x)
        for scale in reversed(range(len(self.features) - 1)):
            x = up(self.features[scale], name=f"up_{scale}")(x + skips.pop())
            for i in range(self.blocks):
                x = block(self.features[scale], name=f"up_{scale}_block_{i}")(x)
        x = conv(self.channels * self.unshuffle**2, kernel_init=_small if self.residual else _linear, name="tail")(x + skips.pop())
        x = crop(pixel_shuffle(x, self.unshuffle), size).astype(image.dtype)
        return image - x if self.residual else x


def reference_names(model: DRUNet) -> dict[str, str]:
    """Our module paths -> the module names of cszn/KAIR."""
    names = {"head": "m_head", "tail": "m_tail"}

    def block(ours: str, theirs: str) -> None:
        names[f"{ours}/conv_0"], names[f"{ours}/conv_1"] = f"{theirs}.res.0", f"{theirs}.res.2"

    for scale in range(len(model.features) - 1):
        names[f"down_{scale}"] = f"m_down{scale + 1}.{model.blocks}"
        names[f"up_{scale}"] = f"m_up{scale + 1}.0"
        for i in range(model.blocks):
            block(f"down_{scale}_block_{i}", f"m_down{scale + 1}.{i}")
            block(f"up_{scale}_block_{i}", f"m_up{scale + 1}.{i + 1}")
    for i in range(model.blocks):
        block(f"body_{i}", f"m_body.{i}")
    return names


_card = partial(ModelCard, module=DRUNet, task="denoising", paper="https://arxiv.org/abs/2008.13751", multiple=8)
_published = partial(_card, reference="cszn/KAIR (MIT)", reference_names=reference_names, notes="one set of weights for sigma 0 to 50")

CARDS = (
    _published(
        name="drunet_gray",
        fields=dict(channels=1),
        channels=1,
        parameters=32_638_656,
        published={"BSD68 sigma 15": 31.91, "BSD68 sigma 25": 29.48, "BSD68 sigma 50": 26.59},
        convention="gray",
    ),
    _published(
        name="drunet_color",
        parameters=32_640_960,
        published={"CBSD68 sigma 30": 30.81, "CBSD68 sigma 50": 28.51},
        convention="rgb",
    ),
    _card(
        name="drunet_color_blind_light",
        fields=dict(features=(32, 64, 128), blocks=2, blind=True, residual=True, unshuffle=2),
        channels=3,
        blind=True,
        parameters=1_047_296,
        convention="rgb",
        notes="our own light configuration, not in the paper: 2x2 sub-images, three scales, no noise map, predicts the noise; for a CPU",
    ),
)
