"""MDSR: the multi-scale network of "Enhanced Deep Residual Networks for Single Image Super-Resolution".

Lim, Son, Kim, Nah and Lee, CVPR Workshops 2017, https://arxiv.org/abs/1707.02921

                   scale's own                 shared                          scale's own        shared
    image -> head -> [5x5 block] x 2 -+-> [block] x depth -> conv -> + -> upsample -> conv -> image
                                      `------------------------------^
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.color import DIV2K_MEAN
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.residual import ResidualBlock
from jaxrestore.nn.sub_pixel import PixelShuffleUpsample, upsample_names
from jaxrestore.typing import DType, Image


class MDSR(nn.Module):
    """EDSR with a head and a tail for each scale around a shared body.

    Attributes:
      scale: enlargement of this application; one of `scales`.
      scales: the scales that have a head and a tail.
      features: channels of every hidden layer.
      depth: number of shared residual blocks.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), not clipped.
    """

    scale: int = 4
    scales: tuple[int, ...] = (2, 3, 4)
    features: int = 64
    depth: int = 80
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        if self.scale not in self.scales:
            raise InputError(f"scale is {self.scale}: this MDSR has tails for {', '.join(map(str, self.scales))}")
        options = dict(**TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        shallow = Conv(self.features, **options, name="head")(255.0 * (image - DIV2K_MEAN))
        # Every scale's parameters exist, whichever is used; the body is run once.
        used = self.scales if self.is_initializing() else (self.scale,)
        prepared = {}
        for scale in used:
            x = shallow
            for i in range(2):
                x = ResidualBlock(self.features, kernel_size=5, **options, name=f"prepare_x{scale}_{i}")(x)
            prepared[scale] = x
        start = x = prepared[self.scale]
        for i in range(self.depth):
            x = ResidualBlock(self.features, **options, name=f"block_{i}")(x)
        x = start + Conv(self.features, **options, name="body_end")(x)
        enlarged = {scale: PixelShuffleUpsample(scale, self.features, **options, name=f"upsample_x{scale}")(x) for scale in used}
        return Conv(self.channels, **options, name="tail")(enlarged[self.scale]).astype(image.dtype) / 255.0 + DIV2K_MEAN


def reference_names(model: MDSR) -> dict[str, str]:
    """Our module paths -> the module names of sanghyun-son/EDSR-PyTorch."""
    names = {"head": "head.0", "body_end": f"body.{model.depth}", "tail": "tail.0"}

    def block(ours: str, theirs: str) -> None:
        names.update({f"{ours}/conv_0": f"{theirs}.body.0", f"{ours}/conv_1": f"{theirs}.body.2"})

    for i in range(model.depth):
        block(f"block_{i}", f"body.{i}")
    for place, scale in enumerate(model.scales):
        for i in range(2):
            block(f"prepare_x{scale}_{i}", f"pre_process.{place}.{i}")
        names |= upsample_names(f"upsample_x{scale}", f"upsample.{place}", scale)
    return names


REFERENCE_IGNORED = ("sub_mean", "add_mean")  # the constant DIV2K_MEAN

_card = partial(
    ModelCard,
    module=MDSR,
    task="super_resolution",
    paper="https://arxiv.org/abs/1707.02921",
    scale=4,
    scales=(2, 3, 4),
    reference="sanghyun-son/EDSR-PyTorch (MIT)",
    reference_names=reference_names,
    reference_ignored=REFERENCE_IGNORED,
)

CARDS = (
    _card(name="mdsr_baseline", fields=dict(depth=16), parameters=3_227_203),
    _card(name="mdsr", parameters=7_953_987),
)
