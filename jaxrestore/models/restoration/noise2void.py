"""Noise2Void's U-Net: learning denoising from single noisy images.

Krull, Buchholz and Jug, CVPR 2019, https://arxiv.org/abs/1811.10980

    image -+--------------------------------------------------------------------------------------------+
           `-> conv, conv -+----------------------------------------> concatenate -> conv, conv -> conv 1x1 -> (+) -> image
                           `-> pool, conv, conv -+-> concatenate -> conv, conv, up -^
                                                 `-> pool, conv, conv, up -^

Every convolution but the last has a batch normalisation and a ReLU. The network sees every pixel: the blind spot is in its training
(`training.objectives.noise2void`), which hides a few pixels and asks for their noisy values. There are no public weights.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import VarianceScaling
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.ops.unpooling import max_pool
from jaxrestore.typing import DType, Image

# Keras's constants, with which the reference trains.
_NORM = dict(epsilon=1e-3, momentum=0.01)


class Noise2VoidUNet(nn.Module):
    """The U-Net of CSBDeep, for all channels together or once for each.

    Attributes:
      features: channels at full size; they double at each level.
      levels: number of poolings by 2.
      depth: convolutions on each side of each level, at least 2; the last on the way up already has the channels of the next level.
      kernel_size: side of the windows.
      norm: batch normalisation after every convolution but the last.
      residual: the network predicts what is added to the image.
      single_channel: the same structure with weights of its own for every channel, so that no channel helps another.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], not clipped. Other sizes than multiples of `multiple` are reflected at the bottom and
    right and cropped back.
    """

    features: int = 32
    levels: int = 2
    depth: int = 2
    kernel_size: int = 3
    norm: bool = True
    residual: bool = False
    single_channel: bool = False
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return 2**self.levels

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Denoise.

        Raises:
          InputError: a depth below 2, or an even window.
        """
        if self.depth < 2:
            raise InputError(f"depth is {self.depth}: it must be at least 2")
        if self.kernel_size % 2 == 0:
            raise InputError(f"kernel_size is {self.kernel_size}: it must be odd")
        x = pad_to_multiple(image, self.multiple)
        parts = jnp.split(x, self.channels, -1) if self.single_channel else [x]
        x = jnp.concatenate([self._restore(part, train, f"channel_{i}_" if len(parts) > 1 else "") for i, part in enumerate(parts)], -1)
        x = crop(x.astype(image.dtype), image.shape[1:3])
        return image + x if self.residual else x

    def _restore(self, image: Image, train: bool, prefix: str) -> jax.Array:
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        deepest = self.features * 2**self.levels

        def convolve(name: str, x: Image, *widths: int) -> jax.Array:
            for i, width in enumerate(widths):
                init = VarianceScaling(gain=(2.0 * x.shape[-1] / (x.shape[-1] + width)) ** 0.5, distribution="uniform")  # Glorot and Bengio
                x = Conv(width, self.kernel_size, kernel_init=init, **types, name=f"{prefix}{name}_conv_{i}")(x)
                x = BatchNorm(**_NORM, **types, name=f"{prefix}{name}_norm_{i}")(x, train) if self.norm else x
                x = nn.relu(x)
            return x

        x, skips = image, []
        for level in range(self.levels):
            x = convolve(f"encoder_{level}", x, *(self.features * 2**level,) * self.depth)
            skips.append(x)
            x = max_pool(x)
        x = convolve("bottom", x, *(deepest,) * (self.depth - 1), deepest // 2)
        for level in reversed(range(self.levels)):
            x = jnp.concatenate([interpolate(x, scale=2, method="nearest"), skips.pop()], -1)
            narrower = self.features * 2 ** max(0, level - 1)
            x = convolve(f"decoder_{level}", x, *(self.features,) * (self.depth - 1), narrower)
        init = VarianceScaling(gain=(2.0 * x.shape[-1] / (x.shape[-1] + image.shape[-1])) ** 0.5, distribution="uniform")
        return Conv(image.shape[-1], 1, kernel_init=init, **types, name=f"{prefix}last")(x)


_card = partial(
    ModelCard,
    module=Noise2VoidUNet,
    task="denoising",
    paper="https://arxiv.org/abs/1811.10980",
    multiple=4,
    blind=True,
    reference="juglab/n2v (BSD-3-Clause)",
)

CARDS = (
    _card(
        name="noise2void",
        fields=dict(single_channel=True),
        parameters=862_659,
        notes="a network for each channel, as is the reference's default; the count is computed, not published",
    ),
    _card(
        name="noise2void_gray",
        fields=dict(features=96, residual=True, channels=1),
        channels=1,
        parameters=2_576_833,
        published={"BSD68 sigma 25": 27.71},
        convention="gray",
        notes="of the reference's BSD68 experiment, which reports 27.84 dB with eight flips and rotations; count computed, not published",
    ),
)
