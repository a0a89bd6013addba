"""CVAE-GAN, with its relatives CVAE, CGAN and feature-matching CGAN, as restorers of images of known classes.

Bao, Chen, Wen, Li and Hua, "CVAE-GAN: Fine-Grained Image Generation through Asymmetric Training", ICCV 2017,
https://arxiv.org/abs/1703.10155

    degraded x, label c -> E -> mean, variance -> z ~ q --.
                                                           +-- G(z, c) -> restored x'   -> D -> real or made
                                               z ~ N(0, 1) -'            or made x_p    -> C -> which class

What is lost in the degradation is made up from what images of the class look like. The four differ in what they are trained on
(`training.objectives.variational`); the networks are the same, CGAN's encoder takes the place of its condition. E is GoogLeNet, whose last
layer sees the label; G has two dense layers and six convolutions, D is DCGAN's discriminator and C is AlexNet.
"""

from collections.abc import Sequence
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conditional_autoencoder import ConditionalAutoencoder, with_label
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.googlenet import GoogLeNet
from jaxrestore.nn.initialise import Normal
from jaxrestore.nn.linear import Linear
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.typing import DType, Image, Labels, Latents

_init = dict(kernel_init=Normal(0.02))


class Encoder(nn.Module):
    """An image and its label to a Gaussian over latents: GoogLeNet, or a plain stack of strided convolutions.

    Attributes:
      latent: length of the latent.
      features: channels of plain convolutions, each of which halves the size; none of them is GoogLeNet.
      dense: width of a layer between plain convolutions and the Gaussian, which sees the label. With GoogLeNet the last layer sees it.
      channel_divisor: widths of GoogLeNet are divided by it.
      classes: number of labels; 0 without.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C) and labels (N,), gives mean and logarithm of the variance, (N, latent) each.
    """

    latent: int = 256
    features: tuple[int, ...] = ()
    dense: int = 1024
    channel_divisor: int = 1
    classes: int = 0
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, label: Labels | None, train: bool = False) -> tuple[jax.Array, jax.Array]:
        """Encode."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        x = 2.0 * image - 1.0
        if self.features:
            for i, features in enumerate(self.features):
                x = Conv(features, 5, 2, 2, use_bias=False, **_init, **types, name=f"conv_{i}")(x)
                x = nn.leaky_relu(BatchNorm(**types, name=f"norm_{i}")(x, train), 0.2)
            x = with_label(x.reshape(len(x), -1), label, self.classes)
            x = nn.relu(Linear(self.dense, **_init, **types, name="dense")(x))
        else:
            x = with_label(GoogLeNet(self.channel_divisor, **types, name="googlenet")(x, train), label, self.classes)
        both = Linear(2 * self.latent, **_init, **types, name="gaussian")(x).astype(jnp.float32)
        return tuple(jnp.split(both, 2, -1))


class Generator(nn.Module):
    """A latent and a label to an image.

    Attributes:
      image_size: side of the image.
      features: channels of the convolutions but the last; each, and the last, comes behind an enlargement by 2.
      kernel_sizes: sides of all their windows.
      dense: width of the first of two dense layers.
      classes: number of labels; 0 without.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes z (N, D) and labels (N,), gives (N, image_size, image_size, channels) in [0, 1].
    """

    image_size: int = 128
    features: tuple[int, ...] = (256, 256, 128, 92, 64)
    kernel_sizes: tuple[int, ...] = (3, 3, 5, 5, 5, 5)
    dense: int = 1024
    classes: int = 0
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, z: Latents, label: Labels | None, train: bool = False) -> jax.Array:
        """Generate."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        linear, norm = partial(Linear, use_bias=False, **_init, **types), partial(BatchNorm, **types)
        bottom = self.image_size // 2 ** len(self.kernel_sizes)
        x = nn.relu(norm(name="dense_norm_0")(linear(self.dense, name="dense_0")(with_label(z, label, self.classes)), train))
        x = nn.relu(norm(name="dense_norm_1")(linear(bottom**2 * self.features[0], name="dense_1")(x), train))
        x = x.reshape(-1, bottom, bottom, self.features[0])
        for i, (features, window) in enumerate(zip((*self.features, self.channels), self.kernel_sizes, strict=True)):
            last = i == len(self.features)
            x = jnp.repeat(jnp.repeat(x, 2, 1), 2, 2)
            x = Conv(features, window, use_bias=last, **_init, **types, name=f"conv_{i}")(x)
            x = x if last else nn.relu(norm(name=f"norm_{i}")(x, train))
        return 0.5 + 0.5 * jnp.tanh(x)


class CVAEGAN(ConditionalAutoencoder):
    """An encoder and a generator: restores an image of a known class by encoding it and generating from the code.

    Attributes:
      image_size: side of the images, a multiple of 2 ** len(kernel_sizes).
      latent: length of the latent.
      classes: number of labels; 0 without.
      encoder_features: channels of plain convolutions in the encoder; none of them is GoogLeNet, as in the paper.
      encoder_divisor: widths of GoogLeNet are divided by it.
      features: channels of the generator's convolutions but the last.
      kernel_sizes: sides of all the generator's windows.
      dense: width of the dense layers.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, image_size, image_size, channels) in [0, 1] and labels (N,), gives an image of the same shape in [0, 1]: from the mean of the
    code, or from a draw with `rngs={"noise": key}`.
    """

    image_size: int = 128
    latent: int = 256
    classes: int = 0
    encoder_features: tuple[int, ...] = ()
    features: tuple[int, ...] = (256, 256, 128, 92, 64)
    kernel_sizes: tuple[int, ...] = (3, 3, 5, 5, 5, 5)
    dense: int = 1024
    channels: int = 3
    encoder_divisor: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    def setup(self) -> None:
        """The two networks."""
        if self.image_size % 2 ** len(self.kernel_sizes):
            raise InputError(f"image_size is {self.image_size}: it must be a multiple of {2 ** len(self.kernel_sizes)}")
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        self.encoder = Encoder(self.latent, self.encoder_features, self.dense, self.encoder_divisor, self.classes, **types)
        self.generator = Generator(self.image_size, self.features, self.kernel_sizes, self.dense, self.classes, self.channels, **types)


class CVAEGANDiscriminator(nn.Module):
    """DCGAN's discriminator: is an image real?

    Attributes:
      image_size: side of the images.
      features: channels of its convolutions, each of which halves the size.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, image_size, image_size, channels) in [0, 1], gives logits (N, 1).
    """

    image_size: int = 128
    features: tuple[int, ...] = (128, 256, 512, 1024)
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    def setup(self) -> None:
        """The layers."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        self.conv = [Conv(width, 5, 2, 2, use_bias=i == 0, **_init, **types) for i, width in enumerate(self.features)]
        self.norm = [BatchNorm(**types) for _ in self.features[1:]]
        self.tail = Linear(1, **_init, **types)

    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """Judge."""
        return self.judge(image, train)[0]

    def judge(self, image: Image, train: bool = False) -> tuple[jax.Array, jax.Array]:
        """(logits (N, 1), features of the last convolution (N, h, w, c))."""
        x = nn.leaky_relu(self.conv[0](2.0 * image - 1.0), 0.2)
        for conv, norm in zip(self.conv[1:], self.norm, strict=True):
            x = nn.leaky_relu(norm(conv(x), train), 0.2)
        return self.tail(x.reshape(len(x), -1)).astype(image.dtype), x


class CVAEGANClassifier(nn.Module):
    """AlexNet: of which class is an image?

    Attributes:
      classes: number of labels.
      image_size: side of the images.
      features: channels of the five convolutions.
      dense: width of the two dense layers.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, image_size, image_size, channels) in [0, 1], gives logits (N, classes).
    """

    classes: int = 530
    image_size: int = 128
    features: tuple[int, ...] = (96, 256, 384, 384, 256)
    dense: int = 4096
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    def setup(self) -> None:
        """The layers."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        windows: Sequence[tuple[int, int, int]] = ((11, 4, 2), (5, 1, 2), (3, 1, 1), (3, 1, 1), (3, 1, 1))
        self.conv = [Conv(width, *window, **types) for width, window in zip(self.features, windows, strict=True)]
        self.hidden = [Linear(self.dense, **types) for _ in range(2)]
        self.tail = Linear(self.classes, **_init, **types)

    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """Tell."""
        return self.judge(image, train)[0]

    def judge(self, image: Image, train: bool = False) -> tuple[jax.Array, jax.Array]:
        """(logits (N, classes), features of the last hidden layer (N, dense))."""
        x = 2.0 * image - 1.0
        for i, conv in enumerate(self.conv):
            x = nn.relu(conv(x))
            if i in (0, 1, 4):
                x = nn.max_pool(x, (3, 3), (2, 2))
        x = x.reshape(len(x), -1)
        for hidden in self.hidden:
            x = nn.relu(hidden(x))
        return self.tail(x).astype(image.dtype), x


_card = partial(ModelCard, module=CVAEGAN, task="restoration", paper="https://arxiv.org/abs/1703.10155", fields=dict(classes=530))
_ours = "as in the paper, for 530 people of FaceScrub; the count is computed, none is published"

CARDS = (
    _card(name="cvae_gan", parameters=11_081_371, notes=_ours),
    _card(name="cvae", paper="https://papers.nips.cc/paper/5775", parameters=11_081_371, notes=f"trained without partners; {_ours}"),
    _card(name="cgan", paper="https://arxiv.org/abs/1411.1784", parameters=11_081_371, notes=f"trained by the game alone; {_ours}"),
    _card(name="fm_cgan", parameters=11_081_371, notes=f"trained to match the discriminator's mean features; {_ours}"),
    _card(name="cvae_gan_discriminator", module=CVAEGANDiscriminator, task="discrimination", fields={}, parameters=17_282_049),
    _card(name="cvae_gan_classifier", module=CVAEGANClassifier, task="classification", fields={}, parameters=32_141_202),
)
