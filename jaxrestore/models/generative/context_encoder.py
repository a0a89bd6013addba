"""Context encoders: feature learning by inpainting.

Pathak, Krähenbühl, Donahue, Darrell and Efros, CVPR 2016, https://arxiv.org/abs/1604.07379

    image without its centre -> [conv 4x4 /2, BN, lrelu] x 5 -> conv 4x4, BN, lrelu -> [transposed conv 4x4, BN, relu] x 4 -> tanh: centre
    128x128                     64, 64, 128, 256, 512     4x4   4000 values   1x1      512, 256, 128, 64: 4x4 ... 32x32       64x64

Everything that the decoder knows of the image has gone through the bottleneck. In the paper's other form the bottleneck is a channel-wise
fully connected layer: each plane of 4x4 by itself, then a 1x1 convolution across the planes.
"""

import math
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.channelwise_linear import ChannelwiseLinear
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.missing import missing_map
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.nn.patch_discriminator import GAN_INIT, GAN_SCALE_INIT
from jaxrestore.ops.padding import crop, pad
from jaxrestore.typing import ArrayLike, DType, Image

# What stands in a hole: the mean of ImageNet, its channels in the order in which the reference fills an RGB image.
_FILL = (117.0 / 255.0, 104.0 / 255.0, 123.0 / 255.0)
_SMALLEST = 4  # side of the map before the bottleneck


class _ContextEncoder(nn.Module):
    """What both forms share."""

    features: int = 64
    bottleneck: int | None = 4000
    image_size: int = 128
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return self.image_size // _SMALLEST

    def _complete(self, x: jax.Array, train: bool, doublings: int) -> jax.Array:
        """From an image in [-1, 1] to the tanh of the decoder, which doubles its smallest map so many times."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, kernel_size=4, use_bias=False, kernel_init=GAN_INIT, **types)
        up = partial(ConvTranspose, kernel_size=4, use_bias=False, kernel_init=GAN_INIT, **types)
        norm = partial(BatchNorm, scale_init=GAN_SCALE_INIT, **types)
        for i, width in enumerate(_widths(self.image_size)):
            x = conv(width * self.features, strides=2, padding=1, name=f"conv_{i}")(x)
            x = nn.leaky_relu(x if i == 0 else norm(name=f"norm_{i}")(x, train), 0.2)
        if self.bottleneck is None:
            if x.shape[1:3] != (_SMALLEST, _SMALLEST):
                raise InputError(f"with a channel-wise bottleneck an image has at most image_size = {self.image_size} rows and columns")
            x = Conv(8 * self.features, 1, use_bias=False, kernel_init=GAN_INIT, **types, name="across")(
                ChannelwiseLinear(**types, name="planes")(x)
            )
        else:
            x = conv(self.bottleneck, padding=0, name="bottleneck")(x)
            x = nn.leaky_relu(norm(name="bottleneck_norm")(x, train), 0.2)
            x = up(8 * self.features, name="up_0")(x)
        x = nn.relu(norm(name="up_norm_0")(x, train))
        for i, width in enumerate((4, 2, *[1] * doublings)[: doublings - 1], start=1):
            x = up(width * self.features, strides=2, padding=1, name=f"up_{i}")(x)
            x = nn.relu(norm(name=f"up_norm_{i}")(x, train))
        return nn.tanh(up(self.channels, strides=2, padding=1, name="tail")(x))

    def _padding(self, side: int) -> tuple[int, int]:
        """Pixels before and after a side, at least up to `image_size`, so that the middle stays the middle."""
        missing = max(side + -side % self.multiple, self.image_size) - side
        return (missing + 1) // 2, missing // 2


class ContextEncoder(_ContextEncoder):
    """An encoder and a decoder with a narrow bottleneck, which guess the middle of an image from what is around it.

    Attributes:
      features: channels of the first layer, up to eight times as many in the middle.
      bottleneck: values that describe the whole image; None for the channel-wise fully connected layer, which serves one size.
      image_size: side of the images that are reduced to 4x4 before the bottleneck: a power of two, at least 32.
      whole: take the image, erase its middle and give the image with the middle guessed; otherwise, as the reference, take an image whose
        middle is erased already, and give the middle.
      overlap: with `whole`, pixels around the hole that are guessed although they are known: they take part in training, and otherwise stay
        as they are.
      channels: image channels; with `whole` 3 or 1.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, H // 2, W // 2, channels) in [0, 1], the middle: rows from H // 4, columns from W // 4;
    with `whole` (N, H, W, channels). Other sizes than multiples of `multiple` and smaller ones than image_size are continued by reflection
    on all sides.
    """

    whole: bool = False
    overlap: int = 4

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """Guess the middle.

        Raises:
          InputError: a field that makes no sense, or an image too large for a channel-wise bottleneck.
        """
        rows, columns = (slice(n // 4, n // 4 + n // 2) for n in image.shape[1:3])
        seen = image = jnp.asarray(image)
        if self.whole:
            hole = _inside(image.shape[1:3], rows, columns, self.overlap)
            seen = jnp.where(hole, _fill(image), image)
        above, left = (self._padding(n) for n in image.shape[1:3])
        middle = self._complete(2.0 * pad(seen, above, left) - 1.0, train, len(_widths(self.image_size)) - 1)
        size = image.shape[1] // 2, image.shape[2] // 2
        first = [border[0] + n // 4 - (n + sum(border)) // 4 for border, n in zip((above, left), image.shape[1:3], strict=True)]
        middle = crop((middle[:, first[0] :, first[1] :] + 1.0) / 2.0, size).astype(image.dtype)
        if not self.whole:
            return middle
        guessed = image.at[:, rows, columns].set(middle)
        return guessed if train else jnp.where(hole, guessed, image)


class RandomContextEncoder(_ContextEncoder):
    """The context encoder for holes anywhere: the decoder makes the whole image.

    Attributes:
      features: channels of the first layer, up to eight times as many in the middle.
      bottleneck: values that describe the whole image; None for the channel-wise fully connected layer, which serves one size.
      image_size: side of the images that are reduced to 4x4 before the bottleneck: a power of two, at least 32.
      paste: known pixels of the result are those of the image; otherwise, and with `train=True`, the network's own.
      channels: image channels: 3 or 1.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1] and a mask (N, H, W, 1), true where content is missing, gives (N, H, W, channels) in [0, 1]. Other
    sizes than multiples of `multiple` and smaller ones than image_size are continued by reflection on all sides.
    """

    paste: bool = True

    @nn.compact
    def __call__(self, image: Image, mask: ArrayLike | None = None, train: bool = False) -> jax.Array:
        """Fill the hole.

        Raises:
          InputError: no mask, one of another size, or as for `ContextEncoder`.
        """
        missing = missing_map(self, image, mask)
        above, left = (self._padding(n) for n in image.shape[1:3])
        seen = pad(jnp.where(missing, _fill(image), image), above, left)
        x = (self._complete(2.0 * seen - 1.0, train, len(_widths(self.image_size))) + 1.0) / 2.0
        x = crop(x[:, above[0] :, left[0] :], image.shape[1:3]).astype(image.dtype)
        return jnp.where(missing, x, image) if self.paste and not train else x


class ContextEncoderDiscriminator(nn.Module):
    """Strided convolutions that judge whether a completed region is real.

    Attributes:
      features: channels of the first layer, up to eight times as many in the last.
      image_size: side of the images that give one score: a power of two, at least 32; larger ones give a map of scores.
      middle: look at the middle half of the image alone: rows from H // 4, columns from W // 4.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C) in [0, 1], gives logits (N, H', W', 1) (the reference's sigmoid belongs to the loss).
    """

    features: int = 64
    image_size: int = 64
    middle: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """Judge.

        Raises:
          InputError: image_size makes no sense, or the image is smaller.
        """
        if self.middle:
            rows, columns = (slice(n // 4, n // 4 + n // 2) for n in image.shape[1:3])
            image = image[:, rows, columns]
        widths = _widths(self.image_size)
        if min(image.shape[1:3]) < self.image_size:
            raise InputError(f"an image of {image.shape[1]}x{image.shape[2]} is smaller than image_size = {self.image_size}")
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, kernel_size=4, use_bias=False, kernel_init=GAN_INIT, **types)
        x = 2.0 * image - 1.0
        for i, width in enumerate(widths):
            x = conv(width * self.features, strides=2, padding=1, name=f"conv_{i}")(x)
            x = x if i == 0 else BatchNorm(scale_init=GAN_SCALE_INIT, **types, name=f"norm_{i}")(x, train)
            x = nn.leaky_relu(x, 0.2)
        return conv(1, padding=0, name="tail")(x).astype(image.dtype)


def _widths(image_size: int) -> tuple[int, ...]:
    """Channels of the convolutions that halve an image down to 4x4, in units of `features`."""
    halvings = int(math.log2(max(image_size, 1))) - 2
    if halvings < 3 or image_size != _SMALLEST * 2**halvings:
        raise InputError(f"image_size is {image_size}: it must be a power of two, at least 32")
    return (*[1] * (halvings - 3), 2, 4, 8)


def _fill(image: Image) -> jax.Array:
    """What stands in a hole, (1, 1, 1, C)."""
    if image.shape[-1] not in (1, 3):
        raise InputError(f"image has {image.shape[-1]} channels: a hole is filled with the mean of images of 3 channels or 1")
    fill = _FILL if image.shape[-1] == 3 else (sum(_FILL) / 3,)
    return jnp.asarray(fill, image.dtype).reshape(1, 1, 1, -1)


def _inside(size: tuple[int, int], rows: slice, columns: slice, overlap: int) -> jax.Array:
    """(1, H, W, 1): the region without a border of `overlap` pixels."""
    inner = [
        (jnp.arange(n) >= part.start + overlap) & (jnp.arange(n) < part.stop - overlap)
        for n, part in zip(size, (rows, columns), strict=True)
    ]
    return (inner[0][:, None] & inner[1][None, :])[None, :, :, None]


def reference_names(model: ContextEncoder | RandomContextEncoder | ContextEncoderDiscriminator) -> dict[str, str]:
    """Our module paths -> the module names of BoyuanJiang/context_encoder_pytorch, and for `RandomContextEncoder` what they would be."""
    depth = len(_widths(model.image_size))
    names = {"conv_0": "main.0"}
    for i in range(1, depth):
        names |= {f"conv_{i}": f"main.{3 * i - 1}", f"norm_{i}": f"main.{3 * i}"}
    if isinstance(model, ContextEncoderDiscriminator):
        return names | {"tail": f"main.{3 * depth - 1}"}
    if model.bottleneck is None:
        raise InputError("the channel-wise bottleneck has no public weights: load jaxrestore's own files")
    names |= {"bottleneck": f"main.{3 * depth - 1}", "bottleneck_norm": f"main.{3 * depth}"}
    doublings = depth - isinstance(model, ContextEncoder)
    for i in range(doublings):
        names |= {f"up_{i}": f"main.{3 * (depth + i) + 2}", f"up_norm_{i}": f"main.{3 * (depth + i) + 3}"}
    return names | {"tail": f"main.{3 * (depth + doublings) + 2}"}


_card = partial(
    ModelCard,
    paper="https://arxiv.org/abs/1604.07379",
    reference="BoyuanJiang/context_encoder_pytorch (MIT)",
    reference_names=reference_names,
)
_inpainting = partial(_card, task="inpainting", multiple=32, convention="rgb")

CARDS = (
    _inpainting(
        name="context_encoder",
        module=ContextEncoder,
        fields=dict(whole=True),
        parameters=71_124_544,
        published={"Paris StreetView": 18.58},
        notes="erases and guesses the middle half of the rows and columns; the score is the paper's, of the middle of 128x128 images",
    ),
    _inpainting(
        name="context_encoder_100",
        module=ContextEncoder,
        fields=dict(bottleneck=100, whole=True),
        parameters=7_219_144,
        notes="a bottleneck of 100 values, the Lua code's default",
    ),
    _inpainting(
        name="context_encoder_random",
        module=RandomContextEncoder,
        parameters=71_190_208,
        reference="pathak22/context-encoder, train_random.lua (CMU licence), without its biases, which it keeps at zero",
        notes="needs a mask; for holes anywhere",
    ),
    _card(name="context_encoder_discriminator", module=ContextEncoderDiscriminator, task="discrimination", parameters=2_765_568),
)
