"""EDCNN: an enhanced denoising CNN, a deep encoder-decoder for denoising, inpainting, enlargement and segmentation.

"Denoising And Some Image Restoration Methods In Deep Learning Models"

    image -> conv 1x1 -> block -+-----------------------------> concatenate -> block -> conv 1x1 -> Tanh -> image
                                `-> pool, block, ... (4 levels) ... upsample -^

The paper gives an outline of 23 layers and one hard number, 28,985,088 parameters; this is the structure that has that number exactly,
which contradicts the paper's "64 feature maps in layers 2 to 22". No convolution has a bias. The paper names no initialiser; its bilinear
upsampling is PyTorch's, so kernels start with PyTorch's default. There is no public code and there are no public weights.
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.activation import activation
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.conv_block import ConvBlock
from jaxrestore.nn.distillation import DistillationBlock
from jaxrestore.nn.encoder_decoder import EncoderDecoder
from jaxrestore.nn.initialise import torch_default
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.typing import DType, Image


class EDCNN(nn.Module):
    """An encoder-decoder with max-pooling, a choice of upsamplings and a Tanh output.

    Attributes:
      features: channels at full size; they double at each level.
      levels: number of poolings by 2.
      channels: image channels.
      scale: enlargement by bilinear interpolation before the network; 1 keeps the size.
      skips: concatenate the encoder's features into the decoder.
      upsampling: "bilinear", "nearest", "bicubic", "pixel_shuffle", "reshape", "unpooling" or "transposed" (`nn.upsample`).
      block: "convolution" (twice conv 3x3, normalisation, activation) or "enhancement" (the enhancement unit of IDN, section II.B.6, every
        convolution with a normalisation; needs a multiple of 16 features).
      activation: "tanh", "relu", "leaky_relu" (slope 0.01) or another of `nn.activation`, in the blocks; the output's is Tanh. The paper
        says "Tanh" without saying where; "leaky_relu" learns faster (the numbers are in experiments/restoration/edcnn.py).
      classes: None for restoration; else the number of classes of a segmentation, which are given as logits without Tanh.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1] of any size, reflected at the bottom and right to a multiple of 2**levels and cropped back. Gives
    (N, scale * H, scale * W, channels) in [0, 1], or (N, scale * H, scale * W, classes) logits.
    """

    features: int = 64
    levels: int = 4
    channels: int = 3
    scale: int = 1
    skips: bool = True
    upsampling: str = "bilinear"
    block: str = "convolution"
    activation: str = "tanh"
    classes: int | None = None
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Restore, or segment.

        Raises:
          InputError: an unknown block, upsampling or activation, or features that these cannot divide.
        """
        act, types = activation(self.activation), {"dtype": self.dtype, "param_dtype": self.param_dtype}
        conv = partial(Conv, kernel_size=1, use_bias=False, kernel_init=torch_default, **types)
        if self.scale > 1:
            image = interpolate(image, scale=self.scale, method="bilinear", antialias=True)
        x = 2.0 * pad_to_multiple(image, 2**self.levels, "reflect") - 1.0
        x = act(conv(self.features, name="first")(x))
        x = EncoderDecoder(
            block=self._block(),
            features=self.features,
            levels=self.levels,
            skips=self.skips,
            upsampling=self.upsampling,
            activation=act,
            kernel_init=torch_default,
            **types,
            name="body",
        )(x, train)
        x = conv(self.classes or self.channels, name="last")(x).astype(image.dtype)
        return crop(x if self.classes else 0.5 * nn.tanh(x) + 0.5, image.shape[-3:-1])

    def _block(self) -> partial:
        blocks = {"convolution": ConvBlock, "enhancement": DistillationBlock}
        if self.block not in blocks:
            raise InputError(f"block is {self.block!r}: it must be one of {', '.join(blocks)}")
        return partial(
            blocks[self.block],
            activation=activation(self.activation),
            norm=True,
            use_bias=False,
            kernel_init=torch_default,
            dtype=self.dtype,
            param_dtype=self.param_dtype,
        )


# Parameters with each upsampling (the last layer is as large for three classes as for three channels), and the cross entropy on the test
# pictures of Oxford-IIIT Pet after 30 epochs (table 2).
_UPSAMPLINGS = {
    "bilinear": (28_985_088, 0.4025),
    "pixel_shuffle": (28_462_848, 0.4561),
    "reshape": (28_462_848, 0.6648),
    "unpooling": (28_985_088, 0.5466),
    "transposed": (31_074_048, 0.4788),
}
_PRIVATE = "scores on the paper's own 170 pictures of cars and motorcycles, which are not public; how it computes PSNR is not said"
_NOT_LOCAL = "corners-aligned upsampling depends on the image's size: only the whole image gives the exact result, not tiles"
_SCRAMBLED = "its reshape mixes places over the whole image: it cannot be cut into tiles"
_TRIMAPS = "classes in the order of Oxford-IIIT Pet's trimaps: pet, background, border; the published score is the test cross entropy"

_card = partial(
    ModelCard,
    module=EDCNN,
    task="restoration",
    paper="Denoising And Some Image Restoration Methods In Deep Learning Models",
    parameters=28_985_088,
    multiple=16,
    blind=True,
    convention="rgb",
)
_enlarge = partial(_card, task="super_resolution", scale=4, multiple=4, blind=False)
_segment = partial(_card, task="segmentation", blind=False, convention="")
_notes = {"bilinear": _NOT_LOCAL, "reshape": _SCRAMBLED}

CARDS = (
    _card(
        name="edcnn",
        published={"cars and motorcycles, restored": 31.1508, "cars and motorcycles, restored, pretrained": 31.6632},
        notes=f"{_PRIVATE}; {_NOT_LOCAL}",
    ),
    _card(
        name="edcnn_no_skip",
        fields={"skips": False},
        parameters=25_851_648,
        published={"cars and motorcycles, restored": 21.4306},
        notes=f"{_PRIVATE}; {_NOT_LOCAL}",
    ),
    *(
        _card(name=f"edcnn_{method}", fields={"upsampling": method}, parameters=count, notes=_notes.get(method, ""))
        for method, (count, _) in _UPSAMPLINGS.items()
        if method != "bilinear"
    ),
    _enlarge(
        name="edcnn_x4",
        fields={"scale": 4},
        published={"cars and motorcycles, x4": 25.4475},
        notes=f"{_PRIVATE}; {_NOT_LOCAL}",
    ),
    _enlarge(
        name="edcnn_no_skip_x4",
        fields={"scale": 4, "skips": False},
        parameters=25_851_648,
        published={"cars and motorcycles, x4": 21.1184},
        notes=f"{_PRIVATE}; {_NOT_LOCAL}",
    ),
    *(
        _segment(
            name="edcnn_segmentation" if method == "bilinear" else f"edcnn_segmentation_{method}",
            fields={"classes": 3, "upsampling": method},
            parameters=count,
            published={"Oxford-IIIT Pet trimaps, cross entropy": error},
            notes="; ".join(filter(None, (_TRIMAPS, _notes.get(method)))),
        )
        for method, (count, error) in _UPSAMPLINGS.items()
    ),
)
