"""A U-Net that shrinks without aliasing."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.ops.blur_pool import blur_pool
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.typing import DType, Image


class AntialiasedUNet(nn.Module):
    """A U-Net whose maps are filtered before every second value is taken; it gives one logit for each pixel.

    Attributes:
      features: channels of the finest scale; they double with each scale.
      depth: number of halvings.
      convolutions: in each block.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives logits (N, H, W, 1). Other sizes than multiples of `multiple` are continued by reflection
    and cropped back.

    Reference: Zhang, "Making Convolutional Networks Shift-Invariant Again", ICML 2019.
    """

    features: int = 64
    depth: int = 4
    convolutions: int = 2
    channels: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return 2**self.depth

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """Judge each pixel."""
        conv = partial(Conv, padding_mode="reflect", **TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)

        def unit(x: Image, width: int, name: str) -> jax.Array:
            x = conv(width, name=name)(x)
            return nn.leaky_relu(BatchNorm(dtype=self.dtype, param_dtype=self.param_dtype, name=f"{name}_norm")(x, train), 0.2)

        def block(x: Image, width: int, name: str) -> jax.Array:
            for j in range(self.convolutions):
                x = unit(x, width, f"{name}_conv_{j}")
            return x

        x = pad_to_multiple(2.0 * image - 1.0, self.multiple, "reflect")
        x = nn.leaky_relu(conv(self.features, 7, name="head")(x), 0.2)
        skips = []
        for i in range(self.depth):
            skips.append(x)
            x = blur_pool(unit(x, x.shape[-1], f"shrink_{i}"))
            x = block(x, self.features * 2 ** (i + 1), f"down_{i}")
        for i in reversed(range(self.depth)):
            x = conv(self.features * 2**i, name=f"enlarge_{i}")(interpolate(x, scale=2))
            x = block(jnp.concatenate([x, skips[i]], -1), self.features * 2**i, f"up_{i}")
        return crop(conv(1, name="tail")(x), image.shape[1:3]).astype(image.dtype)
