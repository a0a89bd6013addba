"""On-demand learning's network: an encoder-decoder whose bottleneck connects every place with every other.

Gao and Grauman, "On-Demand Learning for Deep Image Restoration", ICCV 2017, https://arxiv.org/abs/1612.01380

    64x64 patch -> [conv 4 stride 2, BN, leaky ReLU] x 4 -> channel-wise dense -> [transposed conv 4 stride 2, BN, ReLU] x 3
                -> transposed conv 4 stride 2 -> tanh

The paper trains it for denoising, inpainting, pixel interpolation and deblurring; larger images go through in overlapping patches.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.channelwise_linear import ChannelwiseLinear
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.initialise import Normal
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.nn.patchwise import restore_patches
from jaxrestore.typing import DType, Image

_LEVELS = 4
_normal = Normal(0.02)


class OnDemandNet(nn.Module):
    """Four halvings, a dense layer inside each channel, four doublings.

    Attributes:
      features: channels of the first layer; they double three times.
      channels: image channels.
      patch: side of the patches that the network restores, a multiple of 16; its dense layer belongs to one size.
      stride: pixels between neighbouring patches of a larger image, whose results are averaged; the authors take 3.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1]; the network itself computes in [-1, 1].
    """

    features: int = 64
    channels: int = 1
    patch: int = 64
    stride: int = 16
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Restore."""
        if self.patch < 1 or self.patch % 2**_LEVELS:
            raise InputError(f"patch is {self.patch}: it must be a multiple of {2**_LEVELS}")
        return restore_patches(image, partial(self._restore, train=train), self.patch, self.patch, self.stride)

    def _restore(self, patches: jax.Array, train: bool) -> jax.Array:
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        down = partial(Conv, kernel_size=4, strides=2, padding=1, kernel_init=_normal, **types)
        up = partial(ConvTranspose, kernel_size=4, strides=2, padding=1, kernel_init=_normal, **types)
        widths = [self.features * 2**level for level in range(_LEVELS)]
        x = 2.0 * patches - 1.0
        for i, width in enumerate(widths):
            x = BatchNorm(**types, name=f"down_norm_{i}")(down(width, name=f"down_{i}")(x), train)
            x = nn.leaky_relu(x, 0.2)
        x = ChannelwiseLinear(**types, name="bottleneck")(x)
        for i, width in enumerate(reversed(widths[:-1])):
            x = nn.relu(BatchNorm(**types, name=f"up_norm_{i}")(up(width, name=f"up_{i}")(x), train))
        return 0.5 * jnp.tanh(up(self.channels, name=f"up_{_LEVELS - 1}")(x)) + 0.5


_card = partial(ModelCard, module=OnDemandNet, paper="https://arxiv.org/abs/1612.01380")
_NOTES = "trained on all degrees of difficulty, most on those where it does worst; the authors' files are Torch 7's"

CARDS = (
    _card(name="on_demand_denoise_gray", task="denoising", channels=1, blind=True, parameters=5_650_561, convention="gray", notes=_NOTES),
    _card(name="on_demand_inpaint", task="inpainting", fields=dict(channels=3), parameters=5_654_659, convention="rgb", notes=_NOTES),
)
