"""DnCNN: residual learning of deep CNN for image denoising.

Zhang, Zuo, Chen, Meng and Zhang, IEEE TIP 2017, https://arxiv.org/abs/1608.03981

    image -+-> conv, ReLU -> [conv, BN, ReLU] x (depth - 2) -> conv -> noise
           `----------------------------------------------------> - ---> clean
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import Form, ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.inner_channels import InnerChannels, kept
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.ops.pixel_shuffle import pixel_shuffle, pixel_unshuffle
from jaxrestore.typing import DType, Image


class DnCNN(nn.Module):
    """A plain stack of 3x3 convolutions that predicts the noise and takes it off.

    Attributes:
      depth: number of convolutions: 17 for one noise level, 20 for a blind network.
      features: channels of every hidden layer.
      channels: image channels.
      norm: batch normalisation in the hidden layers; False is the form with the normalisation merged into the convolutions.
      use_bias: biases in the convolutions.
      norm_epsilon: the normalisation's epsilon.
      unshuffle: work on unshuffle x unshuffle sub-images, as FFDNet does: 2 takes a quarter of the arithmetic, twice the receptive field.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], not clipped.
    """

    depth: int = 17
    features: int = 64
    channels: int = 1
    norm: bool = True
    use_bias: bool = True
    norm_epsilon: float = 1e-4
    unshuffle: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Denoise."""
        conv = partial(Conv, kernel_size=3, use_bias=self.use_bias, dtype=self.dtype, param_dtype=self.param_dtype)
        size = image.shape[-3:-1]
        x = pixel_unshuffle(pad_to_multiple(image, self.unshuffle, "replicate"), self.unshuffle)
        x = nn.relu(conv(self.features, name="conv_0")(x))
        for i in range(1, self.depth - 1):
            x = conv(self.features, name=f"conv_{i}")(x)
            if self.norm:
                x = BatchNorm(self.norm_epsilon, dtype=self.dtype, param_dtype=self.param_dtype, name=f"norm_{i}")(x, train)
            x = nn.relu(x)
        noise = conv(self.channels * self.unshuffle**2, name=f"conv_{self.depth - 1}")(x)
        return image - crop(pixel_shuffle(noise, self.unshuffle), size).astype(image.dtype)

    def narrowed(self, share: float | int) -> "DnCNN":
        """The network with this share of its hidden channels."""
        return self.clone(features=kept(self.features, share))

    def inner_channels(self) -> tuple[InnerChannels, ...]:
        """Those between each two convolutions."""
        return tuple(InnerChannels((f"conv_{i}", f"norm_{i}"), (f"conv_{i + 1}",)) for i in range(self.depth - 1))


def reference_names(model: DnCNN) -> dict[str, str]:
    """Our module paths -> the names in cszn/KAIR, or in SaoYan/DnCNN-PyTorch for the form without biases."""
    stem = "model" if model.use_bias else "dncnn"
    between = 3 if model.norm else 2  # conv, (norm,) ReLU
    names = {"conv_0": f"{stem}.0"}
    for i in range(1, model.depth - 1):
        place = 2 + between * (i - 1)
        names[f"conv_{i}"] = f"{stem}.{place}"
        if model.norm:
            names[f"norm_{i}"] = f"{stem}.{place + 1}"
    names[f"conv_{model.depth - 1}"] = f"{stem}.{2 + between * (model.depth - 2)}"
    return names


_merged = partial(Form, dict(norm=False), reference="cszn/KAIR (MIT) and cszn/DnCNN, normalisation merged into the convolutions")
_without_bias = partial(Form, dict(use_bias=False, norm_epsilon=1e-5), reference="SaoYan/DnCNN-PyTorch (GPL-3.0)")
_card = partial(
    ModelCard,
    module=DnCNN,
    task="denoising",
    paper="https://arxiv.org/abs/1608.03981",
    reference="cszn/KAIR (MIT)",
    reference_names=reference_names,
)

CARDS = (
    _card(
        name="dncnn_gray",
        fields=dict(depth=17),
        channels=1,
        parameters=557_057,
        published={"BSD68 sigma 15": 31.73, "BSD68 sigma 25": 29.23, "BSD68 sigma 50": 26.23, "Set12 sigma 25": 30.436},
        convention="gray",
        forms={"merged": _merged(555_137), "without_bias": _without_bias(556_032)},
        notes="DnCNN-S: one set of weights for each noise level",
    ),
    _card(
        name="dncnn_gray_blind",
        fields=dict(depth=20),
        channels=1,
        blind=True,
        parameters=668_225,
        published={"BSD68 sigma 15": 31.61, "BSD68 sigma 25": 29.16, "BSD68 sigma 50": 26.23, "Set12 sigma 25": 30.362},
        convention="gray",
        forms={"merged": _merged(665_921), "without_bias": _without_bias(667_008)},
        notes="DnCNN-B: one set of weights for sigma 0 to 55; DnCNN-3, which also enlarges and deblocks, is the same network",
    ),
    _card(
        name="dncnn_color_blind",
        fields=dict(depth=20, channels=3),
        blind=True,
        parameters=670_531,
        convention="rgb",
        forms={"merged": _merged(668_227), "without_bias": _without_bias(669_312)},
        notes="CDnCNN-B: one set of weights for sigma 0 to 55",
    ),
)
