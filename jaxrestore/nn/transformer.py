"""Transformers over sequences: multi-head attention, encoder and decoder layers with the normalisation first, and stacks of them."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.nn.initialise import TORCH_INIT, parameter, torch_default
from jaxrestore.nn.linear import Linear
from jaxrestore.nn.norm import LayerNorm
from jaxrestore.nn.positional_encoding import LearnedPositions, sinusoidal
from jaxrestore.typing import DType


class MultiHeadAttention(nn.Module):
    """Scaled dot-product attention in several heads, without biases.

    Attributes:
      heads: number of heads; it divides the channels.
      causal: a query sees no key of a later place.
      dtype: computation type; the weights are always float32.
      param_dtype: type of the parameters.

    Takes a query (N, T, C), a key and a value (N, S, C), gives (N, T, C). The three input projections are one matrix (C, 3 C), as in torch.

    Raises:
      InputError: the heads do not divide the channels.

    Reference: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, section 3.2.
    """

    heads: int
    causal: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, query: jax.Array, key: jax.Array, value: jax.Array) -> jax.Array:
        """Attend."""
        channels = query.shape[-1]
        if self.heads < 1 or channels % self.heads:
            raise InputError(f"heads is {self.heads}: it must divide the {channels} channels")
        kernel = parameter(self, "kernel", torch_default, (channels, 3 * channels), self.param_dtype)
        query, key, value, kernel = nn.dtypes.promote_dtype(query, key, value, kernel, dtype=self.dtype)
        parts = jnp.split(jnp.asarray(kernel), 3, -1)
        query, key, value = (
            (x @ part).reshape(*x.shape[:2], self.heads, channels // self.heads) for x, part in zip((query, key, value), parts, strict=True)
        )
        scores = jnp.einsum("nqhd,nkhd->nhqk", query * (channels // self.heads) ** -0.5, key, preferred_element_type=jnp.float32)
        if self.causal:
            seen = np.tri(*scores.shape[-2:], dtype=bool)[None, None]
            scores = jnp.where(seen, scores, -jnp.inf)
        weights = jax.nn.softmax(scores, -1).astype(value.dtype)
        x = jnp.einsum("nhqk,nkhd->nqhd", weights, value).reshape(query.shape[0], query.shape[1], channels)
        options = dict(kernel_init=torch_default, dtype=self.dtype, param_dtype=self.param_dtype)
        return Linear(channels, use_bias=False, **options, name="out_proj")(x)


class FeedForward(nn.Module):
    """linear(ReLU(linear(x))).

    Attributes:
      hidden: channels between the layers.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (..., C).
    """

    hidden: int
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Transform."""
        linear = partial(Linear, **TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        return linear(x.shape[-1], name="linear_1")(nn.relu(linear(self.hidden, name="linear_0")(x)))


class EncoderLayer(nn.Module):
    """x + attention(norm(x)), then x + feed_forward(norm(x)).

    Attributes:
      heads: as for `MultiHeadAttention`.
      hidden: as for `FeedForward`.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, T, C).
    """

    heads: int
    hidden: int
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Encode."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        y = LayerNorm(**types, name="norm_0")(x)
        x = x + MultiHeadAttention(self.heads, **types, name="self_attention")(y, y, y)
        return x + FeedForward(self.hidden, **types, name="feed_forward")(LayerNorm(**types, name="norm_1")(x))


class DecoderLayer(nn.Module):
    """Self-attention, attention to a memory, feed forward, each after a normalisation and added to its input.

    Attributes:
      heads: as for `MultiHeadAttention`.
      hidden: as for `FeedForward`.
      causal: the self-attention sees no later place.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes x (N, T, C), a memory (N, S, C) and an embedding (1 or N, T, C) that is added to all queries and to the keys of the
    self-attention; gives (N, T, C).

    Reference: Carion et al., "End-to-End Object Detection with Transformers", ECCV 2020, figure 10, with the normalisation first.
    """

    heads: int
    hidden: int
    causal: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, memory: jax.Array, embedding: jax.Array) -> jax.Array:
        """Decode."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        y = LayerNorm(**types, name="norm_0")(x)
        x = x + MultiHeadAttention(self.heads, self.causal, **types, name="self_attention")(y + embedding, y + embedding, y)
        y = LayerNorm(**types, name="norm_1")(x)
        x = x + MultiHeadAttention(self.heads, **types, name="cross_attention")(y + embedding, memory, memory)
        return x + FeedForward(self.hidden, **types, name="feed_forward")(LayerNorm(**types, name="norm_2")(x))


class Transformer(nn.Module):
    """An encoder of one sequence and a decoder of another that attends to it, both with encoded positions.

        source + positions -> [self-attention, feed forward] x n -> norm -> memory
                                                                              |
        target + positions -> [self-attention, attention to the memory, feed forward] x m -> norm -> result

    Attributes:
      heads: as for `MultiHeadAttention`.
      hidden: as for `FeedForward`.
      encoder_depth: number of encoder layers.
      decoder_depth: number of decoder layers.
      causal: a place of the target sees no later one, as a sequence that is predicted element by element needs.
      positions: "sinusoidal", "learned" (for up to `longest` places) or "none".
      longest: number of learnt positions.
      dtype: computation type; softmax and normalisations are always float32.
      param_dtype: type of the parameters.

    Takes a source (N, S, C) and a target (N, T, C), gives (N, T, C).

    Raises:
      InputError: an unknown kind of positions, or a sequence longer than the learnt ones.

    Reference: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, figure 1, with the normalisation first (Xiong et al., ICML 2020).
    """

    heads: int = 8
    hidden: int = 2048
    encoder_depth: int = 6
    decoder_depth: int = 6
    causal: bool = False
    positions: str = "sinusoidal"
    longest: int = 1024
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, source: jax.Array, target: jax.Array) -> jax.Array:
        """Encode, then decode."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        memory = self._placed(source, "source_positions")
        for i in range(self.encoder_depth):
            memory = EncoderLayer(self.heads, self.hidden, **types, name=f"encoder_{i}")(memory)
        memory = LayerNorm(**types, name="encoder_norm")(memory)
        x = self._placed(target, "target_positions")
        nothing = jnp.zeros((1, 1, 1), x.dtype)  # the positions are in the input already
        for i in range(self.decoder_depth):
            x = DecoderLayer(self.heads, self.hidden, self.causal, **types, name=f"decoder_{i}")(x, memory, nothing)
        return LayerNorm(**types, name="decoder_norm")(x)

    def _placed(self, x: jax.Array, name: str) -> jax.Array:
        if self.positions == "sinusoidal":
            return x + jnp.asarray(sinusoidal(x.shape[1], x.shape[2]), x.dtype)[None]
        if self.positions == "learned":
            return LearnedPositions((self.longest,), dtype=self.dtype, param_dtype=self.param_dtype, name=name)(x)
        if self.positions == "none":
            return x
        raise InputError(f"positions is {self.positions!r}: it must be 'sinusoidal', 'learned' or 'none'")
