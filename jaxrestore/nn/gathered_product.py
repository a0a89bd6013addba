"""Convolution as one product with the kernel as it lies in memory, for small maps of many channels.

Deep in an encoder the kernel is much larger than the image: its way from memory is what a convolution costs, and a routine that first
brings it into another order reads it twice. Here the windows of the image, which are few, are laid side by side instead.
"""

import math
from collections.abc import Sequence
from itertools import product

import jax
import jax.numpy as jnp
from jax import lax

from jaxrestore.ops.symbolic import is_symbolic
from jaxrestore.typing import ArrayLike, Side

_Shaped = ArrayLike | jax.ShapeDtypeStruct
# The kernel's way from memory counts from a megabyte on; windows cost little while they hold this share of the kernel's numbers, or
# correspondingly more where strides keep them from overlapping.
_LARGE, _SHARE = 2**18, 8


def has_few_windows(image: _Shaped, kernel: _Shaped, strides: Sequence[int], padding: Sequence[tuple[Side, Side]]) -> bool:
    """Whether `gathered_product` is, on the CPU, the faster way to compute a convolution.

    Args:
      image: (N, sides..., C).
      kernel: (sides..., C, out).
      strides: step between windows, one for each side.
      padding: zeros added (before, after) each side.
    """
    if is_symbolic(*image.shape) or math.prod(kernel.shape) < _LARGE or math.prod(kernel.shape[:-2]) == 1:
        return False
    sides = zip(image.shape[1:-1], kernel.shape[:-2], strides, padding, strict=True)
    windows = image.shape[0] * math.prod((side + sum(p) - k) // s + 1 for side, k, s, p in sides)
    return 0 < _SHARE * windows <= kernel.shape[-1] * math.prod(strides)


def gathered_product(image: ArrayLike, kernel: ArrayLike, strides: Sequence[int], padding: Sequence[tuple[int, int]]) -> jax.Array:
    """A convolution of images or videos.

    Args:
      image: (N, sides..., C).
      kernel: (sides..., C, out).
      strides: step between windows, one for each side.
      padding: zeros added (before, after) each side; negative numbers crop.

    Returns:
      (N, sides'..., out).
    """
    x, kernel = jnp.asarray(image), jnp.asarray(kernel)
    x = lax.pad(x, jnp.zeros((), x.dtype), ((0, 0, 0), *((*border, 0) for border in padding), (0, 0, 0)))
    taps = kernel.shape[:-2]
    ends = [(side - k) // s * s + 1 for side, k, s in zip(x.shape[1:-1], taps, strides, strict=True)]
    parts = [
        lax.slice(x, (0, *first, 0), (len(x), *(f + end for f, end in zip(first, ends, strict=True)), x.shape[-1]), (1, *strides, 1))
        for first in product(*map(range, taps))
    ]
    return jnp.dot(jnp.concatenate(parts, -1), kernel.reshape(-1, kernel.shape[-1]))
