"""BabyUnet: the small U-Net of Noise2Self.

Batson and Royer, "Noise2Self: Blind Denoising by Self-Supervision", ICML 2019, https://arxiv.org/abs/1901.11365

    image -> block -+------------------------------------> concatenate -> block -> conv 1x1 -> image
                    `-> pool, block -+-> concatenate -> block, up -^
                                     `-> pool, block, up -^

`training.objectives.noise2self` trains it from noisy images alone, one of each.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.overlap_residual import OverlapResidualBlock, overlap_residual_names
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.ops.unpooling import max_pool
from jaxrestore.typing import DType, Image


class BabyUNet(nn.Module):
    """A U-Net of two levels.

    Attributes:
      features: channels at full size; twice as many below.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], not clipped. Other sizes than multiples of 4 are reflected at the bottom and right and
    cropped back.
    """

    features: int = 16
    channels: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return 4

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Denoise."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        block = partial(OverlapResidualBlock, **types)
        x = pad_to_multiple(image, self.multiple)
        skips: list[jax.Array] = []
        for level in range(2):
            x = block(self.features * 2**level, name=f"encoder_{level}")(x, train)
            skips.append(x)
            x = max_pool(x)
        x = block(2 * self.features, name="encoder_2")(x, train)
        for level in (1, 0):
            x = jnp.concatenate([interpolate(x, scale=2), skips.pop()], -1)
            x = block(self.features * 2**level, name=f"decoder_{level}")(x, train)
        x = Conv(self.channels, 1, **TORCH_INIT, **types, name="last")(x).astype(image.dtype)
        return crop(x, image.shape[1:3])


def reference_names(model: BabyUNet) -> dict[str, str]:
    """Our module paths -> the module names of czbiohub/noise2self."""
    names = {"last": "conv6"}
    for i, ours in enumerate(("encoder_0", "encoder_1", "encoder_2", "decoder_1", "decoder_0")):
        names |= overlap_residual_names(ours, f"conv{i + 1}")
    return names


CARDS = (
    ModelCard(
        name="babyunet",
        module=BabyUNet,
        task="denoising",
        paper="https://arxiv.org/abs/1901.11365",
        channels=1,
        multiple=4,
        blind=True,
        parameters=72_353,
        reference="czbiohub/noise2self (MIT)",
        reference_names=reference_names,
        notes="trained from noisy images alone, one of each",
    ),
)
