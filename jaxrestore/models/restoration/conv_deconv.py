"""Convolution-deconvolution networks with batch normalisation: the three of Saraf and Morparia's image-restoration experiments.

    (a)  image -> [conv, BN, ReLU] x 10 -> [deconv, BN, ReLU] x 9 -> deconv, BN -> sigmoid
    (b)  the same, and every second layer's result added to that of its mirror image, then ReLU
    (c)  image -> [(conv, BN, ReLU) x 2, max-pool 2] x 5 -> [nearest x2, (conv, BN, ReLU) x 2] x 5 -> sigmoid

After RED-Net (Mao, Shen and Yang, NeurIPS 2016, https://arxiv.org/abs/1603.09056), of 20 layers and 64 filters, with a normalisation after
each layer and a sigmoid where RED-Net adds the image. There is no public code and there are no public weights; after how many convolutions
(c) pools is not said.
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.nn.prelu import PReLU
from jaxrestore.nn.symmetric_skips import symmetric_skips
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.ops.unpooling import max_pool
from jaxrestore.typing import DType, Image


class ConvDeconvNet(nn.Module):
    """An encoder of convolutions and a decoder as long, each layer normalised.

    Attributes:
      depth: layers of the encoder, and of the decoder.
      features: channels of every hidden layer.
      channels: image channels.
      skip_every: layers between two skips; 0 for none.
      pool_every: convolutions between two max-poolings by 2, which the decoder undoes by repeating pixels before a convolution; 0 keeps the
        full size and decodes by transposed convolutions. It must divide the depth, and goes without skips.
      activation: "relu" or "prelu".
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1]. Sides that are no multiples of `multiple` are padded with the nearest pixel and cropped
    back.
    """

    depth: int = 10
    features: int = 64
    channels: int = 3
    skip_every: int = 0
    pool_every: int = 0
    activation: str = "relu"
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return 2 ** (self.depth // self.pool_every) if self.pool_every else 1

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Restore."""
        if self.pool_every < 0 or (self.pool_every and (self.skip_every or self.depth % self.pool_every)):
            raise InputError(
                f"pool_every is {self.pool_every}: it must be 0 or divide the depth, {self.depth}, and goes without skips (skip_every = 0)"
            )
        skips = symmetric_skips(self.depth, self.skip_every)
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        back = Conv if self.pool_every else partial(ConvTranspose, kernel_size=3, padding=1)
        x, kept = pad_to_multiple(image, self.multiple, "replicate"), []
        for i in range(1, self.depth + 1):
            x = self._layer(Conv(self.features, **types, name=f"conv_{i - 1}"), x, train)
            if i in skips.values():
                kept.append(x)
            if self.pool_every and i % self.pool_every == 0:
                x = max_pool(x)
        for i in range(1, self.depth):
            x = self._layer(back(self.features, **types, name=f"deconv_{i - 1}"), self._enlarge(x, i), train)
            if i in skips:
                x = self._join(x, kept.pop())
        x = self._normalised(back(self.channels, **types, name=f"deconv_{self.depth - 1}"), self._enlarge(x, self.depth), train)
        return crop(nn.sigmoid(x), image.shape[-3:-1]).astype(image.dtype)

    def _normalised(self, layer: nn.Module, x: Image, train: bool) -> Image:
        norm = BatchNorm(dtype=self.dtype, param_dtype=self.param_dtype, name=f"{layer.name}_norm")
        return norm(layer(x), train)

    def _layer(self, layer: nn.Module, x: Image, train: bool) -> Image:
        if self.activation not in ("relu", "prelu"):
            raise InputError(f"activation is {self.activation!r}: it must be relu or prelu")
        x = self._normalised(layer, x, train)
        return nn.relu(x) if self.activation == "relu" else PReLU(param_dtype=self.param_dtype, name=f"{layer.name}_prelu")(x)

    def _enlarge(self, x: Image, layer: int) -> Image:
        return interpolate(x, scale=2, method="nearest") if self.pool_every and (layer - 1) % self.pool_every == 0 else x

    def _join(self, x: Image, skip: Image) -> Image:
        return nn.relu(x + skip)


_card = partial(ModelCard, module=ConvDeconvNet, task="denoising", paper="https://arxiv.org/abs/1603.09056", blind=True, convention="rgb")
_NOTES = "of Saraf and Morparia's experiments on noisy GoPro images of 256x256, sigma 10 to 70; the paper is RED-Net's, which they follow"

CARDS = (
    _card(name="conv_deconv", parameters=670_665, notes=_NOTES),
    _card(name="conv_deconv_skips", fields=dict(skip_every=2), parameters=670_665, notes=_NOTES),
    _card(name="conv_deconv_pooled", fields=dict(pool_every=2), multiple=32, parameters=670_665, notes=_NOTES),
)
