"""CvT's layers: a transformer on the pixels of a map, whose queries, keys and values come from depthwise convolutions."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.drop_path import DropPath
from jaxrestore.nn.initialise import TORCH_INIT, Normal, parameter, torch_default
from jaxrestore.nn.linear import Linear
from jaxrestore.nn.norm import BatchNorm, LayerNorm
from jaxrestore.typing import DType, Image

_narrow = Normal(0.02)


def quick_gelu(x: jax.Array) -> jax.Array:
    """x * sigmoid(1.702 x), an approximation of GELU that some networks were trained with (Hendrycks and Gimpel 2016, section 2)."""
    return x * nn.sigmoid(1.702 * x)


class ConvolutionalAttention(nn.Module):
    """Multi-head self-attention; queries, keys and values are each a depthwise convolution, a normalisation and a matrix.

    Attributes:
      heads: number of heads; it divides the channels.
      strides: of the convolutions of keys and values: 2 takes a quarter of the arithmetic.
      kernel_size: side of the depthwise windows.
      dtype: computation type; the weights are always float32.
      param_dtype: type of the parameters.

    Takes a map (N, H, W, C) and tokens (N, T, C) that have no place in it, T may be 0: they pass by the convolutions. Gives both. Scores
    are scaled by the root of all channels, not of one head's, as in the reference.

    Reference: Wu et al., "CvT", ICCV 2021, section 3.3.
    """

    heads: int
    strides: int = 2
    kernel_size: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, tokens: jax.Array, train: bool = False) -> tuple[jax.Array, jax.Array]:
        """Attend."""
        batch, height, width, channels = image.shape
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)

        def project(name: str, strides: int) -> jax.Array:
            options = dict(groups=channels, use_bias=False, kernel_init=torch_default, **types)
            x = Conv(channels, self.kernel_size, strides, **options, name=f"{name}_conv")(image)
            x = BatchNorm(**types, name=f"{name}_norm")(x, train)
            x = jnp.concatenate([tokens.astype(x.dtype), x.reshape(batch, -1, channels)], 1)
            x = Linear(channels, kernel_init=_narrow, **types, name=name)(x)
            return x.reshape(batch, -1, self.heads, channels // self.heads)

        query, key, value = project("query", 1), project("key", self.strides), project("value", self.strides)
        scores = jnp.einsum("nqhd,nkhd->nhqk", query * channels**-0.5, key, preferred_element_type=jnp.float32)
        weights = jax.nn.softmax(scores, -1).astype(value.dtype)
        x = jnp.einsum("nhqk,nkhd->nqhd", weights, value).reshape(batch, -1, channels)
        x = Linear(channels, kernel_init=_narrow, **types, name="project_out")(x)
        return x[:, tokens.shape[1] :].reshape(batch, height, width, channels), x[:, : tokens.shape[1]]


class ConvolutionalTransformerBlock(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)).

    Attributes:
      heads: as for `ConvolutionalAttention`.
      strides: as for `ConvolutionalAttention`.
      mlp_ratio: hidden channels of the multilayer perceptron / channels.
      drop_path: probability that a branch is left out for an image in training.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives a map (N, H, W, C) and tokens (N, T, C).
    """

    heads: int
    strides: int = 2
    mlp_ratio: float = 4.0
    drop_path: float = 0.0
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, tokens: jax.Array, train: bool = False) -> tuple[jax.Array, jax.Array]:
        """Refine."""
        channels, types = image.shape[-1], dict(dtype=self.dtype, param_dtype=self.param_dtype)
        linear = partial(Linear, kernel_init=_narrow, **types)
        norm_0, norm_1 = LayerNorm(**types, name="norm_0"), LayerNorm(**types, name="norm_1")
        wide, narrow = linear(int(channels * self.mlp_ratio), name="mlp_0"), linear(channels, name="mlp_1")
        attention = ConvolutionalAttention(self.heads, self.strides, **types, name="attention")
        # One decision for an image: the map and its tokens share their branches.
        drop = partial(_drop_together, DropPath(self.drop_path, name="drop_path"), train=train)
        image, tokens = _add((image, tokens), drop(attention(norm_0(image), norm_0(tokens), train)))
        return _add((image, tokens), drop(tuple(narrow(quick_gelu(wide(norm_1(x)))) for x in (image, tokens))))


def _drop_together(drop: DropPath, branches: tuple[jax.Array, jax.Array], train: bool) -> tuple[jax.Array, jax.Array]:
    image, tokens = branches
    if not train or drop.rate == 0.0:
        return branches
    joined = jnp.concatenate([tokens, image.reshape(image.shape[0], -1, image.shape[-1])], 1)
    joined = drop(joined, train)
    return joined[:, tokens.shape[1] :].reshape(image.shape), joined[:, : tokens.shape[1]]


def _add(x: tuple[jax.Array, jax.Array], branch: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
    return x[0] + branch[0].astype(x[0].dtype), x[1] + branch[1].astype(x[1].dtype)


class ConvolutionalTransformerStage(nn.Module):
    """A strided convolution with a normalisation (the embedding of overlapping patches), then blocks.

    Attributes:
      features: channels of the result.
      depth: number of blocks.
      heads: as for `ConvolutionalAttention`.
      patch: side of the embedding's windows.
      strides: step between them.
      padding: zeros on each side of the image.
      key_strides: as `strides` of `ConvolutionalAttention`.
      mlp_ratio: as for `ConvolutionalTransformerBlock`.
      drop_path: of the last block; it grows linearly from 0 at the first.
      class_token: a learnt token goes with the pixels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives a map (N, H', W', features) and tokens (N, 1 or 0, features).

    Reference: Wu et al., "CvT", ICCV 2021, section 3.2.
    """

    features: int
    depth: int
    heads: int
    patch: int = 3
    strides: int = 2
    padding: int = 1
    key_strides: int = 2
    mlp_ratio: float = 4.0
    drop_path: float = 0.0
    class_token: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> tuple[jax.Array, jax.Array]:
        """Embed and refine."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        embed = Conv(self.features, self.patch, self.strides, self.padding, **TORCH_INIT, **types, name="embed")
        x = LayerNorm(**types, name="embed_norm")(embed(image))
        tokens = jnp.zeros((x.shape[0], 0, self.features), x.dtype)
        if self.class_token:
            token = parameter(self, "class_token", _narrow, (1, 1, self.features), self.param_dtype)
            tokens = jnp.broadcast_to(jnp.asarray(token, x.dtype), (x.shape[0], 1, self.features))
        for i in range(self.depth):
            rate = self.drop_path * i / max(self.depth - 1, 1)
            block = ConvolutionalTransformerBlock(self.heads, self.key_strides, self.mlp_ratio, rate, **types, name=f"block_{i}")
            x, tokens = block(x, tokens, train)
        return x, tokens


def convolutional_transformer_names(ours: str, theirs: str, depth: int, class_token: bool) -> dict[str, str]:
    """Paths inside a `ConvolutionalTransformerStage` -> the module names of microsoft/CvT.

    Args:
      ours: path of the stage.
      theirs: the reference's name of it.
      depth: number of blocks.
      class_token: whether it has a learnt token.
    """
    names = {f"{ours}/embed": f"{theirs}.patch_embed.proj", f"{ours}/embed_norm": f"{theirs}.patch_embed.norm"}
    if class_token:
        names[f"{ours}.class_token"] = f"{theirs}.cls_token"
    parts = {"norm_0": "norm1", "norm_1": "norm2", "mlp_0": "mlp.fc1", "mlp_1": "mlp.fc2", "attention/project_out": "attn.proj"}
    for name in ("query", "key", "value"):
        letter = name[0]
        parts |= {
            f"attention/{name}_conv": f"attn.conv_proj_{letter}.conv",
            f"attention/{name}_norm": f"attn.conv_proj_{letter}.bn",
            f"attention/{name}": f"attn.proj_{letter}",
        }
    for i in range(depth):
        names |= {f"{ours}/block_{i}/{part}": f"{theirs}.blocks.{i}.{path}" for part, path in parts.items()}
    return names
