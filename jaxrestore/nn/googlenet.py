"""GoogLeNet: the features of a whole image, from windows of several sizes side by side.

Szegedy et al., "Going deeper with convolutions", CVPR 2015, https://arxiv.org/abs/1409.4842, table 1, with batch normalisation behind every
convolution (Ioffe and Szegedy 2015) in place of biases and of local response normalisation.

    image -> 7x7/2, 64 -> pool/2 -> 1x1, 64 -> 3x3, 192 -> pool/2 -> inception x 2 -> pool/2 -> inception x 5 -> pool/2 -> inception x 2
          -> mean over the map, 1024

    an inception: -+-> 1x1 ------------------+-> side by side
                   |-> 1x1 -> 3x3 -----------|
                   |-> 1x1 -> 5x5 -----------|
                   `-> greatest of 3x3 -> 1x1'
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.inception_resnet_v2 import InceptionUnit
from jaxrestore.typing import DType, Image

# Channels of 1x1; before and of 3x3; before and of 5x5; behind the pooling. The blocks of one row work at one scale.
_BLOCKS = (
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    (
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)


class GoogLeNet(nn.Module):
    """The convolutions of GoogLeNet and the mean over the last map; no classifier, nor the auxiliary ones of its training.

    Attributes:
      channel_divisor: widths are divided by it; 1 is the published network.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, 1024 / channel_divisor).
    """

    channel_divisor: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """Describe the image."""

        def unit(x: jax.Array, features: int, window: int, name: str, stride: int = 1) -> jax.Array:
            types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
            return InceptionUnit((features, window, stride, True), self.channel_divisor, **types, name=name)(x, train)

        def inception(x: jax.Array, widths: tuple[int, ...], name: str) -> jax.Array:
            alone, before_3, of_3, before_5, of_5, pooled = widths
            branches = [unit(x, alone, 1, f"{name}_1x1")]
            branches += [
                unit(unit(x, before, 1, f"{name}_{k}x{k}_before"), of, k, f"{name}_{k}x{k}")
                for before, of, k in ((before_3, of_3, 3), (before_5, of_5, 5))
            ]
            greatest = nn.max_pool(x, (3, 3), padding="SAME")
            return jnp.concatenate([*branches, unit(greatest, pooled, 1, f"{name}_pooled")], -1)

        x = _half(unit(jnp.asarray(image), 64, 7, "conv_0", 2))
        x = _half(unit(unit(x, 64, 1, "conv_1"), 192, 3, "conv_2"))
        for scale, blocks in enumerate(_BLOCKS, start=3):
            x = _half(x) if scale > 3 else x
            for letter, widths in zip("abcde", blocks, strict=False):
                x = inception(x, widths, f"inception_{scale}{letter}")
        return jnp.mean(x, (1, 2))


def _half(x: jax.Array) -> jax.Array:
    # Another window begins wherever pixels are left, as in Caffe; one pixel stays one.
    below, right = (max(1 - side % 2, 3 - side) for side in x.shape[1:3])
    return nn.max_pool(x, (3, 3), (2, 2), ((0, below), (0, right)))
