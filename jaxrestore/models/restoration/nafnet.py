"""NAFNet: simple baselines for image restoration, a network without nonlinear activations.

Chen, Chu, Zhang and Sun, ECCV 2022, https://arxiv.org/abs/2204.04676

    image -+-> conv -> block x n -+-> down, block x n -+-> ... -> block x n -> ... up, +, block x n -> up, +, block x n -> conv -> +
           |                      |                    `--------------------------^                        |                       |
           |                      `------------------------------------------------------------------------^                       |
           `-----------------------------------------------------------------------------------------------------------------------^

    block: x + beta * conv(attention(gate(depthwise(conv(norm(x)))))), then x + gamma * conv(gate(conv(norm(x))))

A gate multiplies one half of the channels by the other; the attention scales each channel by a linear function of the channels' means.
Trained on patches, the network sees other means in a whole image; with `patch` they are taken over windows of about the size of the
patches instead (TLC: Chu, Chen, Chen and Lu, ECCV 2022, https://arxiv.org/abs/2112.04491).
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.channel_attention import mean_over_image
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT, parameter, zeros
from jaxrestore.nn.inner_channels import InnerChannels
from jaxrestore.nn.norm import LayerNorm
from jaxrestore.ops.local_mean import local_mean
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.ops.pixel_shuffle import pixel_shuffle
from jaxrestore.typing import DType, Image


def gate(x: Image) -> jax.Array:
    """One half of the channels times the other: (..., 2 C) -> (..., C)."""
    first, second = jnp.split(x, 2, -1)
    return first * second


class NAFBlock(nn.Module):
    """A block of NAFNet: a spatial half and a channel half, each with a gate in place of an activation.

    Attributes:
      expansion: channels after the first convolution of each half / channels.
      window: side of the windows over which the channel attention takes its means, in pixels; None for the whole image.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, C).
    """

    expansion: int | float = 2
    window: int | None = None
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Refine."""
        channels, types = image.shape[-1], dict(dtype=self.dtype, param_dtype=self.param_dtype)
        wide = 2 * round(self.expansion * channels / 2)
        conv = partial(Conv, kernel_size=1, **TORCH_INIT, **types)
        norm = partial(LayerNorm, epsilon=1e-6, **types)
        # In the reference's layout, (1, C, 1, 1). They begin at zero: a block then changes nothing.
        beta, gamma = (parameter(self, name, zeros, (1, channels, 1, 1), self.param_dtype) for name in ("beta", "gamma"))

        x = conv(wide, name="conv_0")(norm(name="norm_0")(image))
        x = gate(conv(wide, kernel_size=3, groups=wide, name="depthwise")(x))
        means = mean_over_image(x) if self.window is None else local_mean(x, (self.window, self.window))
        x = x * conv(wide // 2, name="attention")(means)
        image = image + _along_channels(beta, image) * conv(channels, name="conv_1")(x).astype(image.dtype)
        x = gate(conv(wide, name="conv_2")(norm(name="norm_1")(image)))
        return image + _along_channels(gamma, image) * conv(channels, name="conv_3")(x).astype(image.dtype)


def _along_channels(values: jax.typing.ArrayLike, image: Image) -> jax.Array:
    return jnp.asarray(values, image.dtype).reshape(1, 1, 1, -1)


class NAFNet(nn.Module):
    """A U-Net of blocks without activations.

    Attributes:
      features: channels of the finest level; they double with each.
      encoder: number of blocks on each level before the middle, finest first.
      middle: number of blocks in the middle.
      decoder: number of blocks on each level after it, coarsest first as in the reference's configurations.
      expansion: channels inside the halves of a block / channels of the level; less than 2 in a pruned network.
      patch: side of the patches of training: means are then taken over windows of 1.5 times this side (TLC), which matters for larger
        images only; None takes them over the whole image.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, H, W, channels), not clipped. Sides that are no multiple of `multiple` are padded by
    zeros and cropped back.

    Raises:
      InputError: encoder and decoder have not as many levels, or a patch smaller than one pixel of the coarsest level.
    """

    features: int = 32
    encoder: tuple[int, ...] = (1, 1, 1, 28)
    middle: int = 1
    decoder: tuple[int, ...] = (1, 1, 1, 1)
    patch: int | None = None
    expansion: int | float = 2
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return 2 ** len(self.encoder)

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Restore."""
        levels = len(self.encoder)
        if len(self.decoder) != levels:
            raise InputError(f"NAFNet: encoder is {self.encoder} and decoder {self.decoder}: they must have as many levels")
        if self.patch is not None and self.patch < self.multiple:
            raise InputError(f"NAFNet: patch is {self.patch}: it must be at least {self.multiple} for {levels} levels")
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, **TORCH_INIT, **types)

        def stack(x: Image, level: int, count: int, name: str) -> Image:
            # The side of a patch on this level, and of a window of 1.5 patches, rounded as the reference does.
            window = self.patch and -(-self.patch // 2**level) * int(1.5 * self.patch) // self.patch
            for i in range(count):
                x = NAFBlock(self.expansion, window, **types, name=f"{name}_{i}")(x)
            return x

        size = image.shape[-3:-1]
        image = pad_to_multiple(image, self.multiple, "zeros")
        x, skips = conv(self.features, name="head")(image), []
        for level, count in enumerate(self.encoder):
            skips.append(stack(x, level, count, f"encoder_{level}"))
            x = conv(2 * x.shape[-1], 2, strides=2, padding=0, name=f"down_{level}")(skips[-1])
        x = stack(x, levels, self.middle, "middle")
        for level, count in zip(reversed(range(levels)), self.decoder, strict=True):
            x = pixel_shuffle(conv(2 * x.shape[-1], 1, use_bias=False, name=f"up_{level}")(x), 2)
            x = stack(x + skips[level], level, count, f"decoder_{level}")
        return crop(image + conv(self.channels, name="tail")(x).astype(image.dtype), size)

    def narrowed(self, share: float | int) -> "NAFNet":
        """The network with this share of the channels inside its blocks."""
        return self.clone(expansion=share * self.expansion)

    def inner_channels(self) -> tuple[InnerChannels, ...]:
        """Those behind the gates of each block, the first of which the attention scales."""
        counts = {f"encoder_{i}": n for i, n in enumerate(self.encoder)} | {"middle": self.middle}
        counts |= {f"decoder_{len(self.decoder) - 1 - i}": n for i, n in enumerate(self.decoder)}
        found = []
        for block in (f"{name}_{i}" for name, count in counts.items() for i in range(count)):
            spatial, scaled = (f"{block}/conv_0", f"{block}/depthwise"), f"{block}/attention"
            found.append(InnerChannels((scaled,), (scaled, f"{block}/conv_1"), gated=spatial))
            found.append(InnerChannels((), (f"{block}/conv_3",), gated=(f"{block}/conv_2",)))
        return tuple(found)


def reference_names(model: NAFNet) -> dict[str, str]:
    """Our module paths -> the module names of megvii-research/NAFNet."""
    names = {"head": "intro", "tail": "ending"}
    parts = {"conv_0": "conv1", "depthwise": "conv2", "attention": "sca.1", "conv_1": "conv3", "conv_2": "conv4", "conv_3": "conv5"}
    parts |= {"norm_0": "norm1", "norm_1": "norm2"}

    def stack(ours: str, theirs: str, count: int) -> None:
        for i in range(count):
            names.update({f"{ours}_{i}/{part}": f"{theirs}.{i}.{path}" for part, path in parts.items()})
            names.update({f"{ours}_{i}.{factor}": f"{theirs}.{i}.{factor}" for factor in ("beta", "gamma")})

    levels = len(model.encoder)
    for level in range(levels):
        stack(f"encoder_{level}", f"encoders.{level}", model.encoder[level])
        stack(f"decoder_{level}", f"decoders.{levels - 1 - level}", model.decoder[levels - 1 - level])
        names[f"down_{level}"] = f"downs.{level}"
        names[f"up_{level}"] = f"ups.{levels - 1 - level}.0"
    stack("middle", "middle_blks", model.middle)
    return names


_card = partial(
    ModelCard,
    module=NAFNet,
    paper="https://arxiv.org/abs/2204.04676",
    reference="megvii-research/NAFNet (MIT)",
    reference_names=reference_names,
    multiple=16,
    blind=True,
    convention="rgb",
)
_sidd = dict(encoder=(2, 2, 4, 8), middle=12, decoder=(2, 2, 2, 2))
_gopro = dict(encoder=(1, 1, 1, 28), middle=1, decoder=(1, 1, 1, 1), patch=256)
_TLC = "means over windows of 384 pixels, as in the published test; patch=None takes them over the whole image"

CARDS = (
    _card(
        name="nafnet_sidd_width32",
        task="denoising",
        fields=dict(features=32, **_sidd),
        parameters=29_159_715,
        published={"SIDD": (39.9672, 0.9599)},
    ),
    _card(
        name="nafnet_sidd_width64",
        task="denoising",
        fields=dict(features=64, **_sidd),
        parameters=115_982_915,
        published={"SIDD": (40.3045, 0.9614)},
    ),
    _card(
        name="nafnet_gopro_width32",
        task="deblurring",
        fields=dict(features=32, **_gopro),
        parameters=17_111_907,
        published={"GoPro": (32.8705, 0.9606)},
        notes=_TLC,
    ),
    _card(
        name="nafnet_gopro_width64",
        task="deblurring",
        fields=dict(features=64, **_gopro),
        parameters=67_888_835,
        published={"GoPro": (33.7103, 0.9668)},
        notes=_TLC,
    ),
)
