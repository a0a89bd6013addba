"""Contextual attention: a hole's features become a weighted mean of the known features that look like them."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Shaped

from jaxrestore.errors import InputError
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.typing import Image

# Patches are compared on every second pixel and pasted at full resolution, so that a pasted pixel is the mean of four patches.
_RATE = 2
_LEAST_LENGTH = 1e-4


def contextual_attention(features: Image, missing: Shaped[Array | np.ndarray, "... _ _ 1"], scale: float = 10.0) -> jax.Array:
    """Paste patches of the known region, weighted by their likeness to what stands at a place.

    Likeness is the product of 3x3 patches of every second pixel, of which the pasted one is brought to length one, summed over three
    neighbours along the rows and then along the columns: neighbours shall come from neighbours. A patch with a missing pixel is not pasted.

    Args:
      features: (N, H, W, C), H and W even.
      missing: (N, H, W, 1), true where content is missing.
      scale: factor on the likeness before the softmax.

    Returns:
      (N, H, W, C) in the features' dtype. Time and memory grow with the square of the number of pixels; the weights are float32.

    Raises:
      InputError: an odd side, or a mask of another size.

    Reference: Yu, Lin, Yang, Shen, Lu and Huang, "Generative Image Inpainting with Contextual Attention", CVPR 2018, section 4.1, with the
      arithmetic of the code published with "Free-Form Image Inpainting with Gated Convolution", ICCV 2019.
    """
    count, height, width, channels = features.shape
    if height % _RATE or width % _RATE:
        raise InputError(f"features of {height}x{width}: contextual attention needs even sides")
    if missing.shape != (count, height, width, 1):
        raise InputError(f"missing has the shape {missing.shape}: it must be {(count, height, width, 1)}")
    features, missing = jnp.asarray(features), jnp.asarray(missing)
    rows, columns = height // _RATE, width // _RATE
    few = interpolate(features, size=(rows, columns), method="nearest", align_corners=True)
    hole = interpolate(missing.astype(jnp.float32), size=(rows, columns), method="nearest", align_corners=True)
    known = (_window_sum(hole) == 0).swapaxes(1, 2).reshape(count, 1, -1)

    weights = _likeness(few)  # pixels column by column on both sides
    weights = jax.nn.softmax(scale * weights * known, axis=-1) * known
    weights = weights.reshape(count, columns, rows, columns, rows)

    # A 4x4 patch begins at every second pixel: of the four that cover a pixel, those that come from it and its neighbours all paste the
    # same pixel, so their weights are added first and every pixel is pasted once.
    phases = features.reshape(count, rows, _RATE, columns, _RATE, channels).transpose(2, 4, 0, 3, 1, 5)
    pasted = [[_product(_with_neighbour(_with_neighbour(weights, 2, i), 1, j), phases[i, j]) for j in range(_RATE)] for i in range(_RATE)]
    result = jnp.stack([jnp.stack(row) for row in pasted]) / _RATE**2
    result = result.reshape(_RATE, _RATE, count, columns, rows, channels).transpose(2, 4, 0, 3, 1, 5)
    return result.reshape(features.shape).astype(features.dtype)


def _likeness(image: jax.Array) -> jax.Array:
    """(N, P, P): how much each 3x3 patch is like each other, both numbered column by column."""
    count, rows, columns, channels = image.shape
    pixels = image.reshape(count, rows * columns, channels)
    products = jnp.einsum("npc,nqc->npq", pixels, pixels, preferred_element_type=jnp.float32)
    # A patch's product with another is the sum of its pixels' products: far less work than a product of patches.
    products = products.reshape(count, rows, columns, rows, columns)
    products = _along_diagonal(_along_diagonal(products, 2, 4), 1, 3)
    squared = _window_sum(jnp.sum(jnp.square(image.astype(jnp.float32)), axis=-1, keepdims=True))
    lengths = jnp.sqrt(jnp.maximum(squared, _LEAST_LENGTH**2)).reshape(count, 1, 1, rows, columns)
    products = (products / lengths).reshape(count, rows * columns, rows * columns)
    products = _along_diagonal(products, 1, 2).reshape(count, rows, columns, rows, columns)
    products = products.transpose(0, 2, 1, 4, 3).reshape(count, rows * columns, rows * columns)
    return _along_diagonal(products, 1, 2)


def _along_diagonal(x: jax.Array, first: int, second: int) -> jax.Array:
    """Each element plus its two neighbours along the diagonal of two axes, zero outside."""
    return x + _moved(x, (first, second), 1) + _moved(x, (first, second), -1)


def _with_neighbour(weights: jax.Array, axis: int, phase: int) -> jax.Array:
    """Weights of the patches that cover a pixel of this phase: the patch that begins before it, and a neighbour, which begins elsewhere."""
    return weights + _moved(weights, (axis, axis + 2), 1 if phase == 0 else -1)


def _moved(x: jax.Array, axes: tuple[int, int], step: int) -> jax.Array:
    """Shift by one along each of the axes, zeros moving in."""
    borders = [(max(step, 0), max(-step, 0), 0) if axis in axes else (0, 0, 0) for axis in range(x.ndim)]
    inside = tuple(slice(max(-step, 0), x.shape[a] + max(-step, 0)) if a in axes else slice(None) for a in range(x.ndim))
    return jax.lax.pad(x, jnp.zeros((), x.dtype), borders)[inside]


def _product(weights: jax.Array, pixels: jax.Array) -> jax.Array:
    count, columns, rows, _, channels = (*weights.shape[:4], pixels.shape[-1])
    flat = weights.reshape(count, columns * rows, columns * rows)
    return jnp.einsum(
        "npq,nqc->npc", flat, pixels.reshape(count, columns * rows, channels).astype(jnp.float32), preferred_element_type=jnp.float32
    )


def _window_sum(image: jax.Array) -> jax.Array:
    """Sum of each 3x3 window, zero outside."""
    return jax.lax.reduce_window(image, 0.0, jax.lax.add, (1, 3, 3, 1), (1, 1, 1, 1), "SAME")
