"""Noise2Self's U-Net: blind denoising by self-supervision.

Batson and Royer, ICML 2019, https://arxiv.org/abs/1901.11365

    image -> block -+------------------------------------------> concatenate -> block -> image
                    `-> down, block -+---------> concatenate -> block, up -^
                                     `-> down, block, up -^

Down and up are 2x2 convolutions of each channel alone that begin near the mean and near a quarter of the value. The reference means SELU
and a choice of residuals, but passes them to its blocks in the wrong places: what runs, and what its results come from, are residual
blocks with LeakyReLU and without normalisation. So they are here.
"""

from dataclasses import dataclass
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import Uniform, parameter
from jaxrestore.nn.overlap_residual import OverlapResidualBlock, overlap_residual_names
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.typing import DType, Image, Key


@dataclass(frozen=True)
class _AroundQuarter:
    """Uniform values within a hundredth of torch's default for four inputs, around 1/4."""

    bound: float = 0.005

    def __call__(self, key: Key, shape: tuple[int, ...], dtype: DType = jnp.float32) -> jax.Array:
        return 0.25 + Uniform(self.bound)(key, shape, dtype)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return 0.25 + Uniform(self.bound).draw(generator, shape)


class DepthwiseUp(nn.Module):
    """Each channel enlarged by two by a transposed 2x2 convolution of its own.

    Attributes:
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, 2H, 2W, C).
    """

    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        batch, height, width, channels = image.shape
        kernel = parameter(self, "kernel_transposed", _AroundQuarter(), (2, 2, channels, 1), self.param_dtype)
        bias = parameter(self, "bias", Uniform(0.005), (channels,), self.param_dtype)
        image, kernel, bias = nn.dtypes.promote_dtype(image, kernel, bias, dtype=self.dtype)
        window = kernel[::-1, ::-1, :, 0].reshape(1, 1, 2, 1, 2, channels)  # kept flipped, as every transposed kernel
        x = image.reshape(batch, height, 1, width, 1, channels) * window
        return x.reshape(batch, 2 * height, 2 * width, channels) + bias.reshape(1, 1, 1, -1)


class Noise2SelfUNet(nn.Module):
    """A U-Net of residual blocks without normalisation.

    Attributes:
      features: channels of each level, finest first; those below the last level are its own.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives the same with what is below 0 multiplied by 0.01, not clipped. Other sizes than multiples of
    `multiple` are reflected at the bottom and right and cropped back.
    """

    features: tuple[int, ...] = (32, 64, 128, 256)
    channels: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return 2 ** len(self.features)

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Denoise."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        block = partial(OverlapResidualBlock, norm=False, **types)
        down = partial(Conv, kernel_size=2, strides=2, padding=0, kernel_init=_AroundQuarter(), bias_init=Uniform(0.005), **types)
        x = pad_to_multiple(image, self.multiple)
        skips: list[jax.Array] = []
        for level, width in enumerate(self.features):
            x = block(width, name=f"encoder_{level}")(x)
            skips.append(x)
            x = down(width, groups=width, name=f"down_{level}")(x)
        x = block(self.features[-1], name="bottom")(x)
        narrower = (self.channels, *self.features)
        for level in reversed(range(len(self.features))):
            x = DepthwiseUp(**types, name=f"up_{level}")(x)
            x = block(narrower[level], name=f"decoder_{level}")(jnp.concatenate([x, skips.pop()], -1))
        return crop(x, image.shape[1:3]).astype(image.dtype)


def reference_names(model: Noise2SelfUNet) -> dict[str, str]:
    """Our module paths -> the module names of czbiohub/noise2self."""
    levels = len(model.features)
    names = overlap_residual_names("bottom", f"conv{levels + 1}", norm=False)
    for level in range(levels):
        names |= overlap_residual_names(f"encoder_{level}", f"conv{level + 1}", norm=False)
        names |= overlap_residual_names(f"decoder_{level}", f"conv{2 * levels + 1 - level}", norm=False)
        names |= {f"down_{level}": f"down{level + 1}", f"up_{level}": f"up{levels - level}"}
    return names


CARDS = (
    ModelCard(
        name="noise2self_unet",
        module=Noise2SelfUNet,
        task="denoising",
        paper="https://arxiv.org/abs/1901.11365",
        channels=1,
        multiple=16,
        blind=True,
        parameters=3_325_355,
        reference="czbiohub/noise2self (MIT)",
        reference_names=reference_names,
        notes="trained from noisy images alone, one of each",
    ),
)
