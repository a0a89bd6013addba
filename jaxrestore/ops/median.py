"""The median filter, exact for windows of any odd sides.

Small windows are a selection network: minima and maxima of whole shifted images, no branches. The columns of a window are sorted once and
shared by all windows that contain them, then each window's rows; what can no longer be the median is left out, and a pruned sorting network
picks it from the rest. Larger windows find the median bit by bit: how many values of the window lie below a number, once for each bit.
"""

from collections.abc import Iterable, Iterator
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.ops.padding import pad
from jaxrestore.typing import Image

# Pixels of a window from which on counting is faster than the network, on a CPU.
_LARGEST_NETWORK = 25


def median_filter(image: Image, size: int | tuple[int, int] = 3, padding: str = "symmetric") -> Float[Array, "... _ _ _"]:
    """The median of the window around every pixel, channel by channel.

    Args:
      image: (..., H, W, C), any range, no NaN.
      size: side of the window in pixels, or (rows, columns); odd.
      padding: how the image goes on beyond its border, a mode of `ops.padding.pad`; "symmetric" is SciPy's "reflect".

    Returns:
      (..., H, W, C), each value one of its window's. The derivative is that of this pixel; of several equal ones it is their mean.

    Raises:
      InputError: a side that is even or not positive, or an unknown padding.

    Reference: Tukey, "Exploratory Data Analysis", 1977, chapter 7; Adams, "Fast Median Filters using Separable Sorting Networks",
      SIGGRAPH 2021, for the columns that windows share.
    """
    rows, columns = (size, size) if isinstance(size, int) else size
    if min(rows, columns) < 1 or not rows % 2 or not columns % 2:
        raise InputError(f"size is {rows}x{columns}: a median filter's window has odd sides")
    return _median_filter(image, rows, columns, padding)


@partial(jax.jit, static_argnums=(1, 2, 3))
def _median_filter(image: jax.Array, rows: int, columns: int, padding: str) -> jax.Array:
    padded = pad(jnp.asarray(image, jnp.promote_types(image.dtype, jnp.float32)), (rows // 2,) * 2, (columns // 2,) * 2, padding)
    return _median(padded, rows, columns).astype(image.dtype)


@partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def _median(padded: jax.Array, rows: int, columns: int) -> jax.Array:
    return (_by_network if rows * columns <= _LARGEST_NETWORK else _by_counting)(padded, rows, columns)


@_median.defjvp
def _derivative(rows: int, columns: int, primals: tuple, tangents: tuple) -> tuple[jax.Array, jax.Array]:
    median = _median(primals[0], rows, columns)
    chosen = [(value == median).astype(median.dtype) for value in _window(primals[0], rows, columns)]
    moved = sum(one * tangent for one, tangent in zip(chosen, _window(tangents[0], rows, columns), strict=True))
    return median, moved / sum(chosen)


def _window(padded: jax.Array, rows: int, columns: int) -> Iterator[jax.Array]:
    """The values at each place of the window, as images."""
    height, width = padded.shape[-3] - rows + 1, padded.shape[-2] - columns + 1
    return (padded[..., i : i + height, j : j + width, :] for i in range(rows) for j in range(columns))


def _by_counting(padded: jax.Array, rows: int, columns: int) -> jax.Array:
    integer, bits = (jnp.int64, 64) if padded.dtype == jnp.float64 else (jnp.int32, 32)
    magnitude = jnp.iinfo(integer).max
    # As integers, floating point numbers are in order once the negative ones' bits are turned.
    raw = jax.lax.bitcast_convert_type(padded, integer)
    ordered = jnp.where(raw < 0, raw ^ magnitude, raw)

    def next_bit(step: jax.Array, found: jax.Array) -> jax.Array:
        candidate = found + jnp.left_shift(jnp.ones((), integer), (bits - 1 - step).astype(integer))
        # One sum of slices, cut here: a loop over rows would not become vector instructions, slices cut outside would be copied.
        below = sum((value < candidate).astype(jnp.int32) for value in _window(ordered, rows, columns))
        return jnp.where(below <= rows * columns // 2, candidate, found)

    least = jnp.full_like(next(_window(ordered, rows, columns)), jnp.iinfo(integer).min)
    found = jax.lax.fori_loop(0, bits, next_bit, least)
    return jax.lax.bitcast_convert_type(jnp.where(found < 0, found ^ magnitude, found), padded.dtype)


def _by_network(padded: jax.Array, rows: int, columns: int) -> jax.Array:
    height, width = padded.shape[-3] - rows + 1, padded.shape[-2] - columns + 1
    ranked = _select([padded[..., i : i + height, :, :] for i in range(rows)], range(rows))
    # lines[i][j]: the j-th smallest of the i-th values of the window's sorted columns; sorting rows leaves the columns sorted.
    lines = [_select([ranked[i][..., j : j + width, :] for j in range(columns)], _candidates(i, rows, columns)) for i in range(rows)]
    rest = [line[j] for i, line in enumerate(lines) for j in _candidates(i, rows, columns)]
    # As many are known to lie below the median as above it: it is the median of the rest.
    middle = len(rest) // 2
    return _select(rest, [middle])[middle]


def _candidates(row: int, rows: int, columns: int) -> list[int]:
    """Places in a row of values, sorted along rows and columns, that may hold the median of all."""
    half = rows * columns // 2 + 1
    return [j for j in range(columns) if (row + 1) * (j + 1) <= half and (rows - row) * (columns - j) <= half]


def _select(values: list[jax.Array], ranks: Iterable[int]) -> list[jax.Array | None]:
    """Sort as far as it takes to have the right values at the wanted ranks; the others may be missing."""
    steps, needed = [], set(ranks)
    for low, high in reversed(_merge_exchange(len(values))):
        if needed & {low, high}:
            steps.append((low, high, low in needed, high in needed))
            needed |= {low, high}
    values = list(values)
    for low, high, keep_low, keep_high in reversed(steps):
        a, b = values[low], values[high]
        values[low], values[high] = jnp.minimum(a, b) if keep_low else None, jnp.maximum(a, b) if keep_high else None
    return values


def _merge_exchange(count: int) -> list[tuple[int, int]]:
    """Batcher's sorting network for any number of values (Knuth, The Art of Computer Programming 3, section 5.2.2, algorithm M)."""
    comparisons = []
    top = 1 << max((count - 1).bit_length() - 1, 0)
    p = top
    while p:
        q, r, d = top, 0, p
        while True:
            comparisons += [(i, i + d) for i in range(count - d) if i & p == r]
            if q == p:
                break
            q, r, d = q // 2, p, q - p
        p //= 2
    return comparisons
