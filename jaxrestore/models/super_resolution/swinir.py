"""SwinIR: image restoration using Swin transformer.

Liang, Cao, Sun, Zhang, Van Gool and Timofte, ICCV Workshops 2021, https://arxiv.org/abs/2108.10257

    image -> conv -+-> norm -> group x groups -> norm -> conv -> + -> tail -> image
                   `---------------------------------------------^
    group:  -+-> Swin block x depth -> conv -> + ->      every second block with shifted windows
             `---------------------------------^
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.color import DIV2K_MEAN
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.norm import LayerNorm
from jaxrestore.nn.sub_pixel import PixelShuffleUpsample, upsample_names
from jaxrestore.nn.window_attention import SwinBlock
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.ops.pixel_shuffle import pixel_shuffle
from jaxrestore.typing import DType, Image

TAILS = ("pixel_shuffle", "pixel_shuffle_direct", "nearest_conv", "residual")


class SwinIR(nn.Module):
    """Groups of Swin transformer blocks between a convolution and a tail for the task.

    Attributes:
      scale: enlargement; 1 for restoration with the "residual" tail.
      tail: "pixel_shuffle" (classical), "pixel_shuffle_direct" (lightweight: one convolution), "nearest_conv" (real-world, scale 4) or
        "residual" (the size is kept; the result is added to the image).
      features: channels of the transformer.
      depths: number of blocks in each group.
      heads: attention heads of each group.
      window: side of the windows, in pixels.
      mlp_ratio: hidden channels of a block's multilayer perceptron / features.
      tail_features: channels of the enlarging tails.
      three_convolutions: groups end in a bottleneck of three convolutions instead of one (the large real-world network).
      value_range: the factor by which the image is multiplied inside; 255 in the network for JPEG.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), not clipped. Sides that are no multiple of the window are
    padded by reflection and cropped back.

    Raises:
      InputError: an unknown tail, or one that does not go with the scale.
    """

    scale: int = 4
    tail: str = "pixel_shuffle"
    features: int = 180
    depths: tuple[int, ...] = (6, 6, 6, 6, 6, 6)
    heads: tuple[int, ...] = (6, 6, 6, 6, 6, 6)
    window: int = 8
    mlp_ratio: float = 2.0
    tail_features: int = 64
    three_convolutions: bool = False
    value_range: float = 1.0
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Restore."""
        if self.tail not in TAILS:
            raise InputError(f"tail is {self.tail!r}: it must be one of {', '.join(TAILS)}")
        if self.scale != {"residual": 1, "nearest_conv": 4}.get(self.tail, self.scale):
            raise InputError(f"scale is {self.scale}: the tail {self.tail!r} enlarges by {1 if self.tail == 'residual' else 4}")
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, **TORCH_INIT, **types)
        mean = DIV2K_MEAN if self.channels == 3 else 0.0
        size = tuple(self.scale * side for side in image.shape[1:3])
        image = self.value_range * (pad_to_multiple(image, self.window) - mean)
        shallow = conv(self.features, name="head")(image)
        x = LayerNorm(**types, name="head_norm")(shallow)
        for g, (depth, heads) in enumerate(zip(self.depths, self.heads, strict=True)):
            start = x
            for b in range(depth):
                shift = b % 2 * (self.window // 2)
                x = SwinBlock(heads, self.window, shift, self.mlp_ratio, **types, name=f"group_{g}_block_{b}")(x)
            x = start + self._mix(x, f"group_{g}_end")
        x = shallow + self._mix(LayerNorm(**types, name="body_norm")(x), "body_end")
        x = self._tail(x).astype(image.dtype)
        x = x + image if self.tail == "residual" else x
        return crop(x / self.value_range + mean, size)

    def _mix(self, x: Image, name: str) -> Image:
        conv = partial(Conv, **TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        if not self.three_convolutions:
            return conv(self.features, name=name)(x)
        leaky = partial(nn.leaky_relu, negative_slope=0.2)
        x = leaky(conv(self.features // 4, name=f"{name}_0")(x))
        x = leaky(conv(self.features // 4, 1, name=f"{name}_1")(x))
        return conv(self.features, name=f"{name}_2")(x)

    def _tail(self, x: Image) -> Image:
        options = dict(**TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, **options)
        if self.tail == "residual":
            return conv(self.channels, name="tail")(x)
        if self.tail == "pixel_shuffle_direct":
            return pixel_shuffle(conv(self.channels * self.scale**2, name="tail")(x), self.scale)
        x = nn.leaky_relu(conv(self.tail_features, name="before_upsample")(x), 0.01)
        if self.tail == "pixel_shuffle":
            x = PixelShuffleUpsample(self.scale, self.tail_features, **options, name="upsample")(x)
            return conv(self.channels, name="tail")(x)
        leaky = partial(nn.leaky_relu, negative_slope=0.2)
        for i in range(2):
            x = leaky(conv(self.tail_features, name=f"upsample_{i}")(interpolate(x, 2, method="nearest")))
        return conv(self.channels, name="tail")(leaky(conv(self.tail_features, name="high_resolution")(x)))


def reference_names(model: SwinIR) -> dict[str, str]:
    """Our module paths -> the module names of JingyunLiang/SwinIR."""
    names = {"head": "conv_first", "head_norm": "patch_embed.norm", "body_norm": "norm"}

    def mix(ours: str, theirs: str) -> None:
        if model.three_convolutions:
            names.update({f"{ours}_{i}": f"{theirs}.{2 * i}" for i in range(3)})
        else:
            names[ours] = theirs

    for g, depth in enumerate(model.depths):
        for b in range(depth):
            ours, theirs = f"group_{g}_block_{b}", f"layers.{g}.residual_group.blocks.{b}"
            names |= {f"{ours}/norm_{i}": f"{theirs}.norm{i + 1}" for i in range(2)}
            names |= {f"{ours}/mlp_{i}": f"{theirs}.mlp.fc{i + 1}" for i in range(2)}
            names |= {f"{ours}/attention/{part}": f"{theirs}.attn.{part}" for part in ("qkv", "proj")}
            names[f"{ours}/attention.position_bias"] = f"{theirs}.attn.relative_position_bias_table"
        mix(f"group_{g}_end", f"layers.{g}.conv")
    mix("body_end", "conv_after_body")
    if model.tail == "pixel_shuffle_direct":
        return {**names, "tail": "upsample.0"}
    names["tail"] = "conv_last"
    if model.tail != "residual":
        names["before_upsample"] = "conv_before_upsample.0"
    if model.tail == "pixel_shuffle":
        names |= upsample_names("upsample", "upsample", model.scale)
    if model.tail == "nearest_conv":
        names |= {"upsample_0": "conv_up1", "upsample_1": "conv_up2", "high_resolution": "conv_hr"}
    return names


_card = partial(
    ModelCard,
    module=SwinIR,
    task="super_resolution",
    paper="https://arxiv.org/abs/2108.10257",
    multiple=8,
    reference="JingyunLiang/SwinIR (Apache-2.0)",
    reference_names=reference_names,
)
_light = dict(tail="pixel_shuffle_direct", features=60, depths=(6,) * 4, heads=(6,) * 4)
_real_large = dict(scale=4, tail="nearest_conv", features=240, depths=(6,) * 9, heads=(8,) * 9, three_convolutions=True)
_light_note = "the paper counts 32,400 less: without the tables of position biases"
_kept = dict(scale=1, tail="residual")

CARDS = (
    _card(
        name="swinir_classical_x2",
        scale=2,
        fields=dict(scale=2),
        parameters=11_752_487,
        published={"Set5": (38.42, 0.9623), "Set14": (34.46, 0.9250), "B100": (32.53, 0.9041), "Urban100": (33.81, 0.9427)},
    ),
    _card(name="swinir_classical_x3", scale=3, fields=dict(scale=3), parameters=11_937_127),
    _card(
        name="swinir_classical_x4",
        scale=4,
        fields=dict(scale=4),
        parameters=11_900_199,
        published={"Set5": (32.92, 0.9044), "Set14": (29.09, 0.7950), "B100": (27.92, 0.7489), "Urban100": (27.45, 0.8254)},
    ),
    _card(name="swinir_classical_x8", scale=8, fields=dict(scale=8), parameters=12_047_911),
    _card(
        name="swinir_lightweight_x2",
        scale=2,
        fields=dict(scale=2, **_light),
        parameters=910_152,
        published={"Set5": (38.14, 0.9611), "Set14": (33.86, 0.9206), "B100": (32.31, 0.9012), "Urban100": (32.76, 0.9340)},
        notes=_light_note,
    ),
    _card(
        name="swinir_lightweight_x3",
        scale=3,
        fields=dict(scale=3, **_light),
        parameters=918_267,
        published={"Set5": (34.62, 0.9289), "Set14": (30.54, 0.8463), "B100": (29.20, 0.8082), "Urban100": (28.66, 0.8624)},
        notes=_light_note,
    ),
    _card(
        name="swinir_lightweight_x4",
        scale=4,
        fields=dict(scale=4, **_light),
        parameters=929_628,
        published={"Set5": (32.44, 0.8976), "Set14": (28.77, 0.7858), "B100": (27.69, 0.7406), "Urban100": (26.47, 0.7980)},
        notes=_light_note,
    ),
    _card(name="swinir_real_x4", scale=4, fields=dict(scale=4, tail="nearest_conv"), parameters=11_715_559),
    _card(name="swinir_real_large_x4", scale=4, fields=_real_large, parameters=28_013_059),
    _card(
        name="swinir_denoise_color",
        task="denoising",
        fields=_kept,
        parameters=11_504_163,
        published={"CBSD68 sigma 15": 34.42, "CBSD68 sigma 25": 31.78, "CBSD68 sigma 50": 28.56, "Urban100 sigma 25": 32.90},
        convention="rgb",
        notes="one set of weights for each noise level",
    ),
    _card(
        name="swinir_denoise_gray",
        task="denoising",
        channels=1,
        fields=dict(channels=1, **_kept),
        parameters=11_497_681,
        convention="gray",
        notes="one set of weights for each noise level",
    ),
    _card(
        name="swinir_jpeg_gray",
        task="jpeg",
        channels=1,
        multiple=7,
        fields=dict(channels=1, window=7, value_range=255.0, **_kept),
        parameters=11_485_585,
        convention="gray+round8",
        notes="one set of weights for each quality",
    ),
)
