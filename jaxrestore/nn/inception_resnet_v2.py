"""Inception-ResNet-v2: the features of an image at five scales.

Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning", AAAI 2017,
https://arxiv.org/abs/1602.07261

    image -> stem, 192 -> mixed 5b, 320 -> block 35 x 10 -> mixed 6a, 1088 -> block 17 x 20 -> mixed 7a, 2080 -> block 8 x 10 -> 1536

    a block: -+-> 1x1 ----------------+-> side by side -> 1x1, times 0.17, 0.1 or 0.2 -> + -> ReLU
              |-> 1x1 -> 3x3 (or 1x7, 7x1 or 1x3, 3x1) -^                                |
              `--------------------------------------------------------------------------^

No border is added in the stem and where the size is halved, so that the maps are smaller than a half, a quarter... of the image.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv, Pair, pair
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.linear import Linear
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.typing import DType, Image

Unit = tuple[int, Pair, int, bool]
"""A convolution: (channels, window, stride, whether zeros around it keep the size)."""


def _unit(features: int, window: Pair, stride: int = 1, same: bool = True) -> Unit:
    return features, window, stride, same


def _valid(features: int, stride: int = 2) -> Unit:
    return features, 3, stride, False


_BLOCKS: Mapping[str, tuple[int, float, tuple[tuple[Unit, ...], ...]]] = MappingProxyType(
    {
        "block35": (
            10,
            0.17,
            ((_unit(32, 1),), (_unit(32, 1), _unit(32, 3)), (_unit(32, 1), _unit(48, 3), _unit(64, 3))),
        ),
        "block17": (20, 0.1, ((_unit(192, 1),), (_unit(128, 1), _unit(160, (1, 7)), _unit(192, (7, 1))))),
        "block8": (10, 0.2, ((_unit(192, 1),), (_unit(192, 1), _unit(224, (1, 3)), _unit(256, (3, 1))))),
    }
)
"""Name -> number of blocks, factor on the branch, convolutions of each branch."""

_STEM = (("1a", _valid(32)), ("2a", _valid(32, 1)), ("2b", _unit(64, 3)), ("3b", _unit(80, 1)), ("4a", _valid(192, 1)))
_MIXED_5B = ((_unit(96, 1),), (_unit(48, 1), _unit(64, 5)), (_unit(64, 1), _unit(96, 3), _unit(96, 3)), (_unit(64, 1),))
_MIXED_6A = ((_valid(384),), (_unit(256, 1), _unit(256, 3), _valid(384)))
_MIXED_7A = ((_unit(256, 1), _valid(384)), (_unit(256, 1), _valid(288)), (_unit(256, 1), _unit(288, 3), _valid(320)))


class InceptionResNetV2(nn.Module):
    """The convolutions of Inception-ResNet-v2.

    Attributes:
      channel_divisor: widths are divided by it; 1 is the published network.
      depths: numbers of blocks of the three kinds; (10, 20, 10) is the published network.
      classes: outputs of the classifier.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C) of at least 75 pixels a side, gives five maps of 32, 64, 192, 1088 and 2080 channels, reduced by 2, 4, 8, 16 and 32
    and cut at the border: 127, 62, 29, 14 and 6 pixels a side of 256. What lies behind the fifth (the last ten blocks, a convolution, the
    classifier) has parameters, so that published weights fit, and is not computed.
    """

    channel_divisor: int = 1
    depths: tuple[int, int, int] = (10, 20, 10)
    classes: int = 1000
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> tuple[jax.Array, ...]:
        """Features at five scales."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        unit = partial(InceptionUnit, divisor=self.channel_divisor, **types)
        branches = partial(_branches, unit=unit, train=train)
        half = partial(nn.max_pool, window_shape=(3, 3), strides=(2, 2))
        maps = []
        x = jnp.asarray(image)
        for name, layer in _STEM:
            x = unit(layer, name=f"conv_{name}")(x, train)
            if name in ("2b", "4a"):
                x = half(x)
            if name in ("1a", "2b", "4a"):
                maps.append(x)
        # The average of the pixels that there are: zeros around the image do not count.
        pooled = nn.avg_pool(x, (3, 3), padding=((1, 1), (1, 1)), count_include_pad=False)
        x = jnp.concatenate(branches(_MIXED_5B, [x, x, x, pooled], "mixed_5b"), -1)
        x = self._blocks("block35", self.depths[0], x, train)
        x = jnp.concatenate([*branches(_MIXED_6A, [x] * 2, "mixed_6a"), half(x)], -1)
        maps.append(x)
        x = self._blocks("block17", self.depths[1], x, train)
        x = jnp.concatenate([*branches(_MIXED_7A, [x] * 3, "mixed_7a"), half(x)], -1)
        maps.append(x)
        if self.is_initializing():
            x = self._blocks("block8", self.depths[2], x, train)
            x = unit(_unit(1536, 1), name="conv_7b")(x, train)
            Linear(self.classes, **TORCH_INIT, **types, name="classifier")(jnp.mean(x, (1, 2)))
        return tuple(maps)

    def _blocks(self, kind: str, count: int, x: jax.Array, train: bool) -> jax.Array:
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        for i in range(count):
            last = kind == "block8" and i == count - 1  # only this one has no activation
            x = InceptionBlock(kind, not last, self.channel_divisor, **types, name=f"{kind}_{i}")(x, train)
        return x


class InceptionUnit(nn.Module):
    """Convolution without bias, batch normalisation, ReLU.

    Attributes:
      layer: the convolution.
      divisor: its channels are divided by it.
      dtype: computation type.
      param_dtype: type of the parameters.
    """

    layer: Unit
    divisor: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """Apply."""
        features, window, stride, same = self.layer
        padding = (pair(window)[0] // 2, pair(window)[1] // 2) if same else 0
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = Conv(
            features // self.divisor,
            window,
            stride,
            padding,
            use_bias=False,
            kernel_init=TORCH_INIT["kernel_init"],
            **types,
            name="conv",
        )
        return nn.relu(BatchNorm(epsilon=1e-3, **types, name="norm")(conv(image), train))


class InceptionBlock(nn.Module):
    """Branches of several windows, whose joint result is added to the input.

    Attributes:
      kind: "block35", "block17" or "block8".
      activation: whether a ReLU comes last.
      divisor: the branches' channels are divided by it.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, C).
    """

    kind: str
    activation: bool = True
    divisor: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """Refine."""
        _, scale, plan = _BLOCKS[self.kind]
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        unit = partial(InceptionUnit, divisor=self.divisor, **types)
        x = jnp.concatenate(_branches(plan, [image] * len(plan), "branch", unit, train), -1)
        x = image + scale * Conv(image.shape[-1], 1, **TORCH_INIT, **types, name="conv")(x)
        return nn.relu(x) if self.activation else x


def _branches(plan: Sequence, inputs: Sequence, name: str, unit: partial, train: bool) -> list[jax.Array]:
    results = []
    for i, (layers, x) in enumerate(zip(plan, inputs, strict=True)):
        for j, layer in enumerate(layers):
            x = unit(layer, name=f"{name}_{i}_{j}")(x, train)
        results.append(x)
    return results


def inception_resnet_v2_names(model: InceptionResNetV2, ours: str, theirs: str) -> dict[str, str]:
    """Module paths under `ours` -> the names of Cadene/pretrained-models.pytorch under `theirs`."""
    names: dict[str, str] = {}

    def unit(our: str, their: str) -> None:
        names.update({f"{our}/conv": f"{their}.conv", f"{our}/norm": f"{their}.bn"})

    def branches(plan: Sequence, our: str, their: str, pooled: bool = False) -> None:
        for i, layers in enumerate(plan):
            for j in range(len(layers)):
                # A branch of one convolution is that convolution; a pooling before it counts as a layer.
                behind = pooled and i == len(plan) - 1
                place = f".{j + behind}" if len(layers) > 1 or behind else ""
                unit(f"{our}_{i}_{j}", f"{their}.branch{i}{place}")

    for name, _ in _STEM:
        unit(f"conv_{name}", f"conv2d_{name}")
    branches(_MIXED_5B, "mixed_5b", "mixed_5b", pooled=True)
    branches(_MIXED_6A, "mixed_6a", "mixed_6a")
    branches(_MIXED_7A, "mixed_7a", "mixed_7a")
    for (kind, (_, _, plan)), count, repeat in zip(_BLOCKS.items(), model.depths, ("repeat", "repeat_1", "repeat_2"), strict=True):
        for i in range(count):
            their = "block8" if kind == "block8" and i == count - 1 else f"{repeat}.{i}"
            branches(plan, f"{kind}_{i}/branch", their)
            names[f"{kind}_{i}/conv"] = f"{their}.conv2d"
    unit("conv_7b", "conv2d_7b")
    names["classifier"] = "last_linear"
    return {f"{ours}/{our}": f"{theirs}.{their}" for our, their in names.items()}
