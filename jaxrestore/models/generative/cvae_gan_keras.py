"""CVAE-GAN in the form of the first public code for it, for images of 64x64.

Bao, Chen, Wen, Li and Hua, ICCV 2017, https://arxiv.org/abs/1703.10155, as tatsy/keras-generative builds it

    x and the label as maps beside it -> E: four convolutions 5x5/2, dense -> mean, variance -> z -> G: dense, five transposed 5x5 -> x'

Unlike the paper's, the encoder sees the label at every pixel, and discriminator and classifier are of the encoder's form. Padding is
TensorFlow's: the odd pixel lies below and right. The label is one of the classes; the code's own data sets give several attributes each.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conditional_autoencoder import ConditionalAutoencoder, with_label
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.initialise import Normal, glorot_uniform
from jaxrestore.nn.linear import Linear
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.typing import DType, Image, Labels, Latents

_SLOPE = 0.1
_init = dict(kernel_init=Normal(0.01))
_norm = partial(BatchNorm, 1e-3, 0.01)


class Halvings(nn.Module):
    """Convolutions 5x5 that each halve the size, rounded up, with normalisation and a leaky ReLU; then a dense layer.

    Attributes:
      outputs: of a last layer without activation.
      features: channels of the convolutions.
      dense: width of the dense layer between them and the last.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, outputs) and what the last convolution gives, (N, H * W * C).
    """

    outputs: int
    features: tuple[int, ...]
    dense: int
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, x: Image, train: bool = False) -> tuple[jax.Array, jax.Array]:
        """Describe."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        for i, features in enumerate(self.features):
            x = Conv(features, 5, 2, "same", **_init, **types, name=f"conv_{i}")(x)
            x = nn.leaky_relu(_norm(**types, name=f"norm_{i}")(x, train), _SLOPE)
        seen = x.reshape(len(x), -1)
        x = nn.relu(Linear(self.dense, kernel_init=glorot_uniform, **types, name="dense")(seen))
        return Linear(self.outputs, kernel_init=glorot_uniform, **types, name="tail")(x), seen


class KerasEncoder(nn.Module):
    """An image, with its label as maps beside it, to a Gaussian; `KerasCVAEGAN` says what the fields are."""

    latent: int
    features: tuple[int, ...]
    dense: int
    classes: int
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, label: Labels | None, train: bool = False) -> tuple[jax.Array, jax.Array]:
        """Encode."""
        x = 2.0 * image - 1.0
        if self.classes:
            maps = jax.nn.one_hot(label, self.classes, dtype=x.dtype)[:, None, None]
            x = jnp.concatenate([x, jnp.broadcast_to(maps, (*x.shape[:3], self.classes))], -1)
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        both, _ = Halvings(2 * self.latent, self.features, self.dense, **types, name="halvings")(x, train)
        return tuple(jnp.split(both.astype(jnp.float32), 2, -1))


class KerasGenerator(nn.Module):
    """A code and a label to an image; `KerasCVAEGAN` says what the fields are."""

    image_size: int
    features: tuple[int, ...]
    classes: int
    channels: int
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, z: Latents, label: Labels | None, train: bool = False) -> jax.Array:
        """Generate."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        bottom, first = self.image_size // 2 ** len(self.features), self.features[0]
        dense = Linear(bottom**2 * first, kernel_init=glorot_uniform, **types, name="dense")
        x = nn.relu(_norm(**types, name="dense_norm")(dense(with_label(z, label, self.classes)), train))
        x = x.reshape(-1, bottom, bottom, first)
        for i, features in enumerate(self.features):
            # The gradient of a convolution whose two odd pixels lie below and right.
            x = ConvTranspose(features, 5, 2, 1, -1, **_init, **types, name=f"up_{i}")(x)
            x = nn.leaky_relu(_norm(**types, name=f"norm_{i}")(x, train), _SLOPE)
        # With a stride of 1 a transposed convolution is a convolution.
        return 0.5 + 0.5 * jnp.tanh(Conv(self.channels, 5, **_init, **types, name="tail")(x))


class KerasCVAEGAN(ConditionalAutoencoder):
    """An encoder and a generator: restores an image of a known class by encoding it and generating from the code.

    Attributes:
      image_size: side of the images, a multiple of 2 ** the number of the generator's `features`.
      latent: length of the code.
      classes: number of labels; 0 without.
      encoder_features: channels of the encoder's convolutions, each of which halves the size.
      features: channels of the generator's transposed convolutions, each of which doubles it.
      dense: width of the encoder's dense layer.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, image_size, image_size, channels) in [0, 1] and labels (N,), gives an image of the same shape in [0, 1]: from the mean of the
    code, or from a draw with `rngs={"noise": key}`.
    """

    image_size: int = 64
    latent: int = 128
    classes: int = 0
    encoder_features: tuple[int, ...] = (128, 256, 256, 512)
    features: tuple[int, ...] = (512, 256, 256, 128)
    dense: int = 1024
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    def setup(self) -> None:
        """The two networks."""
        if self.image_size % 2 ** len(self.features):
            raise InputError(f"image_size is {self.image_size}: it must be a multiple of {2 ** len(self.features)}")
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        self.encoder = KerasEncoder(self.latent, self.encoder_features, self.dense, self.classes, **types)
        self.generator = KerasGenerator(self.image_size, self.features, self.classes, self.channels, **types)


class KerasJudge(nn.Module):
    """The discriminator (one output) or the classifier (one for each class), of the encoder's form.

    Attributes:
      classes: number of labels; 1 is the discriminator.
      image_size: side of the images.
      features: channels of the convolutions, each of which halves the size.
      dense: width of the dense layer.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, image_size, image_size, channels) in [0, 1], gives logits (N, classes).
    """

    classes: int = 1
    image_size: int = 64
    features: tuple[int, ...] = (128, 256, 256, 512)
    dense: int = 1024
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    def setup(self) -> None:
        """The layers."""
        self.halvings = Halvings(self.classes, self.features, self.dense, dtype=self.dtype, param_dtype=self.param_dtype)

    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """Judge."""
        return self.judge(image, train)[0]

    def judge(self, image: Image, train: bool = False) -> tuple[jax.Array, jax.Array]:
        """(logits (N, classes), features of the last convolution (N, D))."""
        logits, seen = self.halvings(2.0 * image - 1.0, train)
        return logits.astype(image.dtype), seen


_card = partial(ModelCard, paper="https://arxiv.org/abs/1703.10155")
_note = "for 64x64, as tatsy/keras-generative (no licence), for the 40 attributes of CelebA; the count is computed, none is published"

CARDS = (
    _card(name="cvae_gan_keras", module=KerasCVAEGAN, task="restoration", fields=dict(classes=40), parameters=28_229_379, notes=_note),
    _card(name="cvae_gan_keras_discriminator", module=KerasJudge, task="discrimination", parameters=14_138_113),
    _card(name="cvae_gan_keras_classifier", module=KerasJudge, task="classification", fields=dict(classes=40), parameters=14_178_088),
)
