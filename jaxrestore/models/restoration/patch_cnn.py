"""A patch-based CNN: a small convolutional network that denoises overlapping patches one by one.

A configuration of our own, the convolutional counterpart of Burger, Schuler and Harmeling's patch MLP (CVPR 2012): patches are cut, each is
restored without a look at its surroundings, and where they overlap the results are averaged with the same Gaussian weights.

    image -> overlapping patches -+-> conv, ReLU -> [conv, ReLU] x (depth - 2) -> conv -> noise -> - -> weighted mean -> clean
                                  `----------------------------------------------------------------^
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.patchwise import gaussian_weights, restore_patches
from jaxrestore.typing import DType, Image


class PatchCNN(nn.Module):
    """3x3 convolutions inside patches that predict the noise and take it off.

    Attributes:
      patch: side of the patches, in pixels.
      stride: pixels between neighbouring patches.
      depth: number of convolutions.
      features: channels of every hidden layer.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], not clipped. An output pixel depends on the patches that cover it and on nothing else.
    """

    patch: int = 32
    stride: int = 16
    depth: int = 5
    features: int = 32
    channels: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Denoise."""
        return restore_patches(image, self._restore, self.patch, self.patch, self.stride, gaussian_weights(self.patch))

    def _restore(self, patches: jax.Array) -> jax.Array:
        conv = partial(Conv, kernel_size=3, dtype=self.dtype, param_dtype=self.param_dtype)
        x = patches
        for i in range(self.depth - 1):
            x = nn.relu(conv(self.features, name=f"conv_{i}")(x))
        return patches - conv(self.channels, name=f"conv_{self.depth - 1}")(x).astype(patches.dtype)


_card = partial(
    ModelCard,
    module=PatchCNN,
    task="denoising",
    paper="https://doi.org/10.1109/CVPR.2012.6247952",
    notes="our own configuration; the paper is that of the dense network on patches",
)

CARDS = (
    _card(name="patch_cnn_gray", channels=1, parameters=28_353, convention="gray"),
    _card(name="patch_cnn_color", fields=dict(channels=3), parameters=29_507, convention="rgb"),
)
