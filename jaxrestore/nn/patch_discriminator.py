"""Discriminators that judge every patch of an image by itself (PatchGAN)."""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT, Normal, ones
from jaxrestore.nn.norm import normalisation
from jaxrestore.typing import DType, Image

GAN_INIT = Normal(0.02)
"""Initial kernels of pix2pix, CycleGAN and the networks that grew from their code."""

GAN_SCALE_INIT = Normal(0.02, mean=1.0)
"""Initial scales of their batch normalisations."""


class PatchDiscriminator(nn.Module):
    """Strided 4x4 convolutions, then two that keep the size: each output sees a patch of the image.

        image -> conv/2, lrelu -> [conv/2, norm, lrelu] x (depth - 1) -> conv, norm, lrelu -> conv -> scores
                 features         2, 4, 8, 8... x features               x 2, at most 8       1

    Attributes:
      features: channels of the first layer; they double with each, up to eight times as many.
      depth: number of convolutions with stride 2. Each score sees a square of 16, 34, 70, 142, 286 pixels for a depth of 1 to 5.
      norm: "batch", "instance" or "none"; the convolutions before a batch normalisation have no bias.
      padding: zeros on each side of every convolution: 1 (pix2pix) or 2 (DeblurGAN).
      deviation: standard deviation of the initial kernels and of the initial scales of batch normalisations; None begins as torch does.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C) in [0, 1], at least 2**(depth + 1) + 2**depth pixels high and wide for a padding of 1. Gives logits (N, H', W', 1):
    for depth 3, H' is H // 8 - 2 with a padding of 1, and H // 8 + 3 with 2 (both for multiples of 8).

    Reference: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017, section 2.2.2.
    """

    features: int = 64
    depth: int = 3
    norm: str = "batch"
    padding: int = 1
    deviation: float | None = 0.02
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Judge every patch.

        Raises:
          InputError: the image is too small for a single score, or an unknown normalisation.
        """
        least = min(image.shape[1:3])
        for stride in [2] * self.depth + [1, 1]:
            least = (least + 2 * self.padding - 4) // stride + 1
        if least < 1:
            raise InputError(f"a discriminator of depth {self.depth} has no score for an image of {image.shape[1]}x{image.shape[2]} pixels")
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        initial = dict(TORCH_INIT) if self.deviation is None else dict(kernel_init=Normal(self.deviation))
        scale_init = ones if self.deviation is None else Normal(self.deviation, mean=1.0)
        conv = partial(Conv, kernel_size=4, padding=self.padding, **initial, **types)
        x = nn.leaky_relu(conv(self.features, strides=2, name="conv_0")(2.0 * image - 1.0), 0.2)
        for i in range(1, self.depth + 1):
            strides = 2 if i < self.depth else 1
            x = conv(self.features * min(2**i, 8), strides=strides, use_bias=self.norm != "batch", name=f"conv_{i}")(x)
            x = nn.leaky_relu(normalisation(self.norm, f"norm_{i}", scale_init, **types)(x, train), 0.2)
        return conv(1, name="tail")(x).astype(image.dtype)


class PixelDiscriminator(nn.Module):
    """1x1 convolutions: each score sees one pixel, the colours and nothing of the structure.

    Attributes:
      features: channels of the first layer; the second has twice as many.
      norm: "batch", "instance" or "none"; the convolutions around a batch normalisation have no bias.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C) in [0, 1], gives logits (N, H, W, 1).

    Reference: as for `PatchDiscriminator`.
    """

    features: int = 64
    norm: str = "batch"
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Judge every pixel."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, kernel_size=1, kernel_init=GAN_INIT, **types)
        x = nn.leaky_relu(conv(self.features, name="conv_0")(2.0 * image - 1.0), 0.2)
        x = conv(2 * self.features, use_bias=self.norm != "batch", name="conv_1")(x)
        x = nn.leaky_relu(normalisation(self.norm, "norm_1", GAN_SCALE_INIT, **types)(x, train), 0.2)
        return conv(1, use_bias=self.norm != "batch", name="tail")(x).astype(image.dtype)


def patch_discriminator_names(model: PatchDiscriminator, prefix: str = "model") -> dict[str, str]:
    """Our module paths -> the names of pytorch-CycleGAN-and-pix2pix's NLayerDiscriminator and of its copies."""
    names = {"conv_0": f"{prefix}.0", "tail": f"{prefix}.{3 * model.depth + 2}"}
    for i in range(1, model.depth + 1):
        names[f"conv_{i}"] = f"{prefix}.{3 * i - 1}"
        if model.norm == "batch":
            names[f"norm_{i}"] = f"{prefix}.{3 * i}"
    return names
