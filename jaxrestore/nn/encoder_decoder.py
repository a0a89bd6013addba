"""The U shape: down by pooling, up again, with or without skips across."""

from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.nn.initialise import he_normal
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.nn.upsample import Upsample
from jaxrestore.ops.unpooling import max_pool_with_places
from jaxrestore.typing import DType, Image


class EncoderDecoder(nn.Module):
    """An encoder and a decoder that doubles back on it.

        level 0   encoder_0 ------------------ concatenate -> decoder_0 ->
                      | pool                        ^ upsample_0
        level 1   encoder_1 ------- concatenate -> decoder_1
                      | pool             ^ upsample_1
        level 2   encoder_2 -------------'

    Attributes:
      block: `block(features, name=...)` gives the module of one level, called with (x, train).
      features: channels at level 0; each level has twice those of the one above.
      levels: number of poolings by 2.
      skips: whether the decoder also sees the encoder's features of each level. Without them everything passes through the deepest level
        (and, for "unpooling", through the places of the maxima).
      upsampling: a method of `Upsample`.
      activation: after each upsampling and its batch normalisation.
      kernel_init: initialiser of the upsamplings' kernels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C) with H and W multiples of 2**levels, gives (N, H, W, features).

    Reference: Ronneberger, Fischer and Brox, "U-Net", MICCAI 2015; Badrinarayanan, Kendall and Cipolla, "SegNet", TPAMI 2017 (unpooling).
    """

    block: Callable[..., nn.Module]
    features: int = 64
    levels: int = 4
    skips: bool = True
    upsampling: str = "bilinear"
    activation: Callable = nn.relu
    kernel_init: Callable = he_normal
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Go down and up.

        Raises:
          InputError: height or width is no multiple of 2**levels, or an unknown upsampling.
        """
        height, width = image.shape[1:3]
        if height % 2**self.levels or width % 2**self.levels:
            raise InputError(f"{self.levels} levels need sides that are multiples of {2**self.levels}, not {height}x{width}: pad the image")
        types = {"dtype": self.dtype, "param_dtype": self.param_dtype}
        x = self.block(self.features, name="encoder_0")(image, train)
        passed = []
        for level in range(1, self.levels + 1):
            pooled, places = max_pool_with_places(x)
            passed.append((x, places))
            x = self.block(self.features * 2**level, name=f"encoder_{level}")(pooled, train)
        for level in reversed(range(self.levels)):
            skip, places = passed[level]
            features = self.features * 2**level
            x = Upsample(features, self.upsampling, self.kernel_init, **types, name=f"upsample_{level}")(x, places)
            x = self.activation(BatchNorm(**types, name=f"upsample_norm_{level}")(x, train))
            if self.skips:
                x = jnp.concatenate([skip, x], -1)
            x = self.block(features, name=f"decoder_{level}")(x, train)
        return x
