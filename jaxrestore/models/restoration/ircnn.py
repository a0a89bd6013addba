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
import jax
import jax.numpy as jnp

from jaxrestore.models.card import Form, ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.noise_level import level_map
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


class IRCNNSet(nn.Module):
    """A whole set of IRCNNs: each image goes through the one for its noise level.

    Attributes:
      features: channels of every hidden layer.
      channels: image channels.
      levels: networks in the set; number i, from 0, is for levels up to 2 * (i + 1) / 255, the last for all above as well.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1] and a noise level (N, H, W, 1) (standard deviation on the same scale, of which the mean over the
    image counts), gives (N, H, W, channels), not clipped.
    """

    features: int = 64
    channels: int = 1
    levels: int = LEVELS
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, noise_level: Image | None = None) -> Image:
        """Denoise."""
        network = partial(IRCNN, self.features, self.channels, dtype=self.dtype, param_dtype=self.param_dtype)
        names = [f"level_{i}" for i in range(self.levels)]
        mean = 255.0 * jnp.mean(level_map(self, image, noise_level), (1, 2, 3))
        if self.is_initializing():
            return jnp.stack([network(name=name)(image) for name in names])[0]
        # A level that is meant to be even must not come out above itself by rounding.
        index = jnp.clip(jnp.ceil((mean - 1e-3) / 2.0).astype(int) - 1, 0, self.levels - 1)
        sets = jax.tree.map(lambda *leaves: jnp.stack(leaves), *(self.variables["params"][name] for name in names))

        def denoise(number: jax.Array, one: jax.Array) -> jax.Array:
            chosen = jax.tree.map(lambda leaf: leaf[number], sets)
            return network(parent=None).apply({"params": chosen}, one[None])[0]

        return jax.vmap(denoise)(index, image)


def reference_names(model: IRCNN | IRCNNSet) -> dict[str, str]:
    """Our module paths -> the module names of cszn/KAIR, whose file of a set holds a numbered state for each level."""
    if isinstance(model, IRCNNSet):
        one = reference_names(IRCNN(model.features, model.channels))
        return {f"level_{i}/{ours}": f"{i}.{theirs}" for i in range(model.levels) for ours, theirs in one.items()}
    last = len(model.dilations) - 1
    if not model.norm:
        return {f"conv_{i}": f"model.{2 * i}" for i in range(last + 1)}
    places = [0, *(3 * i - 1 for i in range(1, last + 1))]  # conv, ReLU, [conv, norm, ReLU] x 5, conv
    names = {f"conv_{i}": f"model.{place}" for i, place in enumerate(places)}
    return names | {f"norm_{i}": f"model.{places[i] + 1}" for i in range(1, last)}


_SCORES = {"BSD68 sigma 15": 31.63, "BSD68 sigma 25": 29.15, "BSD68 sigma 50": 26.19}
_with_norm = partial(Form, dict(norm=True), reference="the form that is trained; its published weights have the normalisation merged")
_card = partial(
    ModelCard,
    module=IRCNN,
    task="denoising",
    paper="https://arxiv.org/abs/1704.03264",
    reference="cszn/KAIR (MIT)",
    reference_names=reference_names,
    notes="25 sets of weights, one for each noise level 2, 4, ... 50; of the authors' MATLAB file, which holds all, sigma chooses one",
)

_set = partial(_card, module=IRCNNSet, notes="all 25 networks of a published set; the noise level says which one is taken")

CARDS = (
    _card(
        name="ircnn_gray",
        channels=1,
        parameters=185_857,
        published=_SCORES,
        convention="gray",
        forms={"normalised": _with_norm(186_177)},
    ),
    _card(name="ircnn_color", fields=dict(channels=3), parameters=188_163, convention="rgb", forms={"normalised": _with_norm(188_483)}),
    _set(name="ircnn_set_gray", channels=1, parameters=25 * 185_857, published=_SCORES, convention="gray"),
    _set(name="ircnn_set_color", fields=dict(channels=3), parameters=25 * 188_163, convention="rgb"),
)
