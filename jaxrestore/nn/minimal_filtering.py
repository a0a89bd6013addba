"""Convolution by Winograd's minimal filtering, along the rows of the image: four rows of the result for six products instead of twelve.

With a kernel of three rows, four rows of the result depend on six rows of the image. Six sums of those rows, each convolved with a sum of
the kernel's rows, hold them all; sums of the results give them back. Along the columns the convolutions stay as they are: that halves the
arithmetic, costs 1.4 times the rounding error of the direct sum and half of the images once more as memory, where filtering along both axes
would cost three times the error, and on this processor more time for moving than it saves.

Reference: Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016; the matrices after Toom and Cook.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxrestore.nn.conv_window import Window, pad, plain
from jaxrestore.ops.symbolic import is_symbolic

_Shaped = jax.Array | jax.ShapeDtypeStruct
# Rows of the kernel -> rows of the result that are computed together. All take six products, and so the same points.
_TOGETHER = {3: 4, 4: 3, 5: 2}
# Where the polynomials are evaluated; infinity is the sixth point. Of the small fractions, those with the least rounding error.
_POINTS = (Fraction(0), Fraction(3, 4), Fraction(-3, 4), Fraction(3, 2), Fraction(-3, 2))
# On the CPU this is the faster way from so many products on, which repay compiling the sums (0.1 s) in some fifty calls; where so many
# products fall on every number that is moved; for kernels that are small beside the image; and while the sums stay out of slow memory.
_WORTHWHILE, _DENSE, _PIXELS, _BYTES = 2.5e8, 64, 4, 100 * 2**20


_once: ContextVar[bool] = ContextVar("once", default=False)


@contextmanager
def compiled_for_one_call() -> Iterator[None]:
    """What is traced in here is computed once or twice: nothing is worth a longer compilation."""
    token = _once.set(True)
    try:
        yield
    finally:
        _once.reset(token)


def is_for_one_call() -> bool:
    """Whether this is inside `compiled_for_one_call`."""
    return _once.get()


def is_faster(image: _Shaped, kernel: _Shaped, window: Window) -> bool:
    """Whether `filter_by_rows` can compute a convolution, and on the CPU is the faster way."""
    simple = window.strides == window.dilation == (1, 1) and window.groups == 1
    if is_for_one_call() or not simple or kernel.shape[0] not in _TOGETHER or image.dtype != jnp.float32 or is_symbolic(*image.shape):
        return False
    sides = zip(image.shape[1:3], window.padding, kernel.shape[:2], strict=True)
    pixels = image.shape[0] * math.prod(side + sum(p) - k + 1 for side, p, k in sides)
    (channels, features), together = kernel.shape[2:], _TOGETHER[kernel.shape[0]]
    moved = 4 * pixels * max(channels, features) * (len(_POINTS) + 1) / together
    return (
        pixels * math.prod(kernel.shape) >= _WORTHWHILE
        and channels * features * together >= _DENSE * (channels + features)
        and pixels >= _PIXELS * max(channels, features)
        and moved <= _BYTES
    )


def filter_by_rows(image: jax.Array, kernel: jax.Array, window: Window) -> jax.Array:
    """A convolution with unit strides and no dilation, whose kernel has three to five rows.

    Args:
      image: (N, H, W, C).
      kernel: (3 to 5, width, C, out).
      window: its padding.

    Returns:
      (N, H', W', out).
    """
    rows, columns, channels, features = kernel.shape
    together = _TOGETHER[rows]
    to_result, to_kernels, to_images = matrices(together, rows)
    count = image.shape[0]
    (top, bottom), (left, right) = window.padding
    height, width = image.shape[1] + top + bottom - rows + 1, image.shape[2] + left + right
    groups = -(-height // together)
    image = pad(image, ((top, bottom + groups * together - height), (left, right)))
    shifted = [lax.slice_in_dim(image, i, i + (groups - 1) * together + 1, together, axis=1) for i in range(together + rows - 1)]
    kernels = [_weighted_sum(weights, list(kernel[:, None])) for weights in to_kernels]
    # All rows one behind the other: the compiler's routine divides columns among the cores, and rows among none. Where one row meets the
    # next, the last columns - 1 results are nobody's, and are dropped below.
    line = Window(padding=((0, 0), (0, columns - 1)))
    products = [
        plain(_weighted_sum(weights, shifted).reshape(1, 1, count * groups * width, channels), part, line)
        for weights, part in zip(to_images, kernels, strict=True)
    ]
    products = [product.reshape(count, groups, width, features)[:, :, : width - columns + 1] for product in products]
    result = jnp.stack([_weighted_sum(weights, products) for weights in to_result], axis=2)
    return result.reshape(count, groups * together, width - columns + 1, features)[:, :height]


def _weighted_sum(weights: np.ndarray, images: list[jax.Array]) -> jax.Array:
    terms = [image if weight == 1 else image * weight.astype(image.dtype) for weight, image in zip(weights, images, strict=True) if weight]
    return sum(terms[1:], terms[0])


@cache
def matrices(together: int, taps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What gives, of sums y = to_result @ ((to_kernels @ k) * (to_images @ x)), the filtered y[i] = sum over j of k[j] * x[i + j].

    Args:
      together: number of results.
      taps: length of the kernel; results and taps together are one more than there are products.

    Returns:
      to_result (together, products), to_kernels (products, taps), to_images (products, products); exact but for their last rounding.
    """
    others = [[o for o in _POINTS if o != p] for p in _POINTS]
    norms = [math.prod(p - o for o in rest) for p, rest in zip(_POINTS, others, strict=True)]
    to_result = [[*(p**i for p in _POINTS), int(i == together - 1)] for i in range(together)]
    to_kernels = [[p**j / norm for j in range(taps)] for p, norm in zip(_POINTS, norms, strict=True)]
    to_kernels.append([int(j == taps - 1) for j in range(taps)])
    to_images = [[*_with_roots(rest), 0] for rest in others] + [_with_roots(_POINTS)]
    a, b, c = (np.array([[float(x) for x in row] for row in matrix]) for matrix in (to_result, to_kernels, to_images))
    return a, b, c


def _with_roots(roots: list[Fraction] | tuple[Fraction, ...]) -> list[Fraction]:
    """Coefficients of the polynomial with these roots, the constant one first."""
    coefficients = [Fraction(1)]
    for root in roots:
        shifted = [Fraction(0), *coefficients]
        coefficients = [s - root * c for s, c in zip(shifted, [*coefficients, Fraction(0)], strict=True)]
    return coefficients
