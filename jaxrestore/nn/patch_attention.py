"""Patch attention: damaged patches of a map are replaced by the undamaged ones that look most like them."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import FanUniform, Normal
from jaxrestore.nn.reflected_block import ReflectedBlock
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.ops.symbolic import is_symbolic
from jaxrestore.ops.windows import merge_windows, partition_windows
from jaxrestore.typing import ArrayLike, DType, Image

_DAMAGED_SHARE = 0.6  # a patch is damaged if more of it is
_LEAST_LENGTH = 1e-12
_AT_ONCE = 2048  # patches that are compared with all others at a time


class PatchAttention(nn.Module):
    """A residual block; its damaged patches are replaced; and a convolution of input, result and mask.

    Attributes:
      patch: side of the patches, in pixels of the map.
      dtype: computation type; likeness is always float32.
      param_dtype: type of the parameters.

    Takes (N, h, w, C) and a mask (N, H, W, 1), true where the image is damaged, gives (N, h, w, C). Time grows with the square of the
    number of patches, memory with the number itself where there are more than 2048.

    Reference: `Patch_Attention_4` of microsoft/Bringing-Old-Photos-Back-to-Life, the form for large photos of what Wan et al., CVPR 2020,
      section 3.3, describe.
    """

    patch: int
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, x: Image, damaged: ArrayLike) -> jax.Array:
        """Replace what is damaged."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        refined = ReflectedBlock(x.shape[-1], **types, name="block")(x)
        mask = touched(damaged, x.shape[1:3])
        parts = x, replace_patches(refined, mask, self.patch), mask.astype(x.dtype)
        combine = Conv(x.shape[-1], kernel_init=Normal(0.02), bias_init=FanUniform(), **types, name="combine")
        return combine(jnp.concatenate(parts, -1)).astype(x.dtype)


def touched(damaged: ArrayLike, size: tuple[int, int]) -> jax.Array:
    """Places of a smaller map where a linear sampling of the mask sees anything damaged: (N, *size, 1), 1 or 0."""
    return (interpolate(jnp.asarray(damaged, jnp.float32), size=size, method="bilinear") > 0).astype(jnp.float32)


def replace_patches(features: Image, mask: Image, size: int) -> jax.Array:
    """Every patch of which more than 0.6 is damaged becomes the undamaged one whose direction is nearest to its own.

    Args:
      features: (N, h, w, C); sides that are no multiples of `size` are continued by reflection.
      mask: (N, h, w, 1), 1 where damaged, else 0.
      size: side of the patches, which do not overlap.

    Returns:
      (N, h, w, C); the features as they are where no patch is undamaged.
    """
    padded = pad_to_multiple(features, size)
    windows = partition_windows(padded, size)
    flat = windows.reshape(*windows.shape[:2], -1)
    damaged = jnp.mean(partition_windows(pad_to_multiple(mask, size), size), (2, 3, 4)) > _DAMAGED_SHARE
    own = jnp.arange(flat.shape[1])
    source = jnp.where(damaged & ~jnp.all(damaged, 1, keepdims=True), jax.vmap(_nearest)(flat, damaged), own)
    replaced = jnp.take_along_axis(flat, source[..., None], 1).reshape(windows.shape)
    return crop(merge_windows(replaced, padded.shape[1:3]), features.shape[1:3])


def _nearest(patches: jax.Array, damaged: jax.Array) -> jax.Array:
    """For each of the patches (P, D) the number of the undamaged one with the largest cosine."""
    patches = jax.lax.stop_gradient(patches.astype(jnp.float32))
    directions = patches / jnp.maximum(jnp.linalg.norm(patches, axis=-1, keepdims=True), _LEAST_LENGTH)

    def nearest(some: jax.Array) -> jax.Array:
        return jnp.argmax(jnp.where(damaged, -jnp.inf, some @ directions.T), -1)

    if is_symbolic(patches.shape[0]) or patches.shape[0] <= _AT_ONCE:
        return nearest(directions)
    return jax.lax.map(lambda one: nearest(one[None])[0], directions, batch_size=_AT_ONCE)
