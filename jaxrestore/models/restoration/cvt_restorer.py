"""CvT as a restoration network: its three stages without the class token as an encoder, and a sub-pixel decoder with skips.

The encoder is that of Wu et al., "CvT: Introducing Convolutions to Vision Transformers", ICCV 2021, https://arxiv.org/abs/2103.15808; the
decoder is this project's own.

    image -+-> stage /4 -+-> stage /2 -+-> stage /2 -> up 2, cat, 3x3, block -> up 2, cat, 3x3, block -> up 4, cat, 3x3 -> +
           |             |             `---------------------^                        ^                         ^          |
           |             `------------------------------------------------------------'                         |          |
           `----------------------------------------------------------------------------------------------------^----------^

Up is a convolution and a rearrangement of channels into pixels.
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.convolutional_attention import ConvolutionalTransformerBlock, ConvolutionalTransformerStage
from jaxrestore.nn.imagenet import standardise
from jaxrestore.nn.initialise import TORCH_INIT, VarianceScaling
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.ops.pixel_shuffle import pixel_shuffle
from jaxrestore.typing import DType, Image

_small = VarianceScaling(gain=0.1)  # the network begins near the identity
_FIRST = 4  # the first stage's stride


class CvTRestorer(nn.Module):
    """A convolutional vision transformer from image to image.

    Attributes:
      features: channels of each stage.
      depths: blocks of each stage of the encoder.
      heads: attention heads of each stage.
      decoder_depths: blocks after each enlargement, coarsest first; one entry fewer than stages.
      tail_features: channels at full size beside the image.
      mlp_ratio: hidden channels of the multilayer perceptrons / channels.
      drop_path: probability that the branches of the last stage's last block are left out in training.
      channels: image channels: 3, or 1 for grey, which the encoder takes as three equal channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], standardised inside as for the classifier; gives (N, H, W, channels), not clipped. Sides that are
    no multiple of `multiple` are padded by reflection and cropped back. Attention is over the whole image: time and memory grow with the
    square of the number of pixels.

    Raises:
      InputError: numbers of entries that do not fit, or heads that do not divide the channels.
    """

    features: tuple[int, ...] = (64, 192, 384)
    depths: tuple[int, ...] = (1, 2, 10)
    heads: tuple[int, ...] = (1, 3, 6)
    decoder_depths: tuple[int, ...] = (2, 1)
    tail_features: int = 16
    mlp_ratio: float = 4.0
    drop_path: float = 0.1
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return _FIRST * 2 ** (len(self.features) - 1)

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Restore."""
        stages = len(self.features)
        for name, wanted in {"depths": stages, "heads": stages, "decoder_depths": stages - 1}.items():
            if len(getattr(self, name)) != wanted:
                raise InputError(f"CvTRestorer: {name} is {getattr(self, name)}: it must have {wanted} entries for {stages} stages")
        if any(width % heads for width, heads in zip(self.features, self.heads, strict=True)):
            raise InputError(f"CvTRestorer: heads is {self.heads}: they must divide the channels {self.features}")
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, **TORCH_INIT, **types)
        size = image.shape[-3:-1]
        image = pad_to_multiple(image, self.multiple)
        x, skips = standardise(image), []
        for i, (width, depth, heads) in enumerate(zip(self.features, self.depths, self.heads, strict=True)):
            options = dict(patch=7, strides=_FIRST, padding=2) if i == 0 else {}
            rate = self.drop_path if i == stages - 1 else 0.0
            stage = ConvolutionalTransformerStage(
                width, depth, heads, **options, mlp_ratio=self.mlp_ratio, drop_path=rate, **types, name=f"stage_{i}"
            )
            x, tokens = stage(x, train)
            skips.append(x)
        for i, depth in zip(reversed(range(stages - 1)), self.decoder_depths, strict=True):
            x = pixel_shuffle(conv(4 * self.features[i], 1, name=f"up_{i}")(x), 2)
            x = conv(self.features[i], name=f"merge_{i}")(jnp.concatenate([x, skips[i]], -1))
            tokens = jnp.zeros((x.shape[0], 0, self.features[i]), x.dtype)
            for j in range(depth):
                block = ConvolutionalTransformerBlock(self.heads[i], mlp_ratio=self.mlp_ratio, **types, name=f"decoder_{i}_block_{j}")
                x, tokens = block(x, tokens, train)
        x = nn.gelu(pixel_shuffle(conv(self.tail_features * _FIRST**2, name="up_last")(x), _FIRST), approximate=False)
        x = jnp.concatenate([x, image.astype(x.dtype)], -1)
        x = conv(self.channels, kernel_init=_small, name="tail")(x).astype(image.dtype)
        return crop(image + x, size)


CARDS = (
    ModelCard(
        name="cvt_restorer",
        module=CvTRestorer,
        task="restoration",
        paper="https://arxiv.org/abs/2103.15808",
        parameters=21_796_676,
        multiple=16,
        blind=True,
        notes="the encoder of CvT-13 with this project's own decoder; attention is over the whole image: no tiles",
    ),
)
