"""Deep Image Prior: the hourglass with skips whose structure alone prefers natural images.

Ulyanov, Vedaldi and Lempitsky, CVPR 2018, https://arxiv.org/abs/1711.10925

    noise -+-> down ---------------------- up -> concatenate, BN -> conv, BN, act -> conv 1x1, BN, act -> conv 1x1 -> sigmoid -> image
           |      `-> [the next scale] -----^         ^
           `-> conv 1x1, BN, act (the skip) ----------'             down: (conv stride 2, BN, act, conv, BN, act)

The input is not an image but noise (or a grid of coordinates) of the wanted size that is drawn once; the network is fitted to one degraded
picture and stopped before it has learned the noise too. Its normalisations use that one picture's own statistics all the time: call it with
`train=True`.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.activation import activation
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.ops.downsampler import lanczos_downsample
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.padding import pad_to_multiple
from jaxrestore.ops.unpooling import max_pool
from jaxrestore.typing import DType, Image

UPSAMPLINGS = ("bilinear", "nearest")
DOWNSAMPLINGS = ("stride", "avg", "max", "lanczos2", "lanczos3")
PADDINGS = ("reflect", "zeros")


class DeepImagePrior(nn.Module):
    """An hourglass with a skip at each scale.

    Attributes:
      down_features: channels on the way down, finest scale first.
      up_features: channels on the way up.
      skip_features: channels of the skips; 0 is no skip at that scale.
      down_size: side of the windows on the way down.
      up_size: side of the windows on the way up.
      skip_size: side of the skips' windows.
      up_1x1: a 1x1 convolution after each one on the way up.
      padding: "reflect" or "zeros", of every convolution.
      upsampling: "bilinear" (corners not aligned) or "nearest".
      downsampling: "stride", or a convolution of stride 1 and then the mean ("avg") or maximum ("max") of 2x2 pixels or a fixed filter,
        "lanczos2" or "lanczos3", with every other pixel kept.
      activation: a name of `nn.activation`; "leaky_relu" has slope 0.2.
      sigmoid: whether the result is brought into [0, 1].
      channels: channels of the image that is made.
      input_channels: channels of what goes in: 32 of noise, or 2 of coordinates.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, input_channels), gives (N, H, W, channels), in [0, 1] with the sigmoid. Any size: with strides and a skip at every scale
    the larger of two maps is cut around its centre, as the reference does; otherwise the input is reflected at the bottom and right to a
    multiple of two for each scale and the result cropped back.
    """

    down_features: tuple[int, ...] = (128,) * 5
    up_features: tuple[int, ...] = (128,) * 5
    skip_features: tuple[int, ...] = (4,) * 5
    down_size: int = 3
    up_size: int = 3
    skip_size: int = 1
    up_1x1: bool = True
    padding: str = "reflect"
    upsampling: str = "bilinear"
    downsampling: str = "stride"
    activation: str = "leaky_relu"
    sigmoid: bool = True
    channels: int = 3
    input_channels: int = 32
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of where that is needed."""
        return 2 ** len(self.down_features)

    @property
    def example_inputs(self) -> tuple[jax.ShapeDtypeStruct]:
        """What the network can be applied to: noise, not an image."""
        return (jax.ShapeDtypeStruct((1, self.multiple, self.multiple, self.input_channels), jnp.float32),)

    @nn.compact
    def __call__(self, noise: Image, train: bool = False) -> Image:
        """Make an image.

        Args:
          noise: (N, H, W, input_channels).
          train: normalise by the batch's own statistics, as the paper always does, instead of the running ones.

        Raises:
          InputError: lists of different lengths, or an unknown padding, upsampling, downsampling or activation.
        """
        self._check()
        size = noise.shape[1:3]
        natural = self.downsampling == "stride" and all(self.skip_features)
        x = self._scale(0, noise if natural else pad_to_multiple(noise, self.multiple), train)
        conv = Conv(self.channels, 1, **TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype, name="last")
        x = conv(x).astype(noise.dtype)[:, : size[0], : size[1]]
        return nn.sigmoid(x) if self.sigmoid else x

    def _scale(self, i: int, image: Image, train: bool) -> jax.Array:
        unit = partial(self._unit, train=train)
        x = unit(f"down_{i}_0", image, self.down_features[i], self.down_size, self.downsampling)
        x = unit(f"down_{i}_1", x, self.down_features[i], self.down_size)
        if i + 1 < len(self.down_features):
            x = self._scale(i + 1, x, train)
        x = interpolate(x, scale=2, method=self.upsampling)
        if self.skip_features[i]:
            skip = unit(f"skip_{i}", image, self.skip_features[i], self.skip_size)
            x = jnp.concatenate(_centres(skip, x), -1)
        x = BatchNorm(dtype=self.dtype, param_dtype=self.param_dtype, name=f"joined_norm_{i}")(x, train)
        x = unit(f"up_{i}_0", x, self.up_features[i], self.up_size)
        return unit(f"up_{i}_1", x, self.up_features[i], 1) if self.up_1x1 else x

    def _unit(self, name: str, x: Image, width: int, size: int, smaller: str | None = None, train: bool = False) -> jax.Array:
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        strides = 2 if smaller == "stride" else 1
        x = Conv(width, size, strides, size // 2, self.padding, **TORCH_INIT, **types, name=f"{name}_conv")(x)
        x = _halve(x, smaller) if smaller not in (None, "stride") else x
        x = BatchNorm(**types, name=f"{name}_norm")(x, train)
        return activation(self.activation, 0.2)(x)

    def _check(self) -> None:
        if not len(self.down_features) == len(self.up_features) == len(self.skip_features) > 0:
            raise InputError(
                f"down_features, up_features and skip_features have {len(self.down_features)}, {len(self.up_features)} and "
                f"{len(self.skip_features)} entries: each needs one for every scale"
            )
        for name, known in {"padding": PADDINGS, "upsampling": UPSAMPLINGS, "downsampling": DOWNSAMPLINGS}.items():
            if getattr(self, name) not in known:
                raise InputError(f"{name} is {getattr(self, name)!r}: it must be one of {', '.join(known)}")


def _halve(x: Image, method: str) -> jax.Array:
    match method:
        case "avg":
            return interpolate(x, scale=0.5, method="area")
        case "max":
            return max_pool(x)
    return lanczos_downsample(x, 2, int(method[-1])).astype(x.dtype)


def _centres(*images: Image) -> list[jax.Array]:
    """All cut, around their centres, to the smallest."""
    height, width = (min(image.shape[axis] for image in images) for axis in (1, 2))
    starts = [((image.shape[1] - height) // 2, (image.shape[2] - width) // 2) for image in images]
    return [image[:, y : y + height, x : x + width] for image, (y, x) in zip(images, starts, strict=True)]


def reference_names(model: DeepImagePrior) -> dict[str, str]:
    """Our module paths -> the module names of DmitryUlyanov/deep-image-prior, nested sequences counted from 1."""
    conv_place = 1 if model.padding == "reflect" else 0  # after the reference's padding layer
    names: dict[str, str] = {}

    def unit(ours: str, theirs: str, place: int) -> None:
        names[f"{ours}_conv"], names[f"{ours}_norm"] = f"{theirs}{place}.{conv_place}", f"{theirs}{place + 1}"

    scale = ""
    for i, skip in enumerate(model.skip_features):
        if skip:
            unit(f"skip_{i}", f"{scale}1.0.", 1)
        deeper = f"{scale}1.1." if skip else f"{scale}1."
        unit(f"down_{i}_0", deeper, 1)
        unit(f"down_{i}_1", deeper, 4)
        names[f"joined_norm_{i}"] = f"{scale}2"
        unit(f"up_{i}_0", scale, 3)
        if model.up_1x1:
            unit(f"up_{i}_1", scale, 6)
        scale = f"{deeper}7."
    names["last"] = f"{9 if model.up_1x1 else 6}.{conv_place}"
    return names


_card = partial(
    ModelCard,
    module=DeepImagePrior,
    paper="https://arxiv.org/abs/1711.10925",
    multiple=32,
    reference="DmitryUlyanov/deep-image-prior (Apache-2.0; its author asks to be contacted for commercial use)",
    reference_names=reference_names,
)
_growing = dict(down_features=(8, 16, 32, 64, 128), up_features=(8, 16, 32, 64, 128))
_library = (16, 32, 64, 128, 128, 128)
_none = dict(skip_features=(0,) * 5)
_inpainting = partial(_card, task="inpainting")

CARDS = (
    _card(
        name="dip_denoising",
        task="denoising",
        parameters=2_217_831,
        published={"9 colour pictures sigma 25, last step": 29.22, "averaged": 30.43, "averaged, mean of two runs": 31.00},
        convention="rgb",
        notes="3000 steps of Adam at 0.01 on noise in [0, 0.1], with fresh noise of deviation 1/30 added at each step",
    ),
    _card(
        name="dip_jpeg",
        task="jpeg",
        fields=dict(**_growing, skip_features=(0, 0, 0, 4, 4), input_channels=3),
        parameters=572_827,
        notes="the authors' picture of a snail: 2400 steps of Adam at 0.01, noise of deviation 1/30 added at each step",
    ),
    _card(
        name="dip_super_resolution",
        task="restoration",
        parameters=2_217_831,
        notes="makes the large image itself, compared after `ops.downsampler.lanczos_downsample`; 2000 steps for x4, 4000 for x8",
    ),
    _inpainting(
        name="dip_inpainting",
        fields=dict(skip_features=(128,) * 5, upsampling="nearest"),
        parameters=3_002_627,
        notes="masks of text (kate, peppers): 6001 steps of Adam at 0.01, noise of deviation 0.03 added at each step",
    ),
    _inpainting(
        name="dip_inpainting_grid",
        fields=dict(**_none, upsampling="nearest", input_channels=2),
        parameters=2_157_955,
        notes="large holes (vase): the input is a grid of coordinates; 5001 steps of Adam at 0.01",
    ),
    _inpainting(
        name="dip_inpainting_deep",
        fields=dict(
            down_features=_library,
            up_features=_library,
            skip_features=(0,) * 6,
            down_size=5,
            up_1x1=False,
            upsampling="nearest",
            input_channels=1,
        ),
        multiple=64,
        parameters=2_996_467,
        notes="a large region (library): 3001 steps of Adam at 0.01",
    ),
    _inpainting(
        name="dip_missing_pixels_gray",
        fields=dict(channels=1),
        channels=1,
        parameters=2_217_573,
        notes="half of the pixels missing (barbara): 11000 steps of Adam at 0.001, noise of deviation 0.03 added at each step",
    ),
    _inpainting(
        name="dip_missing_pixels",
        fields=dict(**_none, down_features=_library[:5], up_features=_library[:5], downsampling="avg"),
        parameters=1_027_379,
        notes="single pixels missing (kate): 1000 steps of Adam at 0.01",
    ),
)
