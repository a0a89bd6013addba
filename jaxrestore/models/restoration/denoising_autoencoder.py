"""A convolutional denoising autoencoder.

Vincent, Larochelle, Bengio and Manzagol, "Extracting and Composing Robust Features with Denoising Autoencoders", ICML 2008,
https://doi.org/10.1145/1390156.1390294; as a denoiser Xie, Xu and Chen, NeurIPS 2012. Both are of dense layers; this is the plain
convolutional form, for which there is no canonical code.

    image -> [conv 3 stride 2, ReLU] x 3 -> code -> [transposed conv 4 stride 2, ReLU] x 3 -> conv 3 -> sigmoid

No skips: everything that it gives must pass through the code.
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.typing import DType, Image


class DenoisingAutoencoder(nn.Module):
    """Strided convolutions to a code, transposed ones back.

    Attributes:
      features: channels of the encoder's layers; each halves the sides.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1]. Sides that are no multiples of `multiple` are mirrored and cropped back.
    """

    features: tuple[int, ...] = (32, 64, 128)
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return 2 ** len(self.features)

    def setup(self) -> None:
        """Make the layers."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        self.encoder = [Conv(width, 3, 2, **types) for width in self.features]
        up = partial(ConvTranspose, kernel_size=4, strides=2, padding=1, **types)
        widths = (*reversed(self.features[:-1]), self.features[0])
        self.decoder = [up(width) for width in widths]
        self.tail = Conv(self.channels, 3, **types)

    def __call__(self, image: Image) -> Image:
        """Restore."""
        restored = self.decode(self.encode(pad_to_multiple(image, self.multiple, "reflect")))
        return crop(restored, image.shape[-3:-1]).astype(image.dtype)

    def encode(self, image: Image) -> Image:
        """The code (N, H / multiple, W / multiple, features of the last layer) of an image whose sides are multiples of `multiple`."""
        for layer in self.encoder:
            image = nn.relu(layer(image))
        return image

    def decode(self, code: Image) -> Image:
        """The image of a code."""
        for layer in self.decoder:
            code = nn.relu(layer(code))
        return nn.sigmoid(self.tail(code))


CARDS = (
    ModelCard(
        name="denoising_autoencoder",
        module=DenoisingAutoencoder,
        task="denoising",
        paper="https://doi.org/10.1145/1390156.1390294",
        multiple=8,
        parameters=274_467,
        convention="rgb",
        notes="the papers' autoencoders are dense; this convolutional form is our own, trained for one kind and strength of corruption",
    ),
)
