"""From a backbone's features at five scales to an image: the feature pyramid of detection, put to restoration.

Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017; Kupyn, Martyniuk, Wu and Wang, "DeblurGAN-v2", ICCV 2019, figure 1.

    1/32 -> 1x1 --------------------> head -> x8 -.
    1/16 -> 1x1 -> + (x2) -> 3x3 ---> head -> x4 -|
    1/8  -> 1x1 -> + (x2) -> 3x3 ---> head -> x2 -|-> side by side -> 3x3 -> x2 -> + -> 3x3 -> x2 -> 3x3
    1/4  -> 1x1 -> + (x2) -> 3x3 ---> head -------'                                |
    1/2  -> 1x1 -------------------------------------------------------------------^
"""

from collections.abc import Sequence
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.norm import normalisation
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.typing import DType, Image


class PyramidDecoder(nn.Module):
    """A top-down pathway over five maps, one head for each of the four coarser ones, and a common way up to the image.

    Attributes:
      features: channels of the heads; the way up has as many, then half as many.
      pyramid_features: channels of the pyramid's levels.
      norm: "instance", "batch" or "none".
      channels: of the result.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes five maps (N, H / 2, W / 2, _) to (N, H / 32, W / 32, _), fine to coarse, gives (N, H, W, channels) without a last activation.
    """

    features: int = 64
    pyramid_features: int = 128
    norm: str = "instance"
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, maps: Sequence[Image], train: bool = False) -> jax.Array:
        """Decode."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, **TORCH_INIT, **types)
        norm = partial(normalisation, self.norm, **types)
        enlarge = partial(interpolate, method="nearest")

        def smoothed(x: jax.Array, features: int, name: str) -> jax.Array:
            return nn.relu(norm(f"{name}_norm")(conv(features, name=name)(x), train))

        sides = [
            conv(self.pyramid_features if level else self.features, 1, use_bias=False, name=f"lateral_{level}")(x)
            for level, x in enumerate(maps)
        ]
        levels = {4: sides[4]}
        for level in (3, 2, 1):
            levels[level] = smoothed(sides[level] + enlarge(levels[level + 1], scale=2), self.pyramid_features, f"top_down_{level}")
        heads = []
        for level in (4, 3, 2, 1):
            x = levels[level]
            for i in range(2):
                x = nn.relu(conv(self.features, use_bias=False, name=f"head_{level}_conv_{i}")(x))
            heads.append(enlarge(x, scale=2 ** (level - 1)))
        x = smoothed(jnp.concatenate(heads, -1), self.features, "smooth_0")
        # The finest map joins with as many channels: those of its lateral convolution.
        x = smoothed(enlarge(x, scale=2) + sides[0], self.features // 2, "smooth_1")
        return conv(self.channels, name="tail")(enlarge(x, scale=2))


def pyramid_decoder_names(ours: str, norm: str) -> dict[str, str]:
    """Module paths under `ours` -> the names of VITA-Group/DeblurGANv2."""
    names = {f"lateral_{level}": f"fpn.lateral{level}" for level in range(5)}
    normed = {f"top_down_{4 - i}": f"fpn.td{i}" for i in (1, 2, 3)} | {"smooth_0": "smooth", "smooth_1": "smooth2"}
    for our, their in normed.items():
        names[our] = f"{their}.0"
        if norm == "batch":
            names[f"{our}_norm"] = f"{their}.1"
    names |= {f"head_{level}_conv_{i}": f"head{level}.block{i}" for level in (1, 2, 3, 4) for i in range(2)}
    names["tail"] = "final"
    return {f"{ours}/{our}": their for our, their in names.items()}
