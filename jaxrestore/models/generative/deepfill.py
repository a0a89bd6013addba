"""DeepFill v2: free-form image inpainting with gated convolution.

Yu, Lin, Yang, Shen, Lu and Huang, ICCV 2019, https://arxiv.org/abs/1806.03589

    image, mask -> gated convolutions -> coarse image --paste--+-> gated, dilated convolutions ------------------+-> gated
                   /2, /4, dilated, x2, x4          known image `-> gated convolutions -> contextual attention --'   x2, x4 -> image

The discriminator (SN-PatchGAN) sees image and mask through six strided convolutions with spectral normalisation; every value of its last
map is a score. A user may guide both by a sketch of the edges in the hole.
"""

from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.gated_conv import GatedConv
from jaxrestore.nn.initialise import glorot_uniform
from jaxrestore.nn.missing import missing_map
from jaxrestore.nn.spectral_norm import SpectralNorm
from jaxrestore.ops.contextual_attention import contextual_attention
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.typing import ArrayLike, DType, Image


class _Layer(NamedTuple):
    """A gated convolution: its width (half of it comes out) in units of `features`, window, stride and dilation."""

    width: int
    window: int = 3
    stride: int = 1
    dilation: int = 1

    @property
    def suffix(self) -> str:
        """What the reference adds to the layer's name."""
        return "_downsample" if self.stride > 1 else "_atrous" if self.dilation > 1 else ""


_DILATED = tuple(_Layer(4, dilation=2**i) for i in range(1, 5))
# Three encoders; the reference counts the layers of each from 1.
_ENCODERS = {
    "conv": (_Layer(1, 5), _Layer(2, stride=2), _Layer(2), _Layer(4, stride=2), _Layer(4), _Layer(4), *_DILATED),
    "xconv": (_Layer(1, 5), _Layer(1, stride=2), _Layer(2), _Layer(2, stride=2), _Layer(4), _Layer(4), *_DILATED),
    "pmconv": (_Layer(1, 5), _Layer(1, stride=2), _Layer(2), _Layer(4, stride=2), _Layer(4), _Layer(4)),
}
_ENLARGING = (13, 15)
_OURS = {"conv": "coarse", "xconv": "fine", "pmconv": "attention", "allconv": "merged"}


class DeepFill(nn.Module):
    """Two networks in a row: one fills the hole roughly, the other refines it with features from the known region.

    Attributes:
      features: channels of the first convolution, half of which gate the other half; a multiple of 4.
      paste: known pixels of the result are those of the image; otherwise, and with `train=True`, the network's own.
      channels: image channels.
      guided: a sketch goes into the first convolution too.
      dtype: computation type; attention is always float32.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1] and a mask (N, H, W, 1), true where content is missing (what stands there does not matter), and, if
    `guided`, a sketch (N, H, W, 1), true on edges, of which only what lies in the hole matters (None is an empty one); gives
    (N, H, W, channels) in [0, 1]. The rough image is sown as "intermediates". Other sizes than multiples of 8 are continued by reflection
    and cropped back. The cost of the attention grows with the square of the number of pixels.
    """

    features: int = 48
    paste: bool = True
    channels: int = 3
    guided: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    multiple = 8

    @nn.compact
    def __call__(self, image: Image, mask: ArrayLike | None = None, train: bool = False, sketch: ArrayLike | None = None) -> jax.Array:
        """Fill the hole.

        Raises:
          InputError: no mask, one of another size, a sketch of another size or without `guided`, or `features` is no multiple of 4.
        """
        if self.features % 4 or self.features < 4:
            raise InputError(f"features is {self.features}: it must be a positive multiple of 4")
        missing = missing_map(self, image, mask)
        x, hole = (pad_to_multiple(part, self.multiple, "reflect") for part in (2.0 * image - 1.0, missing.astype(image.dtype)))
        known = x * (1.0 - hole)
        lines = [pad_to_multiple(line, self.multiple, "reflect") for line in _lines(self, image, missing, sketch)]
        with_mask = jnp.concatenate([known, *lines, jnp.ones_like(hole), hole], -1)
        coarse = self._decode(self._encode(with_mask, "conv"), "conv")
        self.sow("intermediates", "coarse", self._result(coarse, image, missing, train))

        x = coarse * hole + known
        fine = self._encode(x, "xconv")
        alike = self._encode(x, "pmconv")
        small_hole = interpolate(hole, size=alike.shape[1:3], method="nearest", align_corners=True)
        alike = contextual_attention(alike, small_hole)
        for i in (9, 10):
            alike = self._gated(2 * self.features, name=f"attention_{i}")(alike)
        return self._result(self._decode(jnp.concatenate([fine, alike], -1), "allconv"), image, missing, train)

    def _result(self, x: jax.Array, image: Image, missing: jax.Array, train: bool) -> jax.Array:
        x = crop((x + 1.0) / 2.0, image.shape[1:3]).astype(image.dtype)
        return jnp.where(missing, x, image) if self.paste and not train else x

    @property
    def _gated(self) -> partial:
        return partial(GatedConv, dtype=self.dtype, param_dtype=self.param_dtype)

    def _encode(self, x: jax.Array, theirs: str) -> jax.Array:
        layers = _ENCODERS[theirs]
        for i, layer in enumerate(layers, start=1):
            # What attention compares must be comparable by its direction: not negative.
            activation = nn.relu if theirs == "pmconv" and i == len(layers) else nn.elu
            gated = partial(self._gated, layer.width * self.features // 2, layer.window, layer.stride, layer.dilation, activation)
            x = gated(name=f"{_OURS[theirs]}_{i}")(x)
        return x

    def _decode(self, x: jax.Array, theirs: str) -> jax.Array:
        ours, features = _OURS[theirs], self.features
        for i, width in enumerate((2 * features, 2 * features, features, features, features // 2, features // 4), start=11):
            # The reference's nearest neighbour keeps the corners' centres fixed: when doubling that picks the same pixels.
            x = interpolate(x, scale=2, method="nearest") if i in _ENLARGING else x
            x = self._gated(width, name=f"{ours}_{i}")(x)
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        return nn.tanh(Conv(self.channels, kernel_init=glorot_uniform, **types, name=f"{ours}_17")(x))


class SNPatchDiscriminator(nn.Module):
    """SN-PatchGAN: six strided convolutions, held Lipschitz by spectral normalisation.

    Attributes:
      features: channels of the first convolution; the second has twice, the others four times as many.
      channels: image channels.
      guided: it sees the sketch in the hole too.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1] and the mask (N, H, W, 1) of what was missing, gives scores (N, H', W', 4 * features), where each
    side is halved six times and rounded up. With `train=True` the estimates of the largest singular values in "batch_stats" improve.
    """

    features: int = 64
    channels: int = 3
    guided: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, mask: ArrayLike | None = None, train: bool = False, sketch: ArrayLike | None = None) -> jax.Array:
        """Judge every patch.

        Raises:
          InputError: no mask, one of another size, or a sketch of another size or without `guided`.
        """
        missing = missing_map(self, image, mask)
        x = jnp.concatenate([2.0 * image - 1.0, missing.astype(image.dtype), *_lines(self, image, missing, sketch)], -1)
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        for i, width in enumerate((1, 2, 4, 4, 4, 4)):
            conv = Conv(width * self.features, 5, 2, "same", kernel_init=glorot_uniform, **types, name=f"conv_{i}")
            # The slope is 0.2 on the last layer as well.
            x = nn.leaky_relu(SpectralNorm(conv, keeps_v=False)(x, train=train), 0.2)
        return x.astype(image.dtype)


def _lines(model: DeepFill | SNPatchDiscriminator, image: Image, missing: jax.Array, sketch: ArrayLike | None) -> list[jax.Array]:
    """The sketch as far as it lies in the hole, (N, H, W, 1), where the network takes one."""
    if not model.guided:
        if sketch is not None:
            raise InputError(f"sketch: {type(model).__name__} takes none; one with guided=True does")
        return []
    if sketch is None:
        return [jnp.zeros(missing.shape, image.dtype)]
    if jnp.shape(sketch) != missing.shape:
        raise InputError(f"sketch has the shape {jnp.shape(sketch)}: for an image of shape {image.shape} it must be {missing.shape}")
    return [((jnp.asarray(sketch) != 0) & missing).astype(image.dtype)]


REFERENCE_KERNELS = "HWIO"


def reference_names(model: DeepFill | SNPatchDiscriminator) -> dict[str, str]:
    """Our leaves -> the variables of JiahuiYu/generative_inpainting."""
    if isinstance(model, SNPatchDiscriminator):
        leaves = {"kernel": "kernel", "bias": "bias", "u": "kernel_sn/u"}
        return {f"conv_{i}.{ours}": f"sn_patch_gan/conv{i + 1}/{theirs}" for i in range(6) for ours, theirs in leaves.items()}
    layers = {
        f"{_OURS[theirs]}_{i}/conv": f"{theirs}{i}{layer.suffix}"
        for theirs, encoder in _ENCODERS.items()
        for i, layer in enumerate(encoder, start=1)
    }
    layers |= {f"attention_{i}/conv": f"pmconv{i}" for i in (9, 10)}
    for theirs in ("conv", "allconv"):
        for i in range(11, 17):
            enlarging = f"{theirs}{i}_upsample"
            layers[f"{_OURS[theirs]}_{i}/conv"] = f"{enlarging}/{enlarging}_conv" if i in _ENLARGING else f"{theirs}{i}"
        layers[f"{_OURS[theirs]}_17"] = f"{theirs}17"
    return {f"{ours}.{leaf}": f"inpaint_net/{theirs}/{leaf}" for ours, theirs in layers.items() for leaf in ("kernel", "bias")}


_card = partial(
    ModelCard,
    paper="https://arxiv.org/abs/1806.03589",
    reference="JiahuiYu/generative_inpainting (CC BY-NC 4.0)",
    reference_names=reference_names,
)

CARDS = (
    _card(
        name="deepfill_v2",
        module=DeepFill,
        task="inpainting",
        multiple=8,
        parameters=4_052_478,
        convention="rgb",
        notes="needs a mask; the paper reports, on Places2 at 256x256, an L1 error of 8.6 % for rectangles and 9.1 % for free-form masks",
    ),
    _card(
        name="deepfill_v2_discriminator",
        module=SNPatchDiscriminator,
        task="discrimination",
        parameters=5_946_816,
        notes="trained with the hinge loss, the sum of its two terms halved; the mask is its fourth channel",
    ),
    _card(
        name="deepfill_v2_guided",
        module=DeepFill,
        task="inpainting",
        fields=dict(guided=True),
        multiple=8,
        parameters=4_053_678,
        convention="rgb",
        notes="takes a sketch of the edges in the hole beside the mask (`sketch` in Python; empty where none is given)",
    ),
    _card(
        name="deepfill_v2_guided_discriminator",
        module=SNPatchDiscriminator,
        task="discrimination",
        fields=dict(guided=True),
        parameters=5_948_416,
        notes="mask and sketch are its fourth and fifth channels",
    ),
)
