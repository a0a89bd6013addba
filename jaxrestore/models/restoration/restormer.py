"""Restormer: a transformer for images of high resolution, whose attention is among channels.

Zamir, Arora, Khan, Hayat, Khan and Yang, CVPR 2022, https://arxiv.org/abs/2111.09881

    image -+-> conv -> block x n -+-> down, block x n -+-> ... -> block x n -> ... up, cat, 1x1, block x n -> up, cat, block x n -.
           |                      |                    `-----------------------------^                             |              |
           |                      `--------------------------------------------------------------------------------^              |
           `---------------------------------------------------------------------------------------- + <- conv <- block x n <-----'

Down and up are a 3x3 convolution and a rearrangement of 2x2 pixels; the finest level of the decoder keeps both halves of its channels.
The dual-pixel form takes the two views of a sensor as six channels; there is then no image to add the result to, and the features of the
first layer are added before the last one instead.
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.transposed_attention import TransposedAttentionBlock, transposed_attention_names
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.ops.pixel_shuffle import pixel_shuffle, pixel_unshuffle
from jaxrestore.typing import DType, Image


class Restormer(nn.Module):
    """A U-Net of transformer blocks with attention among channels.

    Attributes:
      features: channels of the finest level; they double with each.
      blocks: number of blocks on each level, finest first.
      refinement: number of blocks before the last layer.
      heads: attention heads of each level.
      expansion: of the feed-forward networks: hidden channels / channels.
      use_bias: biases in the blocks, in the last layer and in the 1x1 convolutions; the first layer, down and up never have any.
      centred: normalisations take off the mean and learn a shift ("WithBias"); otherwise they only divide ("BiasFree", for denoising).
      channels: image channels.
      out_channels: channels of the result; None for as many as come in.
      dual_pixel: the first layer's features, not the image, are added to the result; `out_channels` may then differ.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, H, W, out_channels), not clipped. Sides that are no multiple of `multiple` are padded by
    reflection and cropped back. The weights of the attention are taken over the whole image, so its result depends on all of it.

    Raises:
      InputError: not as many numbers of heads as levels, heads that do not divide the channels, or other output channels without
        `dual_pixel`.
    """

    features: int = 48
    blocks: tuple[int, ...] = (4, 6, 6, 8)
    refinement: int = 4
    heads: tuple[int, ...] = (1, 2, 4, 8)
    expansion: float = 2.66
    use_bias: bool = False
    centred: bool = False
    channels: int = 3
    out_channels: int | None = None
    dual_pixel: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return 2 ** (len(self.blocks) - 1)

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Restore."""
        self._check()
        out_channels, size = self.out_channels or self.channels, image.shape[-3:-1]
        image = pad_to_multiple(image, self.multiple)
        conv = partial(Conv, use_bias=self.use_bias, **TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)

        def stack(x: Image, level: int, count: int, name: str) -> Image:
            for i in range(count):
                options = dict(dtype=self.dtype, param_dtype=self.param_dtype, name=f"{name}_{i}")
                x = TransposedAttentionBlock(self.heads[level], self.expansion, self.use_bias, self.centred, **options)(x)
            return x

        shallow = x = conv(self.features, use_bias=False, name="head")(image)
        bottom, skips = len(self.blocks) - 1, []
        for level in range(bottom):
            skips.append(stack(x, level, self.blocks[level], f"encoder_{level}"))
            x = pixel_unshuffle(conv(skips[-1].shape[-1] // 2, use_bias=False, name=f"down_{level}")(skips[-1]), 2)
        x = stack(x, bottom, self.blocks[-1], "bottom")
        for level in reversed(range(bottom)):
            x = pixel_shuffle(conv(2 * x.shape[-1], use_bias=False, name=f"up_{level}")(x), 2)
            x = jnp.concatenate([x, skips[level]], -1)
            if level > 0:  # the finest level keeps both halves
                x = conv(x.shape[-1] // 2, 1, name=f"reduce_{level}")(x)
            x = stack(x, level, self.blocks[level], f"decoder_{level}")
        x = stack(x, 0, self.refinement, "refinement")
        if self.dual_pixel:
            x = x + conv(x.shape[-1], 1, name="skip")(shallow)
        x = conv(out_channels, name="tail")(x).astype(image.dtype)
        return crop(x if self.dual_pixel else x + image, size)

    def _check(self) -> None:
        levels = len(self.blocks)
        if levels < 2 or len(self.heads) != levels:
            raise InputError(f"Restormer: heads is {self.heads} and blocks {self.blocks}: there must be one of each for at least 2 levels")
        widths = [self.features * 2**level for level in range(levels)]
        for heads, width in zip(self.heads, widths, strict=True):
            if heads < 1 or width % heads:
                raise InputError(f"Restormer: heads is {self.heads}: they must divide the channels {tuple(widths)}")
        if not self.dual_pixel and self.out_channels not in (None, self.channels):
            raise InputError(f"Restormer: out_channels is {self.out_channels}: without dual_pixel it must be channels, {self.channels}")


def reference_names(model: Restormer) -> dict[str, str]:
    """Our module paths -> the module names of swz30/Restormer."""
    names = {"head": "patch_embed.proj", "tail": "output"}
    if model.dual_pixel:
        names["skip"] = "skip_conv"

    def stack(ours: str, theirs: str, count: int) -> None:
        for i in range(count):
            names.update(transposed_attention_names(f"{ours}_{i}", f"{theirs}.{i}"))

    for level, count in enumerate(model.blocks[:-1]):
        stack(f"encoder_{level}", f"encoder_level{level + 1}", count)
        stack(f"decoder_{level}", f"decoder_level{level + 1}", count)
        names[f"down_{level}"] = f"down{level + 1}_{level + 2}.body.0"
        names[f"up_{level}"] = f"up{level + 2}_{level + 1}.body.0"
        if level > 0:
            names[f"reduce_{level}"] = f"reduce_chan_level{level + 1}"
    stack("bottom", "latent", model.blocks[-1])
    stack("refinement", "refinement", model.refinement)
    return names


_NOTES = "attention is over the whole image: only the whole image gives the exact result, not tiles"

_card = partial(
    ModelCard,
    module=Restormer,
    paper="https://arxiv.org/abs/2111.09881",
    reference="swz30/Restormer (Academic Public License, non-commercial; this is a reimplementation)",
    reference_names=reference_names,
    multiple=8,
    blind=True,
    convention="rgb",
    notes=_NOTES,
)
_centred = partial(_card, fields=dict(centred=True), parameters=26_126_644)

CARDS = (
    _card(
        name="restormer_denoise",
        task="denoising",
        parameters=26_111_668,
        published={"SIDD": (40.02, 0.960), "CBSD68 sigma 15": 34.40, "CBSD68 sigma 25": 31.79, "CBSD68 sigma 50": 28.60},
        notes=f"weights are published for real noise, for sigma 15, 25, 50 and for 0 to 50; each score is its own weights'; {_NOTES}",
    ),
    _card(
        name="restormer_denoise_gray",
        task="denoising",
        fields=dict(channels=1),
        channels=1,
        parameters=26_109_076,
        notes=f"weights are published for sigma 15, 25 and 50, and for sigma 0 to 50; {_NOTES}",
    ),
    _centred(
        name="restormer_deblur",
        task="deblurring",
        published={"GoPro": (32.92, 0.961)},
        notes=f"weights are published for motion (the score is theirs) and for lack of focus; {_NOTES}",
    ),
    _centred(name="restormer_derain", task="restoration"),
    _card(
        name="restormer_dual_pixel",
        task="deblurring",
        fields=dict(centred=True, channels=6, out_channels=3, dual_pixel=True),
        channels=6,
        parameters=26_132_548,
        notes=f"takes the left and the right view of a dual-pixel sensor as six channels, gives one sharp image; {_NOTES}",
    ),
)
