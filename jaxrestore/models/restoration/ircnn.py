"""IRCNN: learning deep CNN denoiser prior for image restoration.

Zhang, Zuo, Gu and Zhang, CVPR 2017, https://arxiv.org/abs/1704.03264

    image -+-> conv, ReLU -> [dilated conv, (BN,) ReLU] x 5 -> conv -> noise
           `---------------------------------------------------> - ---> clean

Dilations 1, 2, 3, 4, 3, 2, 1: seven layers see 33x33 pixels. The paper trains 25 such networks, for noise levels 2 to 50 in steps of 2, and
takes another one in each iteration of a plug-and-play solver.
"""

import math
from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import Form, ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.ops.checks import check_range
from jaxrestore.typing import DType, Image

LEVELS = 25
"""Number of networks in a published set."""


def level_index(sigma: float | int) -> int:
    """Which network of a set denoises this level: 0 for sigma up to 2, 1 up to 4, ... 24 up to 50 and beyond.

    Args:
      sigma: standard deviation of the noise in grey levels (of 255), >= 0.

    Raises:
      InputError: a negative level.
    """
    check_range("sigma", sigma, low=0.0)
    return min(max(math.ceil(sigma / 2.0) - 1, 0), LEVELS - 1)


class IRCNN(nn.Module):
    """Seven dilated convolutions that predict the noise and take it off.

    Attributes:
      features: channels of every hidden layer.
      channels: image channels.
      dilations: step between the taps of each layer's window.
      norm: batch normalisation in place of biases in the middle layers, as the networks are trained; the published have it merged.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], not clipped. A set of weights is for one noise level.
    """

    features: int = 64
    channels: int = 1
    dilations: tuple[int, ...] = (1, 2, 3, 4, 3, 2, 1)
    norm: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Denoise."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        *hidden, last = self.dilations
        x = image
        for i, dilation in enumerate(hidden):
            norm = self.norm and i > 0
            x = Conv(self.features, dilation=dilation, use_bias=not norm, **types, name=f"conv_{i}")(x)
            if norm:
                x = BatchNorm(1e-4, **types, name=f"norm_{i}")(x, train)
            x = nn.relu(x)
        noise = Conv(self.channels, dilation=last, **types, name=f"conv_{len(hidden)}")(x)
        return image - noise.astype(image.dtype)


def reference_names(model: IRCNN) -> dict[str, str]:
    """Our module paths -> the module names of cszn/KAIR."""
    last = len(model.dilations) - 1
    if not model.norm:
        return {f"conv_{i}": f"model.{2 * i}" for i in range(last + 1)}
    places = [0, *(3 * i - 1 for i in range(1, last + 1))]  # conv, ReLU, [conv, norm, ReLU] x 5, conv
    names = {f"conv_{i}": f"model.{place}" for i, place in enumerate(places)}
    return names | {f"norm_{i}": f"model.{places[i] + 1}" for i in range(1, last)}


_with_norm = partial(Form, dict(norm=True), reference="the form that is trained; its published weights have the normalisation merged")
_card = partial(
    ModelCard,
    module=IRCNN,
    task="denoising",
    paper="https://arxiv.org/abs/1704.03264",
    reference="cszn/KAIR (MIT)",
    reference_names=reference_names,
    notes="25 sets of weights, one for each noise level 2, 4, ... 50",
)

CARDS = (
    _card(
        name="ircnn_gray",
        channels=1,
        parameters=185_857,
        published={"BSD68 sigma 15": 31.63, "BSD68 sigma 25": 29.15, "BSD68 sigma 50": 26.19},
        convention="gray",
        forms={"normalised": _with_norm(186_177)},
    ),
    _card(name="ircnn_color", fields=dict(channels=3), parameters=188_163, convention="rgb", forms={"normalised": _with_norm(188_483)}),
)
