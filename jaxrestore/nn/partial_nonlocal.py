"""Partial non-local attention: damaged places become a mean of undamaged ones."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import FanUniform, Normal
from jaxrestore.nn.reflected_block import ReflectedBlock
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.typing import ArrayLike, DType, Image

_LEAST = 1e-12


class PartialNonLocal(nn.Module):
    """Where a place is damaged, residual blocks of W(weights g(x)), elsewhere x itself; damaged places have no weight.

    Attributes:
      renormalise: the weights of the undamaged places sum to one; otherwise they keep what the softmax over all places gave them.
      temperature: scores are divided by it.
      sees_itself: every place counts as undamaged for itself.
      cosine: scores are cosines instead of products.
      depth: residual blocks behind the attention.
      dtype: computation type; the weights are always float32.
      param_dtype: type of the parameters.

    Takes (N, h, w, C) and a mask (N, H, W, 1), true where the image is damaged, gives (N, h, w, C). Time and memory grow with the square of
    h * w.

    Reference: Wan et al., "Bringing Old Photos Back to Life", CVPR 2020, section 3.3.
    """

    renormalise: bool = True
    temperature: float = 1.0
    sees_itself: bool = False
    cosine: bool = False
    depth: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, x: Image, damaged: ArrayLike) -> jax.Array:
        """Attend where it is damaged."""
        batch, height, width, channels = x.shape
        known = undamaged(damaged, (height, width))
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, channels, 1, kernel_init=Normal(0.02), bias_init=FanUniform(), **types)
        query, key, value = (conv(name=name)(x).reshape(batch, -1, channels) for name in ("theta", "phi", "g"))
        if self.cosine:
            query, key = (x / jnp.maximum(jnp.linalg.norm(x, axis=-1, keepdims=True), _LEAST) for x in (query, key))
        scores = jnp.einsum("nqc,nkc->nqk", query, key, preferred_element_type=jnp.float32) / self.temperature
        seen = known.reshape(batch, 1, -1)
        if self.sees_itself:
            seen = jnp.maximum(seen, jnp.eye(height * width)[None])
        weights = jax.nn.softmax(scores, axis=-1) * seen
        if self.renormalise:
            weights = weights / jnp.maximum(jnp.sum(weights, -1, keepdims=True), _LEAST)
        y = conv(name="W")(jnp.einsum("nqk,nkc->nqc", weights.astype(value.dtype), value).reshape(x.shape))
        for i in range(self.depth):
            y = ReflectedBlock(channels, **types, name=f"block_{i}")(y)
        return jnp.where(known > 0, x, y.astype(x.dtype))


def undamaged(damaged: ArrayLike, size: tuple[int, int]) -> jax.Array:
    """Places of a smaller map whose pixels are all undamaged, as far as two samplings of the mask see them: (N, *size, 1), 1 or 0."""
    mask = jnp.asarray(damaged, jnp.float32)
    untouched = interpolate(mask, size=size, method="bilinear") == 0
    return untouched * (1.0 - interpolate(mask, size=size, method="nearest"))
