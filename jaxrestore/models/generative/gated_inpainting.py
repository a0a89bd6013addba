"""Gated convolution with self-attention: an unofficial variant of free-form inpainting.

The network of avalonstrel/GatedConvolution_pytorch, after Yu et al., "Free-Form Image Inpainting with Gated Convolution", ICCV 2019,
https://arxiv.org/abs/1806.03589

    image, mask, ones -> gated convolutions -> coarse image --paste--> gated convolutions -> self-attention -> gated -> image
                         /2, /4, dilated, x2, x4                       /2, /4, dilated                         x2, x4

Unlike the official network (`deepfill`): batch normalisation after every gate, leaky ReLU instead of ELU, one refining branch with
self-attention instead of two with contextual attention, results cut to the range instead of a tanh.
"""

from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import FanUniform, he_normal
from jaxrestore.nn.missing import missing_map
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.nn.self_attention import SelfAttention
from jaxrestore.nn.spectral_norm import SpectralNorm
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.typing import ArrayLike, DType, Image

_INIT = dict(kernel_init=he_normal, bias_init=FanUniform())


class _Layer(NamedTuple):
    """A gated convolution: its channels in units of `features`, window, stride and dilation."""

    width: float
    window: int = 3
    stride: int = 1
    dilation: int = 1
    enlarged: bool = False


_DILATED = tuple(_Layer(4, dilation=2**i) for i in range(1, 5))
_DECODER = (_Layer(4), _Layer(4), _Layer(2, enlarged=True), _Layer(2), _Layer(1, enlarged=True), _Layer(0.5))
_STAGES = {
    "coarse": (_Layer(1, 5), _Layer(2, 4, 2), _Layer(2), _Layer(4, 4, 2), _Layer(4), _Layer(4), *_DILATED, *_DECODER),
    "refine": (_Layer(1, 5), _Layer(1, 4, 2), _Layer(2), _Layer(2, 4, 2), _Layer(4), _Layer(4), _Layer(4), *_DILATED),
    "merge": _DECODER,
}
_THEIRS = {"coarse": "coarse_net", "refine": "refine_conv_net", "merge": "refine_upsample_net"}


class GatedUnit(nn.Module):
    """Batch normalisation of activation(conv(x)) * sigmoid(conv(x)), with two convolutions of the same shape.

    Attributes:
      features: channels of the result.
      kernel_size: side of the window.
      strides: step between windows.
      dilation: step between the taps of a window.
      activate: whether there is a leaky ReLU before the gate.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, H', W', features); a window of 4 at stride 2 halves even sides, odd windows at stride 1 keep the size.
    """

    features: int
    kernel_size: int = 3
    strides: int = 1
    dilation: int = 1
    activate: bool = True
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Convolve, gate, normalise."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, self.features, self.kernel_size, self.strides, dilation=self.dilation, **_INIT, **types)
        x = conv(name="conv")(image)
        x = nn.leaky_relu(x, 0.2) if self.activate else x
        return BatchNorm(**types, name="norm")(x * nn.sigmoid(conv(name="gate")(image)), train)


class GatedInpainting(nn.Module):
    """Two networks of gated convolutions in a row; the second refines with self-attention.

    Attributes:
      features: channels of the first layer; a positive multiple of 2.
      paste: known pixels of the result are those of the image; otherwise, and with `train=True`, the network's own.
      channels: image channels.
      dtype: computation type; attention's weights are always float32.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1] and a mask (N, H, W, 1), true where content is missing (what stands there does not matter), gives
    (N, H, W, channels) in [0, 1]. The rough image is sown as "intermediates". Other sizes than multiples of 4 are continued by reflection
    and cropped back. The cost of the attention grows with the square of the number of pixels.
    """

    features: int = 32
    paste: bool = True
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    multiple = 4

    @nn.compact
    def __call__(self, image: Image, mask: ArrayLike | None = None, train: bool = False) -> jax.Array:
        """Fill the hole.

        Raises:
          InputError: no mask, one of another size, or `features` is odd.
        """
        if self.features % 2 or self.features < 2:
            raise InputError(f"features is {self.features}: it must be a positive multiple of 2")
        missing = missing_map(self, image, mask)
        x, hole = (pad_to_multiple(part, self.multiple, "reflect") for part in (2.0 * image - 1.0, missing.astype(image.dtype)))
        known, beside = x * (1.0 - hole), (hole, jnp.ones_like(hole))
        coarse = self._stage(jnp.concatenate([known + hole, *beside], -1), "coarse", train)
        self.sow("intermediates", "coarse", self._result(coarse, image, missing, train))

        x = self._stage(jnp.concatenate([known + coarse * hole, *beside], -1), "refine", train)
        inner = max(4 * self.features // 8, 1)
        x = SelfAttention(inner, dtype=self.dtype, param_dtype=self.param_dtype, name="attention")(x)
        return self._result(self._stage(x, "merge", train), image, missing, train)

    def _stage(self, x: jax.Array, stage: str, train: bool) -> jax.Array:
        unit = partial(GatedUnit, dtype=self.dtype, param_dtype=self.param_dtype)
        for i, layer in enumerate(_STAGES[stage]):
            x = interpolate(x, scale=2, method="nearest") if layer.enlarged else x
            x = unit(int(layer.width * self.features), layer.window, layer.stride, layer.dilation, name=f"{stage}_{i}")(x, train)
        if stage == "refine":
            return x
        return jnp.clip(unit(self.channels, activate=False, name=f"{stage}_{len(_STAGES[stage])}")(x, train), -1.0, 1.0)

    def _result(self, x: jax.Array, image: Image, missing: jax.Array, train: bool) -> jax.Array:
        x = crop((x + 1.0) / 2.0, image.shape[1:3]).astype(image.dtype)
        return jnp.where(missing, x, image) if self.paste and not train else x


class GatedInpaintingDiscriminator(nn.Module):
    """Strided 4x4 convolutions with spectral normalisation and one layer of self-attention.

    Attributes:
      features: half the channels of the first layer; the third and later have eight times as many as it says.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], at least 128 pixels high and wide, and the mask (N, H, W, 1) of what was missing, gives scores
    (N, H', W', 8 * features), where each side is halved seven times. With `train=True` the estimates of the largest singular values in
    "batch_stats" improve.
    """

    features: int = 32
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    image_size = 128  # seven halvings leave nothing of less

    def __call__(self, image: Image, mask: ArrayLike | None = None, train: bool = False) -> jax.Array:
        """Judge every patch.

        Raises:
          InputError: no mask, one of another size, or an image that is too small.
        """
        missing = missing_map(self, image, mask).astype(image.dtype)
        return self.judge(jnp.concatenate([2.0 * image - 1.0, missing, jnp.ones_like(missing)], -1), train)

    @nn.compact
    def judge(self, x: Image, train: bool = False) -> jax.Array:
        """Scores of (N, H, W, channels + 2): an image in [-1, 1], the mask and ones, as the reference takes them."""
        if min(x.shape[1:3]) < self.image_size:
            raise InputError(f"an image of {x.shape[1]}x{x.shape[2]}: the discriminator needs at least 128x128 pixels")
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        dtype = x.dtype
        for i, width in enumerate((2, 4, 8, 8, 8, 8, 8)):
            if i == 6:
                x = SelfAttention(self.features, **types, name="attention")(x)
            conv = Conv(width * self.features, 4, 2, 1, **_INIT, **types, name=f"conv_{i}")
            x = nn.leaky_relu(SpectralNorm(conv)(x, train=train), 0.2)
        return x.astype(dtype)


REFERENCE_IGNORED = ("linear",)  # the discriminator's, which it never uses


def reference_names(model: GatedInpainting | GatedInpaintingDiscriminator) -> dict[str, str]:
    """Our module paths -> the module names of avalonstrel/GatedConvolution_pytorch."""
    attention = {"query": "query_conv", "key": "key_conv", "value": "value_conv"}
    if isinstance(model, GatedInpaintingDiscriminator):
        names = {f"conv_{i}": f"discriminator_net.{i if i < 6 else 7}.conv2d" for i in range(7)}
        prefix = "discriminator_net.6"
    else:
        names, prefix = {}, "refine_attn"
        parts = {"conv": "conv2d", "gate": "mask_conv2d", "norm": "batch_norm2d"}
        for stage, layers in _STAGES.items():
            for i, enlarged in enumerate([layer.enlarged for layer in layers] + [False] * (stage != "refine")):
                theirs = f"{_THEIRS[stage]}.{i}" + (".conv2d" if enlarged else "")
                names |= {f"{stage}_{i}/{ours}": f"{theirs}.{part}" for ours, part in parts.items()}
    names |= {f"attention/{ours}": f"{prefix}.{theirs}" for ours, theirs in attention.items()}
    return names | {"attention.gain": f"{prefix}.gamma"}


_card = partial(
    ModelCard,
    paper="https://arxiv.org/abs/1806.03589",
    reference="avalonstrel/GatedConvolution_pytorch (CC BY-NC 4.0)",
    reference_names=reference_names,
    reference_ignored=REFERENCE_IGNORED,
)

CARDS = (
    _card(
        name="gated_inpainting",
        module=GatedInpainting,
        task="inpainting",
        multiple=4,
        parameters=6_053_113,
        notes="needs a mask; an unofficial variant of deepfill_v2 with batch normalisation and self-attention",
    ),
    _card(
        name="gated_inpainting_discriminator",
        module=GatedInpaintingDiscriminator,
        task="discrimination",
        parameters=4_938_497,
        notes="trained with the hinge loss; the reference counts 1,025 more, of a dense layer that it never uses",
    ),
)
