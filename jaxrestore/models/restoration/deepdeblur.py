"""DeepDeblur: deep multi-scale convolutional neural network for dynamic scene deblurring.

Nah, Kim and Lee, CVPR 2017, https://arxiv.org/abs/1612.02177

    quarter -> scale 2 -+-> sharp quarter
                        `-> conv, shuffle -.
    half ------------------ concatenate ---+-> scale 1 -+-> sharp half
                                                        `-> conv, shuffle -.
    image ---------------------------------------- concatenate ------------+-> scale 0 -> sharp image

    a scale: conv -> [conv, ReLU, conv, +] x 19 -> conv                     all windows 5x5
"""

from functools import partial
from itertools import pairwise

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.residual import ResidualBlock
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.ops.pixel_shuffle import pixel_shuffle
from jaxrestore.ops.pyramid import gaussian_pyramid
from jaxrestore.typing import DType, Image

_LEVELS = 255.0  # the reference works on 0..255 with half of it taken off


class DeepDeblur(nn.Module):
    """A residual network for each scale of a Gaussian pyramid, from coarse to fine (the reference's MSResNet).

    Attributes:
      features: channels of every hidden layer.
      depth: residual blocks of each scale.
      scales: number of scales.
      kernel_size: side of every window.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], not clipped. Other sizes than multiples of `multiple` are continued with the nearest
    pixel and cropped back. The coarser results are sown as "intermediates" ("restored", fine to coarse). The method `pyramid` takes and
    gives images of all scales: `model.apply(variables, images, method="pyramid")`.
    """

    features: int = 64
    depth: int = 19
    scales: int = 3
    kernel_size: int = 5
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return 2 ** (self.scales - 1)

    def __call__(self, image: Image) -> Image:
        """Deblur."""
        padded = pad_to_multiple(image, self.multiple, "replicate")
        finest, *coarser = self.pyramid(gaussian_pyramid(padded, self.scales))
        for level, restored in enumerate(coarser, 1):
            size = tuple(-(-side // 2**level) for side in image.shape[1:3])
            self.sow("intermediates", "restored", crop(restored, size))
        return crop(finest, image.shape[1:3])

    @nn.compact
    def pyramid(self, images: tuple[Image, ...]) -> tuple[jax.Array, ...]:
        """Deblur all scales.

        Args:
          images: blurred (N, H, W, channels), (N, H / 2, W / 2, channels)..., fine to coarse (`ops.pyramid.gaussian_pyramid`).

        Returns:
          The restored images, fine to coarse.

        Raises:
          InputError: not as many images as scales, or a size that is not half of the one before.
        """
        sizes = [image.shape[1:3] for image in images]
        if len(images) != self.scales or any((2 * h, 2 * w) != above for above, (h, w) in pairwise(sizes)):
            raise InputError(f"images have the sizes {sizes}: {self.scales} are needed, each half as high and wide as the one before")
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, kernel_size=self.kernel_size, **TORCH_INIT, **types)
        block = partial(ResidualBlock, self.features, kernel_size=self.kernel_size, **TORCH_INIT, **types)
        restored: list[jax.Array] = []
        for scale in reversed(range(self.scales)):
            x = _LEVELS * (jnp.asarray(images[scale]) - 0.5)
            if restored:
                enlarged = conv(4 * self.channels, kernel_size=5, name=f"scale_{scale + 1}_up")(restored[-1])
                x = jnp.concatenate([x.astype(enlarged.dtype), pixel_shuffle(enlarged, 2)], -1)
            x = conv(self.features, name=f"scale_{scale}_head")(x)
            for i in range(self.depth):
                x = block(name=f"scale_{scale}_block_{i}")(x)
            restored.append(conv(self.channels, name=f"scale_{scale}_tail")(x))
        return tuple(x.astype(image.dtype) / _LEVELS + 0.5 for x, image in zip(reversed(restored), images, strict=True))


class DeepDeblurDiscriminator(nn.Module):
    """Ten convolutions from 256x256 pixels to one, without biases.

    Attributes:
      features: channels of the middle layers; the first have half as many, the last eight times.
      kernel_size: side of the windows.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1] of at least 193 pixels a side, gives logits (N, h, w, 1), where h = w = 1 for 256x256. Twice the
    image gives twice the logit.
    """

    features: int = 64
    kernel_size: int = 5
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def image_size(self) -> int:
        """Side of the images in training."""
        return 256

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Judge.

        Raises:
          InputError: the image is too small for one logit.
        """
        if min(image.shape[1:3]) < 193:
            raise InputError(f"DeepDeblur's discriminator needs 193x193 pixels, got {image.shape[1]}x{image.shape[2]}")
        conv = partial(Conv, use_bias=False, kernel_init=TORCH_INIT["kernel_init"], dtype=self.dtype, param_dtype=self.param_dtype)
        x = _LEVELS * image
        for i, stride in enumerate((1, 2, 1, 2, 1, 4, 1, 4, 1)):
            width = self.features * 2 ** (i // 2) // 2
            x = nn.leaky_relu(conv(width, self.kernel_size, stride, name=f"conv_{i}")(x), 0.2)
        x = nn.leaky_relu(conv(8 * self.features, 4, 4, 0, name="conv_9")(x), 0.2)
        return conv(1, 1, name="tail")(x).astype(image.dtype)


def reference_names(model: DeepDeblur | DeepDeblurDiscriminator) -> dict[str, str]:
    """Our module paths -> the module names of SeungjunNah/DeepDeblur-PyTorch."""
    if isinstance(model, DeepDeblurDiscriminator):
        return {f"conv_{i}": f"conv_layers.{i}" for i in range(10)} | {"tail": "dense"}
    names = {}
    for scale in range(model.scales):
        body = f"body_models.{scale}.body"
        names |= {f"scale_{scale}_head": f"{body}.0", f"scale_{scale}_tail": f"{body}.{model.depth + 1}"}
        for i in range(model.depth):
            names |= {f"scale_{scale}_block_{i}/conv_{j}": f"{body}.{i + 1}.body.{2 * j}" for j in range(2)}
        if scale:
            names[f"scale_{scale}_up"] = f"conv_end_models.{scale}.uppath.0"
    return names


_card = partial(
    ModelCard,
    paper="https://arxiv.org/abs/1612.02177",
    reference="SeungjunNah/DeepDeblur-PyTorch (MIT)",
    reference_names=reference_names,
)

CARDS = (
    _card(
        name="deepdeblur",
        module=DeepDeblur,
        task="deblurring",
        multiple=4,
        parameters=11_721_321,
        published={"GOPRO_Large": (30.40, 0.9018), "REDS": (32.89, 0.9207)},
        convention="rgb",
        notes="scores of the reference's own training; the paper's first code reached 29.08 dB on GOPRO_Large",
    ),
    _card(name="deepdeblur_discriminator", module=DeepDeblurDiscriminator, task="discrimination", parameters=10_725_216),
)
