"""The residual generator of image translation: CycleGAN's, and with a residual around it DeblurGAN's."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.dropout import Dropout
from jaxrestore.nn.norm import normalisation
from jaxrestore.nn.patch_discriminator import GAN_INIT, GAN_SCALE_INIT
from jaxrestore.typing import DType, Image

MULTIPLE = 4
"""Height and width that the two halvings need."""


class ResNetGenerator(nn.Module):
    """Two strided convolutions down, residual blocks, two transposed convolutions up.

        image -> conv 7 -> conv/2 -> conv/2 -> [conv, norm, relu, conv, norm, +] x depth -> up x2 -> up x2 -> conv 7, tanh
                 features  2 x       4 x features                                           2 x      features

    Attributes:
      features: channels of the first layer.
      depth: number of residual blocks.
      norm: "batch", "instance" or "none"; the convolutions before a batch normalisation have no bias.
      dropout: share of a residual branch's middle values dropped, with `rngs={"dropout": key}`.
      channels: of the result.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C) in [-1, 1] with H and W multiples of `MULTIPLE`, gives (N, H, W, channels) in [-1, 1].

    Reference: Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", ICCV 2017, appendix 7.2.
    """

    features: int = 64
    depth: int = 9
    norm: str = "instance"
    dropout: float = 0.0
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """Translate."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        inner = dict(use_bias=self.norm != "batch", kernel_init=GAN_INIT, **types)
        norm = partial(normalisation, self.norm, scale_init=GAN_SCALE_INIT, **types)
        mirrored = partial(Conv, padding_mode="reflect", **inner)

        x = nn.relu(norm("head_norm")(mirrored(self.features, 7, name="head")(image), train))
        for i, width in enumerate((2 * self.features, 4 * self.features)):
            x = Conv(width, strides=2, padding=1, name=f"down_{i}", **inner)(x)
            x = nn.relu(norm(f"down_{i}_norm")(x, train))
        for i in range(self.depth):
            branch = mirrored(4 * self.features, name=f"block_{i}_conv_0")(x)
            branch = nn.relu(norm(f"block_{i}_norm_0")(branch, train))
            branch = Dropout(self.dropout, name=f"block_{i}_dropout")(branch)
            branch = mirrored(4 * self.features, name=f"block_{i}_conv_1")(branch)
            x = x + norm(f"block_{i}_norm_1")(branch, train)
        for i, width in enumerate((2 * self.features, self.features)):
            x = ConvTranspose(width, strides=2, padding=1, output_padding=1, name=f"up_{i}", **inner)(x)
            x = nn.relu(norm(f"up_{i}_norm")(x, train))
        x = Conv(self.channels, 7, padding_mode="reflect", kernel_init=GAN_INIT, name="tail", **types)(x)
        return nn.tanh(x.astype(image.dtype))


def resnet_generator_names(depth: int, norm: str, dropout: float, prefix: str) -> dict[str, str]:
    """Paths in a `ResNetGenerator` called `prefix` -> the names of pytorch-CycleGAN-and-pix2pix's ResnetGenerator and of its copies."""
    names = {"head": "model.1", "head_norm": "model.2"}
    for i in range(2):
        down, up = 4 + 3 * i, 10 + depth + 3 * i
        names |= {f"down_{i}": f"model.{down}", f"down_{i}_norm": f"model.{down + 1}"}
        names |= {f"up_{i}": f"model.{up}", f"up_{i}_norm": f"model.{up + 1}"}
    for i in range(depth):
        second = 6 if dropout else 5  # a dropout layer counts among theirs
        parts = {"conv_0": 1, "norm_0": 2, "conv_1": second, "norm_1": second + 1}
        names |= {f"block_{i}_{ours}": f"model.{10 + i}.conv_block.{theirs}" for ours, theirs in parts.items()}
    names["tail"] = f"model.{17 + depth}"
    return {f"{prefix}/{ours}": theirs for ours, theirs in names.items() if norm == "batch" or "norm" not in ours}
