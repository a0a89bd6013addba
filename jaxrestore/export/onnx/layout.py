"""Operations that move numbers without changing them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.export.onnx.elementwise import result
from jaxrestore.export.onnx.graph import Graph, Tensor, Value
from jaxrestore.export.onnx.protobuf import TYPES
from jaxrestore.typing import Side


def reshaped(graph: Graph, name: str, shape: Sequence[Side]) -> str:
    """A tensor in another shape; a single size that is not known is left to the runtime."""
    unknown = [axis for axis, side in enumerate(shape) if not isinstance(side, int)]
    if len(unknown) == 1 and 0 not in shape:
        return graph.one("Reshape", name, graph.ints([-1 if axis in unknown else side for axis, side in enumerate(shape)]))
    return graph.one("Reshape", name, graph.shape(shape))


def at(graph: Graph, value: Value, index: int) -> Value:
    """value[index]."""
    if not isinstance(value, Tensor):
        return np.asarray(np.asarray(value)[index])
    return Tensor(graph.one("Gather", graph.name(value), graph.constant(np.int64(index)), axis=0), value.shape[1:], value.dtype)


def stacked(graph: Graph, values: Sequence[Value]) -> Value:
    """Values of one shape along a new first axis."""
    first = values[0]
    if not any(isinstance(value, Tensor) for value in values):
        return np.stack(values)
    zero = graph.ints([0])
    name = graph.add("Concat", [graph.one("Unsqueeze", graph.name(value), zero) for value in values], axis=0)[0]
    return Tensor(name, (len(values), *first.shape), np.dtype(first.dtype))


def cut(graph: Graph, name: str, starts: Sequence[Side], ends: Sequence[Side], axes: Sequence[int], steps: Sequence[int]) -> str:
    """A part of a tensor."""
    if not axes:
        return name
    return graph.one("Slice", name, graph.shape(starts), graph.shape(ends), graph.ints(axes), graph.ints(steps))


def padded(graph: Graph, name: str, value: str, before: Sequence[Side], after: Sequence[Side]) -> str:
    """A tensor with a constant around it."""
    return graph.one("Pad", name, graph.shape([*before, *after]), value)


def _broadcast(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    shape, places = equation.params["shape"], equation.params["broadcast_dimensions"]
    value = inputs[0]
    sides: list[Side] = [1] * len(shape)
    for axis, side in zip(places, value.shape, strict=True):
        sides[axis] = side
    dtype = np.dtype(value.dtype)
    if not isinstance(value, Tensor):
        value = value.reshape([int(side) for side in sides])
        return [Tensor("", tuple(shape), dtype, graph.constant(value))]
    # Of a tensor that is narrow itself, only its own sides count.
    name = graph.name(value) if tuple(sides) != tuple(value.shape) else graph.narrow(value)
    if tuple(sides) != tuple(value.shape):
        added = [axis for axis in range(len(shape)) if axis not in places]
        name = graph.one("Unsqueeze", name, graph.ints(added))
    if all(_same(a, b) for a, b in zip(sides, shape, strict=True)):
        return [result(equation, name)]
    return [Tensor("", tuple(shape), dtype, name)]


def _same(a: Side, b: Side) -> bool:
    return bool(a == b)


def _reshape(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    return [result(equation, reshaped(graph, graph.name(inputs[0]), equation.outvars[0].aval.shape))]


def _squeeze(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    axes = graph.ints(equation.params["dimensions"])
    return [result(equation, graph.one("Squeeze", graph.name(inputs[0]), axes))]


def _transpose(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    return [result(equation, graph.one("Transpose", graph.name(inputs[0]), perm=equation.params["permutation"]))]


def _reverse(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    axes = equation.params["dimensions"]
    least = np.iinfo(np.int64).min + 1
    name = cut(graph, graph.name(inputs[0]), [-1] * len(axes), [least] * len(axes), axes, [-1] * len(axes))
    return [result(equation, name)]


def _concatenate(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    return [result(equation, graph.add("Concat", list(map(graph.name, inputs)), axis=equation.params["dimension"])[0])]


def _stack(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    axis = equation.params["axis"]
    names = [graph.one("Unsqueeze", graph.name(x), graph.ints([axis])) for x in inputs]
    return [result(equation, graph.add("Concat", names, axis=axis)[0])]


def _unstack(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    axis, count = equation.params["axis"], len(equation.outvars)
    names = graph.add("Split", [graph.name(inputs[0]), graph.ints([1] * count)], count, axis=axis)
    return [result(equation, graph.one("Squeeze", name, graph.ints([axis])), i) for i, name in enumerate(names)]


def _slice(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    starts, ends = equation.params["start_indices"], equation.params["limit_indices"]
    steps = equation.params["strides"] or [1] * len(starts)
    shape = inputs[0].shape
    axes = [a for a in range(len(shape)) if not (_same(starts[a], 0) and _same(ends[a], shape[a]) and steps[a] == 1)]
    name = cut(graph, graph.name(inputs[0]), *([row[a] for a in axes] for row in (starts, ends)), axes, [steps[a] for a in axes])
    return [result(equation, name)]


def _split(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    sizes, axis = equation.params["sizes"], equation.params["axis"]
    names = graph.add("Split", [graph.name(inputs[0]), graph.shape(sizes)], len(sizes), axis=axis)
    return [result(equation, name, i) for i, name in enumerate(names)]


def _pad(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    name, shape, widths = graph.name(inputs[0]), list(inputs[0].shape), equation.params["padding_config"]
    value = graph.name(inputs[1])
    for axis, (_, _, between) in enumerate(widths):
        if between:  # zeros between the numbers: a new axis beside this one, padded and merged, the last zeros cut off
            length = shape[axis]
            name = graph.one("Unsqueeze", name, graph.ints([axis + 1]))
            rank = len(shape) + 1
            name = padded(graph, name, value, [0] * rank, [between if a == axis + 1 else 0 for a in range(rank)])
            shape[axis] = length * (between + 1)
            name = graph.one("Reshape", name, graph.shape(shape))
            shape[axis] = shape[axis] - between
            name = cut(graph, name, [0], [shape[axis]], [axis], [1])
    crops = [
        (axis, -low if isinstance(low, int) and low < 0 else 0, high if isinstance(high, int) and high < 0 else 0)
        for axis, (low, high, _) in enumerate(widths)
    ]
    crops = [crop for crop in crops if crop[1] or crop[2]]
    if crops:
        axes = [axis for axis, _, _ in crops]
        name = cut(graph, name, [low for _, low, _ in crops], [shape[a] + high for a, _, high in crops], axes, [1] * len(axes))
    borders = [[max(width, 0) if isinstance(width, int) else width for width in row[:2]] for row in widths]
    if any(not _same(width, 0) for row in borders for width in row):
        name = padded(graph, name, value, [row[0] for row in borders], [row[1] for row in borders])
    return [result(equation, name)]


def _iota(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    shape, axis = equation.params["shape"], equation.params["dimension"]
    dtype = np.dtype(equation.params["dtype"])
    ends = graph.one("Squeeze", graph.size(shape[axis]))
    zero, one = graph.constant(np.int64(0)), graph.constant(np.int64(1))
    name = graph.one("Cast", graph.one("Range", zero, ends, one), to=TYPES[dtype])
    if len(shape) == 1:
        return [result(equation, name)]
    name = graph.one("Unsqueeze", name, graph.ints([a for a in range(len(shape)) if a != axis]))
    return [Tensor("", tuple(shape), dtype, name)]


def _dimension(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    dtype = np.dtype(equation.outvars[0].aval.dtype)
    name = graph.one("Squeeze", graph.size(equation.params["dim"]))
    return [result(equation, graph.one("Cast", name, to=TYPES[dtype]))]


def _dynamic_slice(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    sizes = equation.params["slice_sizes"]
    source, starts = inputs[0], inputs[1:]
    name = graph.name(source)
    for axis, (side, size, start) in enumerate(zip(source.shape, sizes, starts, strict=True)):
        if _same(side, size):
            continue
        place = graph.one("Cast", graph.name(start), to=TYPES[np.dtype(np.int64)])
        place = graph.one("Reshape", place, graph.ints([1]))
        place = graph.one("Max", graph.one("Min", place, graph.size(side - size)), graph.ints([0]))
        end = graph.one("Add", place, graph.size(size))
        name = graph.one("Slice", name, place, end, graph.ints([axis]))
    return [result(equation, name)]


def _gather(graph: Graph, equation: Any, inputs: Sequence[Value]) -> list[Value]:
    """One block at a place that is computed, or single rows or pixels at many places."""
    numbers, sizes = equation.params["dimension_numbers"], equation.params["slice_sizes"]
    source, indices = inputs
    axes, collapsed = tuple(numbers.start_index_map), tuple(numbers.collapsed_slice_dims)
    whole = all(_same(sizes[axis], source.shape[axis]) for axis in range(len(source.shape)) if axis not in axes)
    if not numbers.operand_batching_dims and len(indices.shape) == 1:
        return [result(equation, _block(graph, source, indices, axes, sizes, collapsed))]
    if numbers.operand_batching_dims or not whole or set(collapsed) != set(axes):
        raise InputError("ONNX export does not know JAX's operation 'gather' in this general form: export StableHLO")
    return [result(equation, _points(graph, equation, source, indices, axes))]


def _block(graph: Graph, source: Value, start: Value, axes: Sequence[int], sizes: Sequence[Side], collapsed: Sequence[int]) -> str:
    """The block of these sizes that starts at `start` along `axes` and, where it would reach beyond the end, ends there."""
    name = graph.name(source)
    cut_axes = [axis for axis in axes if not _same(source.shape[axis], sizes[axis])]
    for axis in cut_axes:
        if isinstance(start, Tensor):
            place = graph.one("Gather", graph.name(start), graph.ints([list(axes).index(axis)]), axis=0)
            place = graph.one("Cast", place, to=TYPES[np.dtype(np.int64)])
            place = graph.one("Max", graph.one("Min", place, graph.size(source.shape[axis] - sizes[axis])), graph.ints([0]))
            end = graph.one("Add", place, graph.size(sizes[axis]))
        else:  # JAX promises that a known place fits
            first = int(start[list(axes).index(axis)])
            place, end = graph.ints([first]), graph.size(first + sizes[axis])
        name = graph.one("Slice", name, place, end, graph.ints([axis]))
    return graph.one("Squeeze", name, graph.ints(collapsed)) if collapsed else name


def _points(graph: Graph, equation: Any, source: Value, indices: Value, axes: Sequence[int]) -> str:
    """Single places along some axes, everything along the others."""
    numbers = equation.params["dimension_numbers"]
    rest = [axis for axis in range(len(source.shape)) if axis not in axes]
    name = graph.one("Cast", graph.name(indices), to=TYPES[np.dtype(np.int64)])
    last = graph.shape([source.shape[axis] - 1 for axis in axes])
    name = graph.one("Min", graph.one("Max", name, graph.ints([0])), last)
    count = len(indices.shape) - 1
    if len(axes) == 1:
        name = graph.one("Gather", graph.name(source), graph.one("Squeeze", name, graph.ints([count])), axis=axes[0])
        before = rest.index(axes[0] + 1) if axes[0] + 1 in rest else len(rest)
    else:
        name = graph.one("GatherND", graph.one("Transpose", graph.name(source), perm=[*axes, *rest]), name)
        before = 0
    # ONNX puts the indices' sides where the axis was, or first; JAX says where they go.
    out = len(equation.outvars[0].aval.shape)
    offset = sorted(numbers.offset_dims)
    batch = [place for place in range(out) if place not in offset]
    found = [*(("offset", i) for i in range(before)), *(("batch", i) for i in range(count))]
    found += [("offset", i) for i in range(before, len(rest))]
    wanted = [("offset", offset.index(place)) if place in offset else ("batch", batch.index(place)) for place in range(out)]
    order = [found.index(entry) for entry in wanted]
    return name if order == list(range(out)) else graph.one("Transpose", name, perm=order)


HANDLERS: Mapping[str, Callable[[Graph, Any, Sequence[Value]], Sequence[Value]]] = {
    "broadcast_in_dim": _broadcast,
    "reshape": _reshape,
    "squeeze": _squeeze,
    "transpose": _transpose,
    "rev": _reverse,
    "concatenate": _concatenate,
    "stack": _stack,
    "unstack": _unstack,
    "slice": _slice,
    "split": _split,
    "pad": _pad,
    "iota": _iota,
    "dim_as_value": _dimension,
    "dynamic_slice": _dynamic_slice,
    "gather": _gather,
}
