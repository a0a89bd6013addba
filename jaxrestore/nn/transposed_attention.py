"""Restormer's layers: attention among channels instead of pixels, and a gated feed-forward network."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT, ones, parameter
from jaxrestore.nn.norm import LayerNorm
from jaxrestore.typing import DType, Image

_LEAST_NORM = 1e-12


class TransposedAttention(nn.Module):
    """Multi-head self-attention whose weights are a (channels x channels) matrix: linear in the number of pixels (MDTA).

    Attributes:
      heads: number of heads; it divides the channels.
      use_bias: biases in the convolutions.
      dtype: computation type; the weights are always float32.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, C). The weights are taken over the whole image.

    Reference: Zamir et al., "Restormer", CVPR 2022, section 3.1.
    """

    heads: int
    use_bias: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Attend."""
        batch, height, width, channels = image.shape
        conv = partial(Conv, use_bias=self.use_bias, **TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        temperature = parameter(self, "temperature", ones, (self.heads, 1, 1), self.param_dtype)
        x = conv(3 * channels, 1, name="qkv")(image)
        x = conv(3 * channels, groups=3 * channels, name="qkv_depthwise")(x)
        query, key, value = (part.reshape(batch, height * width, self.heads, -1) for part in jnp.split(x, 3, -1))
        scores = jnp.einsum("nphc,nphd->nhcd", _unit(query), _unit(key), preferred_element_type=jnp.float32)
        weights = jax.nn.softmax(scores * jnp.asarray(temperature, jnp.float32)[None], -1).astype(value.dtype)
        x = jnp.einsum("nhcd,nphd->nphc", weights, value).reshape(batch, height, width, channels)
        return conv(channels, 1, name="project_out")(x)


def _unit(x: jax.Array) -> jax.Array:
    """Each channel divided by its length over all pixels."""
    square = jnp.sum(jnp.square(x.astype(jnp.promote_types(x.dtype, jnp.float32))), 1, keepdims=True)
    return (x * jax.lax.rsqrt(jnp.maximum(square, _LEAST_NORM**2))).astype(x.dtype)


class GatedFeedForward(nn.Module):
    """conv(GELU(a) * b), where a and b are the halves of a depthwise convolution of a 1x1 convolution (GDFN).

    Attributes:
      expansion: hidden channels / channels, rounded down.
      use_bias: biases in the convolutions.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, C).

    Reference: Zamir et al., "Restormer", CVPR 2022, section 3.2.
    """

    expansion: float = 2.66
    use_bias: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Transform."""
        channels = image.shape[-1]
        hidden = int(channels * self.expansion)
        conv = partial(Conv, use_bias=self.use_bias, **TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        x = conv(2 * hidden, 1, name="project_in")(image)
        gate, x = jnp.split(conv(2 * hidden, groups=2 * hidden, name="depthwise")(x), 2, -1)
        return conv(channels, 1, name="project_out")(nn.gelu(gate, approximate=False) * x)


class TransposedAttentionBlock(nn.Module):
    """x + attention(norm(x)), then x + feed_forward(norm(x)): Restormer's block.

    Attributes:
      heads: as for `TransposedAttention`.
      expansion: as for `GatedFeedForward`.
      use_bias: biases in the convolutions.
      centred: the normalisations take off the mean and learn a shift ("WithBias"); otherwise they only divide ("BiasFree").
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, C).

    Reference: Zamir et al., "Restormer", CVPR 2022, figure 2.
    """

    heads: int
    expansion: float = 2.66
    use_bias: bool = False
    centred: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Refine."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        norm = partial(LayerNorm, use_bias=self.centred, centred=self.centred, **types)
        attention = TransposedAttention(self.heads, self.use_bias, **types, name="attention")
        x = image + attention(norm(name="attention_norm")(image)).astype(image.dtype)
        feed_forward = GatedFeedForward(self.expansion, self.use_bias, **types, name="feed_forward")
        return x + feed_forward(norm(name="feed_forward_norm")(x)).astype(x.dtype)


def transposed_attention_names(ours: str, theirs: str) -> dict[str, str]:
    """Paths inside a `TransposedAttentionBlock` -> the module names of swz30/Restormer, which its successors kept.

    Args:
      ours: path of the block.
      theirs: the reference's name of it.
    """
    names = {f"{ours}/attention_norm": f"{theirs}.norm1.body", f"{ours}/feed_forward_norm": f"{theirs}.norm2.body"}
    attention = {"qkv": "qkv", "qkv_depthwise": "qkv_dwconv", "project_out": "project_out"}
    names |= {f"{ours}/attention/{part}": f"{theirs}.attn.{path}" for part, path in attention.items()}
    names[f"{ours}/attention.temperature"] = f"{theirs}.attn.temperature"
    feed_forward = {"project_in": "project_in", "depthwise": "dwconv", "project_out": "project_out"}
    return names | {f"{ours}/feed_forward/{part}": f"{theirs}.ffn.{path}" for part, path in feed_forward.items()}
