"""Which rows of the image every element of a traced network depends on, followed from operation to operation.

An element's extent is the first and the last row (or column) that it depends on, and beside them its own place: the row of the feature map
that it belongs to, whatever axes that map has been cut into. Extents are whole numbers, kept once for all channels where these agree, so
that following a network costs a moment however wide it is. A hull is never too small; it may be larger than what is truly depended on.
"""

from collections.abc import Iterable
from functools import reduce
from typing import Any

import numpy as np

FIRST, LAST, PLACE = range(3)
"""What the leading axis of an extent, (3, *sizes), holds; each size is that of the array's axis, or 1 where all along it are alike."""

Extent = np.ndarray

_NEVER = 1 << 28  # before a first row and, negative, after a last one: depends on nothing
_LARGEST = 2_000_000  # elements; beyond it what one axis has is taken for all along it


class Untraceable(Exception):
    """An operation that extents cannot be followed through; the message names it."""


def of_image(shape: tuple[int, ...], axis: int) -> Extent:
    """The extents of an image's own pixels along axis 1 (rows) or 2 (columns)."""
    sizes = [1] * len(shape)
    sizes[axis] = shape[axis]
    return np.broadcast_to(np.arange(shape[axis], dtype=np.int32).reshape(sizes), (3, *sizes)).copy()


def everything(shape: tuple[int, ...], length: int) -> Extent:
    """Extents of elements that all depend on all rows."""
    extent = np.zeros((3, *(1 for _ in shape)), np.int32)
    extent[LAST] = length - 1
    return extent


def joined(extents: list[Extent]) -> Extent:
    """Hull of extents of one shape, or that stretch to one."""
    return reduce(lambda a, b: np.stack([np.minimum(a[FIRST], b[FIRST]), np.maximum(a[LAST], b[LAST]), a[PLACE] + 0 * b[PLACE]]), extents)


def place_axes(extent: Extent) -> tuple[int, ...]:
    """The axes of the array along which the place differs."""
    place = extent[PLACE]
    return tuple(a for a in range(place.ndim) if place.shape[a] > 1 and (np.take(place, [0], a) != place).any())


def over_axes(extent: Extent, axes: tuple[int, ...]) -> Extent:
    """Hull over some axes, which stay with size 1."""
    axes = tuple(axis + 1 for axis in axes)
    if not axes:
        return extent
    first, last = extent[FIRST:LAST].min(axes, keepdims=True), extent[LAST:PLACE].max(axes, keepdims=True)
    return np.concatenate([first, last, extent[PLACE:].min(axes, keepdims=True)])


def windows(
    extent: Extent, axis: int, size: int, stride: int, padding: tuple[int, int], base_dilation: int = 1, window_dilation: int = 1
) -> Extent:
    """Hull of every window along an axis; between dilated elements and in the padding there is nothing."""
    count = extent.shape[axis + 1]
    if count == 1 or (size, stride, tuple(padding), base_dilation) == (1, 1, (0, 0), 1):
        return extent
    spread = (count - 1) * base_dilation + 1 + sum(padding)
    outputs = (spread - (size - 1) * window_dilation - 1) // stride + 1
    result = None
    for tap in range(size):
        source = np.arange(outputs) * stride + tap * window_dilation - padding[0]
        valid = (source % base_dilation == 0) & (source >= 0) & (source <= (count - 1) * base_dilation)
        taken = np.take(extent, np.clip(source // base_dilation, 0, count - 1), axis + 1)
        sizes = [1] * (extent.ndim - 1)
        sizes[axis] = outputs
        valid = valid.reshape(sizes)
        taken[FIRST], taken[LAST] = np.where(valid, taken[FIRST], _NEVER), np.where(valid, taken[LAST], -_NEVER)
        result = taken if result is None else joined([result, taken])
    return _numbered(result, extent, axis)


def take(extent: Extent, axis: int, indices: np.ndarray) -> Extent:
    """The elements at some places of an axis; -1 is nothing."""
    if extent.shape[axis + 1] == 1:
        return extent
    result = np.take(extent, np.maximum(indices, 0), axis + 1)
    sizes = [1] * (extent.ndim - 1)
    sizes[axis] = len(indices)
    nothing = (indices < 0).reshape(sizes)
    result[FIRST], result[LAST] = np.where(nothing, _NEVER, result[FIRST]), np.where(nothing, -_NEVER, result[LAST])
    return _numbered(result, extent, axis)


def _numbered(result: Extent, before: Extent, axis: int) -> Extent:
    """Places count anew along an axis that was the only one they differed along."""
    if place_axes(before) == (axis,):
        sizes = [1] * (result.ndim - 1)
        sizes[axis] = result.shape[axis + 1]
        result[PLACE] = np.arange(sizes[axis]).reshape(sizes)
    return result


def concatenate(extents: list[Extent | None], shapes: list[tuple[int, ...]], axis: int) -> Extent:
    """Arrays one after the other along an axis."""
    given = [extent for extent in extents if extent is not None]
    if all(e.shape == given[0].shape and e.shape[axis + 1] == 1 and (e == given[0]).all() for e in given):
        if len(given) == len(extents):
            return given[0]
        if len(place_axes(given[0])) > 0 and axis not in place_axes(given[0]):
            return given[0]  # beside it lies something that depends on nothing
    sizes = np.broadcast_shapes(*(tuple(1 if a == axis else n for a, n in enumerate(e.shape[1:])) for e in given))
    parts, places = [], set()
    for extent, shape in zip(extents, shapes, strict=True):
        wanted = (3, *(shape[axis] if a == axis else n for a, n in enumerate(sizes)))
        if extent is None:
            extent = over_axes(given[0], (axis,)).copy()  # at the same places
            extent[FIRST], extent[LAST] = _NEVER, -_NEVER
        else:
            places |= set(place_axes(extent))
        parts.append(np.broadcast_to(extent, wanted))
    result = np.concatenate(parts, axis + 1)
    if places == {axis}:
        numbers = [1] * (result.ndim - 1)
        numbers[axis] = result.shape[axis + 1]
        result[PLACE] = np.arange(numbers[axis]).reshape(numbers)
    return compressed(result, (axis,))


def reshape(extent: Extent, old: tuple[int, ...], new: tuple[int, ...]) -> Extent:
    """The same elements in reading order on other axes."""
    before, after = [1] * len(old), [1] * len(new)
    for old_axes, new_axes in _groups(old, new):
        if any(extent.shape[a + 1] > 1 for a in old_axes):
            for a in old_axes:
                before[a] = old[a]
            for a in new_axes:
                after[a] = new[a]
    return compressed(np.broadcast_to(extent, (3, *before)).reshape(3, *after))


def _groups(old: tuple[int, ...], new: tuple[int, ...]) -> list[tuple[list[int], list[int]]]:
    """The smallest groups of neighbouring axes that hold the same elements before and after."""
    groups, i, j = [], 0, 0
    while i < len(old) or j < len(new):
        left, right, sizes = [], [], [1, 1]
        while not left or not right or sizes[0] != sizes[1]:
            if (sizes[0] <= sizes[1] and i < len(old)) or j >= len(new):
                if i >= len(old):
                    break
                sizes[0] *= old[i]
                left.append(i)
                i += 1
            else:
                sizes[1] *= new[j]
                right.append(j)
                j += 1
        groups.append((left, right))
    return groups


def compressed(extent: Extent, axes: Iterable[int] | None = None) -> Extent:
    """The same with size 1 for those of the axes, or of all, along which all are alike."""
    for axis in range(extent.ndim - 1) if axes is None else axes:
        if extent.shape[axis + 1] > 1 and (np.take(extent, [0], axis + 1) == extent).all():
            extent = np.take(extent, [0], axis + 1)
    return extent


def dot_general(extents: list[Extent | None], ranks: list[int], dimensions: Any) -> Extent:
    """A product of two arrays, summed over some axes: (batch, free of the left, free of the right)."""
    (left_sum, right_sum), (left_batch, right_batch) = dimensions
    frees = [
        [a for a in range(rank) if a not in (*summed, *batch)]
        for rank, summed, batch in zip(ranks, (left_sum, right_sum), (left_batch, right_batch), strict=True)
    ]
    arranged = []
    for side, (extent, summed, batch) in enumerate(zip(extents, (left_sum, right_sum), (left_batch, right_batch), strict=True)):
        if extent is None:
            continue
        extent = over_axes(extent, tuple(summed))
        order = [*batch, *frees[side], *summed]
        sizes = extent.transpose(0, *(a + 1 for a in order)).shape[1 : 1 + len(batch) + len(frees[side])]
        other = [1] * len(frees[1 - side])
        sizes = [*sizes, *other] if side == 0 else [*sizes[: len(batch)], *other, *sizes[len(batch) :]]
        arranged.append(extent.transpose(0, *(a + 1 for a in order)).reshape(3, *sizes))
    if len(arranged) == 2 and np.prod(np.broadcast_shapes(*(e.shape for e in arranged))) > _LARGEST:
        start = len(left_batch) + len(frees[0])
        arranged[1] = over_axes(arranged[1], tuple(range(start, start + len(frees[1]))))
    return joined(arranged)
