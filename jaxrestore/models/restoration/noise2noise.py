"""Noise2Noise: learning image restoration without clean data.

Lehtinen, Munkberg, Hasselgren, Laine, Karras, Aittala and Aila, ICML 2018, https://arxiv.org/abs/1803.04189

    image -+-------------------------------------------------------> concatenate -> conv 64, 32 -> conv -> image
           `-> conv, conv, pool -+--------------------> concatenate -> conv, conv, up -^
                                 `-> conv, pool -+-> concatenate -> conv, conv, up -^
                                                 `-> ... (5 levels) ... conv, up -^

The encoder has 48 channels on every level and hands down what it pooled; the decoder has 96, and at full size the noisy image itself.
`training.objectives.noise2noise` trains it from pairs of noisy images.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import VarianceScaling
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.ops.unpooling import max_pool
from jaxrestore.typing import DType, Image

# The network works on [-1/2, 1/2]: beyond the border it sees mid-grey.
_MIDDLE = 0.5


class Noise2NoiseUNet(nn.Module):
    """A U-Net of constant width without normalisation.

    Attributes:
      features: channels of the encoder; the decoder has twice as many.
      last_features: channels of the two convolutions at full size.
      levels: number of poolings by 2.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], not clipped. Other sizes than multiples of `multiple` are reflected at the bottom and
    right and cropped back, as the reference does.
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
        conv = partial(Conv, dtype=self.dtype, param_dtype=self.param_dtype)

        def hidden(name: str, x: Image, width: int) -> jax.Array:
            return nn.leaky_relu(conv(width, name=name)(x), 0.1)

        x = pad_to_multiple(image, self.multiple) - _MIDDLE
        skips: list[jax.Array] = []
        for level in range(self.levels):
            skips.append(x)
            x = hidden("encoder_conv_0", x, self.features) if level == 0 else x
            x = max_pool(hidden(f"encoder_conv_{level + 1}", x, self.features))
        x = hidden(f"encoder_conv_{self.levels + 1}", x, self.features)
        for level in reversed(range(self.levels)):
            x = jnp.concatenate([interpolate(x, scale=2, method="nearest"), skips.pop()], -1)
            for i, width in enumerate(self.last_features if level == 0 else (2 * self.features,) * 2):
                x = hidden(f"decoder_{level}_conv_{i}", x, width)
        x = conv(self.channels, kernel_init=VarianceScaling(gain=1.0), name="last")(x).astype(image.dtype)
        return crop(x, image.shape[1:3]) + _MIDDLE


REFERENCE_KERNELS = "HWIO"


def reference_names(model: Noise2NoiseUNet) -> dict[str, str]:
    """Our leaves -> the TensorFlow variables of NVlabs/noise2noise."""
    layers = {f"encoder_conv_{i}": f"enc_conv{i}" for i in range(model.levels + 2)}
    for level in range(1, model.levels):
        layers |= {f"decoder_{level}_conv_0": f"dec_conv{level + 1}", f"decoder_{level}_conv_1": f"dec_conv{level + 1}b"}
    layers |= {"decoder_0_conv_0": "dec_conv1a", "decoder_0_conv_1": "dec_conv1b", "last": "dec_conv1"}
    leaves = {"kernel": "weight", "bias": "bias"}
    return {f"{ours}.{leaf}": f"{theirs}/{name}" for ours, theirs in layers.items() for leaf, name in leaves.items()}


CARDS = (
    ModelCard(
        name="noise2noise",
        module=Noise2NoiseUNet,
        task="denoising",
        paper="https://arxiv.org/abs/1803.04189",
        multiple=32,
        blind=True,
        parameters=991_203,
        reference="NVlabs/noise2noise (CC BY-NC 4.0)",
        reference_names=reference_names,
        published={"Kodak sigma 25": 32.39, "BSD300 sigma 25": 31.02, "Kodak Poisson 30": 31.66, "BSD300 Poisson 30": 30.26},
        convention="rgb+round8",
        notes="trained from noisy images alone; 32.38 and 31.01 dB with clean targets; the Poisson scores are another set of weights",
    ),
)
