"""Translation of old photos between latent spaces: the way into latents and the way out."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.initialise import FanUniform, Normal
from jaxrestore.nn.norm import InstanceNorm
from jaxrestore.nn.reflected_block import ReflectedBlock
from jaxrestore.typing import DType, Image

SHRUNK = 4
"""Sides of an image are so many times those of its latents."""


class Translation(nn.Module):
    """What encoder, decoder and mapping have in common: convolutions with instance normalisation and residual blocks."""

    @property
    def types(self) -> dict[str, DType | None]:
        """Of computation and of parameters."""
        return dict(dtype=self.dtype, param_dtype=self.param_dtype)

    def convolution(self, x: Image, name: str, layer: type[nn.Module], *arguments: int, **options: object) -> jax.Array:
        """One `Conv` or `ConvTranspose`, with the initial weights of the reference."""
        return layer(*arguments, **options, kernel_init=Normal(0.02), bias_init=FanUniform(), **self.types, name=name)(x)

    def normalised(self, x: Image, name: str, layer: type[nn.Module], *arguments: int, **options: object) -> jax.Array:
        """A convolution, instance normalisation and a ReLU."""
        x = self.convolution(x, name, layer, *arguments, **options)
        return nn.relu(InstanceNorm(dtype=self.dtype, name=f"{name}_norm")(x))

    def blocks(self, x: Image, name: str, count: int, dilation: int = 1, first: int = 0) -> jax.Array:
        """Residual blocks, numbered from `first`."""
        for i in range(first, first + count):
            x = ReflectedBlock(x.shape[-1], dilation, **self.types, name=f"{name}_{i}")(x)
        return x


class PhotoEncoder(Translation):
    """Half of `OldPhotoVAE`, which says what the fields are. Takes (N, H, W, C) in [-1, 1], gives (N, H / 4, W / 4, most_features)."""

    features: int = 64
    most_features: int = 64
    kernel_size: int = 4
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, x: Image) -> jax.Array:
        """Encode."""
        x = self.normalised(x, "head", Conv, _width(self, 0), 7, padding_mode="reflect")
        for i in range(2):
            x = self.normalised(x, f"down_{i}", Conv, _width(self, i + 1), self.kernel_size, 2, 1)
        return self.blocks(x, "block", 4)


class PhotoDecoder(Translation):
    """The other half, with the same fields. Takes what the encoder gives, gives (N, H, W, channels) in [-1, 1]."""

    features: int = 64
    most_features: int = 64
    kernel_size: int = 4
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, x: Image) -> jax.Array:
        """Decode."""
        x = self.blocks(x, "block", 4)
        for i in range(2):
            more = 4 - self.kernel_size
            x = self.normalised(x, f"up_{i}", ConvTranspose, _width(self, 1 - i), self.kernel_size, 2, 1, more)
        return nn.tanh(self.convolution(x, "tail", Conv, self.channels, 7, padding_mode="reflect"))


def _width(model: PhotoEncoder | PhotoDecoder, halvings: int) -> int:
    if model.most_features > 4 * model.features:
        raise InputError(f"most_features is {model.most_features}: it must be at most four times features = {model.features}")
    return min(model.features * 2**halvings, model.most_features)
