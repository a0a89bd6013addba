"""Swin transformer blocks: attention inside windows, which every second block shifts."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.nn.initialise import Normal, parameter
from jaxrestore.nn.linear import Linear
from jaxrestore.nn.norm import LayerNorm
from jaxrestore.ops.windows import cyclic_shift, merge_windows, partition_windows, shift_mask
from jaxrestore.typing import DType, Image

_narrow = Normal(0.02)
_FORBIDDEN = -100.0  # what the reference adds to the scores of pixels that may not see each other


class WindowAttention(nn.Module):
    """Multi-head self-attention among the pixels of each window, with a learnt bias for each relative position.

    Attributes:
      heads: number of heads.
      window: side of the windows, in pixels.
      shift: pixels by which the windows are shifted, 0 for none.
      dtype: computation type; the weights are always float32.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, C), H and W multiples of the window.

    Reference: Liu et al., "Swin Transformer", ICCV 2021, section 3.2.
    """

    heads: int
    window: int = 8
    shift: int = 0
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Attend."""
        batch, height, width, channels = image.shape
        linear = partial(Linear, kernel_init=_narrow, dtype=self.dtype, param_dtype=self.param_dtype)
        size, tokens, depth = self.window, self.window**2, channels // self.heads
        x = cyclic_shift(image, self.shift) if self.shift else image
        x = partition_windows(linear(3 * channels, name="qkv")(x), size)
        query, key, value = jnp.moveaxis(x.reshape(batch, -1, tokens, 3, self.heads, depth), 3, 0)
        scores = jnp.einsum("nwqhd,nwkhd->nwhqk", query * depth**-0.5, key, preferred_element_type=jnp.float32)
        scores = scores + self._position_bias()[None, None]
        if self.shift:
            allowed = shift_mask(height, width, size, self.shift)
            where = np.where if isinstance(allowed, np.ndarray) else jnp.where
            scores = scores + where(allowed, 0.0, _FORBIDDEN).astype(np.float32)[None, :, None]
        weights = jax.nn.softmax(scores, -1).astype(value.dtype)
        x = jnp.einsum("nwhqk,nwkhd->nwqhd", weights, value).reshape(batch, -1, size, size, channels)
        x = linear(channels, name="proj")(merge_windows(x, (height, width)))
        return cyclic_shift(x, -self.shift) if self.shift else x

    def _position_bias(self) -> jax.Array:
        """(heads, tokens, tokens): one number for each difference of two positions in a window."""
        span = 2 * self.window - 1
        table = parameter(self, "position_bias", _narrow, (span**2, self.heads), self.param_dtype)
        place = np.indices((self.window, self.window)).reshape(2, -1)
        rows, columns = place[:, :, None] - place[:, None, :] + self.window - 1
        return jnp.moveaxis(jnp.asarray(table, jnp.float32)[rows * span + columns], -1, 0)


class SwinBlock(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)).

    Attributes:
      heads: as for `WindowAttention`.
      window: as for `WindowAttention`.
      shift: as for `WindowAttention`.
      mlp_ratio: hidden channels of the multilayer perceptron / channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, C), H and W multiples of the window.

    Reference: Liu et al., "Swin Transformer", ICCV 2021, equation 3.
    """

    heads: int
    window: int = 8
    shift: int = 0
    mlp_ratio: float = 2.0
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Refine."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        channels = image.shape[-1]
        attention = WindowAttention(self.heads, self.window, self.shift, **types, name="attention")
        x = image + attention(LayerNorm(**types, name="norm_0")(image)).astype(image.dtype)
        linear = partial(Linear, kernel_init=_narrow, **types)
        hidden = linear(int(channels * self.mlp_ratio), name="mlp_0")(LayerNorm(**types, name="norm_1")(x))
        return x + linear(channels, name="mlp_1")(nn.gelu(hidden, approximate=False)).astype(x.dtype)
