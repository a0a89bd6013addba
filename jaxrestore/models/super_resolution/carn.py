"""CARN: fast, accurate and lightweight super-resolution with cascading residual network.

Ahn, Kang and Sohn, ECCV 2018, https://arxiv.org/abs/1803.08664

    image -> entry -> cascade of 3 blocks -> [conv, ReLU, shuffle] -> exit -> image          block: a cascade of 3 residual units

    cascade:  x -+-> part -+-> 1x1 -+-> part -+-> 1x1 -+-> part -+-> 1x1 ->      every 1x1 convolution (with ReLU) sees the input and
                 |         |        |         |        |         |               the results of all parts so far
                 `---------^--------^---------^--------^---------^

CARN-M: units of two grouped convolutions and a 1x1 one, the same unit three times in a block.
"""

from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.color import DIV2K_MEAN
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.sub_pixel import PixelShuffleUpsample, upsample_stages
from jaxrestore.typing import DType, Image


class CascadingUnit(nn.Module):
    """ReLU(x + conv(ReLU(conv(x)))); with groups both are grouped and a 1x1 convolution follows.

    Attributes:
      features: channels.
      groups: channel groups; 1 is CARN's residual unit, more is CARN-M's efficient one.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, features).
    """

    features: int
    groups: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Refine."""
        conv = partial(Conv, self.features, **TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        x = nn.relu(conv(groups=self.groups, name="conv_0")(image))
        x = conv(groups=self.groups, name="conv_1")(x)
        if self.groups > 1:
            x = conv(kernel_size=1, name="conv_2")(nn.relu(x))
        return nn.relu(image + x)


class CARN(nn.Module):
    """Cascades on two levels, with a tail for each scale.

    Attributes:
      scale: enlargement of this application; one of `scales`.
      scales: the scales for which there is a tail; all share everything else.
      features: channels of every hidden layer.
      groups: channel groups of the units; 4 for CARN-M.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), not clipped.
    """

    scale: int = 4
    scales: tuple[int, ...] = (2, 3, 4)
    features: int = 64
    groups: int = 1
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        if self.scale not in self.scales:
            raise InputError(f"scale is {self.scale}: this CARN has tails for {', '.join(map(str, self.scales))}")
        options = dict(**TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        unit = partial(CascadingUnit, self.features, self.groups, self.dtype, self.param_dtype)
        conv = partial(Conv, **options)

        def cascade(x: Image, parts: list[Callable[[Image], Image]], name: str) -> Image:
            seen = x
            for i, part in enumerate(parts):
                seen = jnp.concatenate([seen, part(x).astype(x.dtype)], -1)
                x = nn.relu(conv(self.features, 1, name=f"{name}fusion_{i}")(seen))
            return x

        def block(x: Image, name: str) -> Image:
            if self.groups > 1:
                return cascade(x, [unit(name=f"{name}_unit")] * 3, f"{name}_")
            return cascade(x, [unit(name=f"{name}_unit_{i}") for i in range(3)], f"{name}_")

        x = conv(self.features, name="entry")(image - DIV2K_MEAN)
        x = cascade(x, [partial(block, name=f"block_{i}") for i in range(3)], "")
        # Every tail has parameters, whichever is used.
        tails = self.scales if self.is_initializing() else (self.scale,)
        enlarged = {
            scale: PixelShuffleUpsample(scale, self.features, nn.relu, self.groups, **options, name=f"upsample_x{scale}")(x)
            for scale in tails
        }
        return conv(self.channels, name="exit")(enlarged[self.scale]).astype(image.dtype) + DIV2K_MEAN


def reference_names(model: CARN) -> dict[str, str]:
    """Our module paths -> the module names of nmhkahn/CARN-pytorch."""
    names = {"entry": "entry", "exit": "exit"}
    layers = range(3 if model.groups > 1 else 2)
    for b in range(3):
        for u in range(1 if model.groups > 1 else 3):
            unit = f"block_{b}_unit" if model.groups > 1 else f"block_{b}_unit_{u}"
            names |= {f"{unit}/conv_{i}": f"b{b + 1}.b{u + 1}.body.{2 * i}" for i in layers}
        names |= {f"block_{b}_fusion_{i}": f"b{b + 1}.c{i + 1}.body.0" for i in range(3)}
        names[f"fusion_{b}"] = f"c{b + 1}.body.0"
    for scale in model.scales:
        tail = f"upsample.up{scale}" if len(model.scales) > 1 else "upsample.up"
        names |= {f"upsample_x{scale}/conv_{i}": f"{tail}.body.{3 * i}" for i in range(len(upsample_stages(scale)))}
    return names


REFERENCE_IGNORED = ("sub_mean", "add_mean")  # the constant DIV2K_MEAN

_card = partial(
    ModelCard,
    module=CARN,
    task="super_resolution",
    paper="https://arxiv.org/abs/1803.08664",
    reference="nmhkahn/CARN-pytorch (MIT)",
    reference_names=reference_names,
    reference_ignored=REFERENCE_IGNORED,
)

CARDS = (
    _card(
        name="carn",
        scale=4,
        scales=(2, 3, 4),
        parameters=1_591_939,
        published={
            "Set5 x2": (37.76, 0.9590),
            "Set14 x2": (33.52, 0.9166),
            "B100 x2": (32.09, 0.8978),
            "Urban100 x2": (31.92, 0.9256),
            "Set5 x3": (34.29, 0.9255),
            "Set14 x3": (30.29, 0.8407),
            "B100 x3": (29.06, 0.8034),
            "Urban100 x3": (28.06, 0.8493),
            "Set5 x4": (32.13, 0.8937),
            "Set14 x4": (28.60, 0.7806),
            "B100 x4": (27.58, 0.7349),
            "Urban100 x4": (26.07, 0.7837),
        },
        notes="one set of weights with a tail for each scale",
    ),
    _card(
        name="carn_m",
        scale=4,
        scales=(2, 3, 4),
        fields=dict(groups=4),
        parameters=414_787,
        published={
            "Set5 x2": 37.53,
            "Set5 x3": 33.99,
            "Set5 x4": (31.92, 0.8903),
            "Set14 x4": (28.42, 0.7762),
            "B100 x4": (27.44, 0.7304),
            "Urban100 x4": (25.62, 0.7694),
        },
        notes="the paper counts 412K; the authors' own file has the 414,787 that are counted here",
    ),
    _card(name="carn_x2", scale=2, fields=dict(scale=2, scales=(2,)), parameters=964_163),
    _card(name="carn_x3", scale=3, fields=dict(scale=3, scales=(3,)), parameters=1_148_803),
    _card(name="carn_x4", scale=4, fields=dict(scale=4, scales=(4,)), parameters=1_111_875),
)
