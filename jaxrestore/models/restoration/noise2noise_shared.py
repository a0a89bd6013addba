"""Noise2Noise's U-Net with layers shared between levels: joeylitalien/noise2noise-pytorch.

After Lehtinen et al., "Noise2Noise: Learning Image Restoration without Clean Data", ICML 2018, https://arxiv.org/abs/1803.04189

    image -+--------------------------------------------------> concatenate -> conv 64, 32 -> conv, LeakyReLU -> image
           `-> conv, conv, pool -+------------------> concatenate -> D -^
                                 `-> E -+-------> concatenate -> D -^
                                        `-> E ... conv, up -^            E: conv, pool, and D: conv, conv, up, the same on every level

A network of its own, not a copy of the authors' (`noise2noise.py`): fewer parameters, ReLU, transposed convolutions, and a last LeakyReLU.
Its weights are the Noise2Noise weights that circulate for PyTorch.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.initialise import VarianceScaling
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.ops.unpooling import max_pool
from jaxrestore.typing import DType, Image

# The reference draws every kernel by He's rule, whose fan torch counts over the output channels of a transposed convolution.
_he_transposed = VarianceScaling(fan="out")


class SharedNoise2NoiseUNet(nn.Module):
    """A U-Net whose inner levels are one and the same layers.

    Attributes:
      features: channels of the encoder; the decoder has twice as many.
      last_features: channels of the two convolutions at full size.
      levels: number of poolings by 2, at least 3.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives the same with what is below 0 multiplied by 0.1, not clipped. Other sizes than multiples of
    `multiple` are reflected at the bottom and right and cropped back.
    """

    features: int = 48
    last_features: tuple[int, int] = (64, 32)
    levels: int = 5
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return 2**self.levels

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Denoise."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, **types)
        up = partial(ConvTranspose, kernel_size=3, strides=2, padding=1, output_padding=1, kernel_init=_he_transposed, **types)
        narrow, wide = self.features, 2 * self.features
        shared = conv(narrow, name="encoder_shared")
        decoder = {
            name: (conv(wide, name=f"{name}_conv_0"), conv(wide, name=f"{name}_conv_1"), up(wide, name=f"{name}_up"))
            for name in ("decoder_deep", "decoder_shared")
        }
        x = pad_to_multiple(image, self.multiple)
        skips: list[jax.Array] = [x]
        x = nn.relu(conv(narrow, name="encoder_conv_0")(x))
        x = max_pool(nn.relu(conv(narrow, name="encoder_conv_1")(x)))
        for _ in range(self.levels - 1):
            skips.append(x)
            x = max_pool(nn.relu(shared(x)))
        x = up(narrow, name="bottom_up")(nn.relu(conv(narrow, name="bottom_conv")(x)))
        for i in range(self.levels - 1):
            first, second, larger = decoder["decoder_shared" if i else "decoder_deep"]
            x = larger(nn.relu(second(nn.relu(first(jnp.concatenate([x, skips.pop()], -1))))))
        x = jnp.concatenate([x, skips.pop()], -1)
        for i, width in enumerate(self.last_features):
            x = nn.relu(conv(width, name=f"last_conv_{i}")(x))
        x = nn.leaky_relu(conv(self.channels, name="last")(x), 0.1).astype(image.dtype)
        return crop(x, image.shape[1:3])


def reference_names(model: SharedNoise2NoiseUNet) -> dict[str, str]:
    """Our module paths -> the module names of joeylitalien/noise2noise-pytorch."""
    names = {"encoder_conv_0": "_block1.0", "encoder_conv_1": "_block1.2", "encoder_shared": "_block2.0"}
    names |= {"bottom_conv": "_block3.0", "bottom_up": "_block3.2"}
    for ours, theirs in {"decoder_deep": "_block4", "decoder_shared": "_block5"}.items():
        names |= {f"{ours}_conv_0": f"{theirs}.0", f"{ours}_conv_1": f"{theirs}.2", f"{ours}_up": f"{theirs}.4"}
    return names | {"last_conv_0": "_block6.0", "last_conv_1": "_block6.2", "last": "_block6.4"}


CARDS = (
    ModelCard(
        name="noise2noise_shared",
        module=SharedNoise2NoiseUNet,
        task="denoising",
        paper="https://arxiv.org/abs/1803.04189",
        multiple=32,
        blind=True,
        parameters=700_611,
        reference="joeylitalien/noise2noise-pytorch (MIT)",
        reference_names=reference_names,
        convention="rgb",
        notes="the repository publishes no table of scores",
    ),
)
