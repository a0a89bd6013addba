"""What makes a network's receptive field the whole image, found in the traced network.

Two traces of one network for images of different sizes tell which axes of which values follow the image: those whose length differs. An
operation that takes such axes in and gives none out looks at the whole image. If it is a sum, a maximum or a minimum, it is a
`Statistic`: what is left of the network once all statistics are known may well be local. Otherwise it is an `Obstacle`, and so is an
operation that joins all pixels with all, or whatever depends on where in the image a pixel lies.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from jaxrestore.inference.extent import PLACE, Extent, Untraceable, place_axes
from jaxrestore.inference.following import ELEMENTWISE, REDUCTIONS, WHOLE_AXIS, Constants, Follower
from jaxrestore.inference.program import Literal, Operation, Program

_STATISTICS = {"reduce_sum": "sum", "reduce_max": "max", "reduce_min": "min", "dot_general": "sum"}
_UNFOLLOWED = frozenset(("fft", "scan", "while", "top_k", "scatter", "scatter-add", "dynamic_update_slice", "approx_top_k"))
_TOLERANCE = 1e-5
_TIED = "resampling or positions tied to the image's size"
POOLING, PRODUCTS = "global pooling", "products of channels over all pixels (transposed attention, covariance)"


@dataclass(frozen=True)
class Statistic:
    """An operation that sums, or takes the extreme of, something over all pixels.

    Attributes:
      operation: its place in the program.
      kind: "sum", "max" or "min".
      level: how many statistics it needs before it can be computed, one after the other; 0 for none.
      what: what it is for, in the field's words.
      place: the module that it belongs to.
    """

    operation: int
    kind: str
    level: int
    what: str
    place: str


@dataclass(frozen=True)
class Obstacle:
    """An operation for which only the whole image will do.

    Attributes:
      operation: its place in the program.
      what: what it is, in the field's words.
      place: the module that it belongs to.
    """

    operation: int
    what: str
    place: str


@dataclass(frozen=True)
class Globality:
    """What looks at the whole image in a program, and how far each value waits for it.

    Attributes:
      statistics: in the order of the program.
      obstacles: in the order of the program.
      levels: of each value: the number of statistics, one after the other, that it needs; missing where it does not depend on the image.
    """

    statistics: tuple[Statistic, ...]
    obstacles: tuple[Obstacle, ...]
    levels: dict[int, int]

    @property
    def passes(self) -> int:
        """Statistics one after the other."""
        return 1 + max((s.level for s in self.statistics), default=-1)


def check_alike(program: Program, other: Program) -> None:
    """Compare two traces of one network.

    Raises:
      Untraceable: they differ in more than the sizes of arrays.
    """

    def form(p: Program) -> list[tuple]:
        return [(o.name, tuple(None if isinstance(v, Literal) else v for v in o.inputs), o.outputs) for o in p.operations]

    if form(program) != form(other) or program.result != other.result:
        raise Untraceable("a computation that changes with the image's size")


def find(program: Program, other: Program) -> Globality:
    """Find statistics and obstacles, except for constants tied to places (`drifting`).

    Args:
      program: the network for one size of image.
      other: for another, whose height and width both differ, and leave the same remainders of the network's strides and windows.

    Raises:
      Untraceable: the two differ in more than sizes.
    """
    check_alike(program, other)
    moving = Moving(program, other)
    makers = {output: operation for operation in program.operations for output in operation.outputs}
    statistics, obstacles = [], []
    levels = {program.image: 0}
    for number, operation in enumerate(program.operations):
        needed = [levels[v] for v in operation.inputs if v in levels]
        if not needed:
            continue
        level = max(needed)
        kind = _kind(operation, moving, levels)
        if kind in ("sum", "max", "min"):
            what = _statistic_name(program, makers, operation, kind)
            statistics.append(Statistic(number, kind, level, what, operation.place))
            level += 1
        elif kind is not None:
            obstacles.append(Obstacle(number, kind, operation.place))
        levels |= dict.fromkeys(operation.outputs, level)
    return Globality(tuple(statistics), tuple(obstacles), levels)


class Moving:
    """Which axes of the values follow the image's size."""

    def __init__(self, program: Program, other: Program) -> None:
        self.program, self.other = program, other

    def __call__(self, value: int | Literal) -> tuple[int, ...]:
        """The axes of a value whose length differs between the two sizes."""
        pairs = zip(self.program.shape(value), self.other.shape(value), strict=True)
        return tuple(axis for axis, (a, b) in enumerate(pairs) if a != b)

    def is_uniform(self, value: int | Literal, maker: dict[int, Operation]) -> bool:
        """Whether a value that does not depend on the image is alike at all places of it, as far as its making tells."""
        if isinstance(value, Literal) or not self(value):
            return True
        operation = maker.get(value)
        if operation is None or operation.name not in (*ELEMENTWISE, "broadcast_in_dim") or not operation.inputs:
            return False
        return all(self.is_uniform(v, maker) for v in operation.inputs)


def _kind(operation: Operation, moving: Moving, levels: dict[int, int]) -> str | None:
    """The kind of statistic, the obstacle's name, or None for what is local or no longer spatial."""
    name = operation.name
    images = [v for v in operation.inputs if v in levels and moving(v)]
    if not images:
        return None
    if not any(moving(o) for o in operation.outputs):
        if name == "dot_general":
            summed = operation.parameters["dimension_numbers"][0]
            whole = all(set(moving(v)) == set(axes) & set(moving(v)) for v, axes in zip(operation.inputs, summed, strict=True))
            return "sum" if whole and operation.inputs[0] in levels else "reading at fixed places"
        return _STATISTICS.get(name, "reading at fixed places" if name not in REDUCTIONS else "global selection")
    if name in REDUCTIONS and set(operation.parameters["axes"]) & set(moving(images[0])):
        return "non-local attention"
    if name in WHOLE_AXIS and set(WHOLE_AXIS[name](operation.parameters)) & set(moving(images[0])):
        return "running sums or order over the image"
    if name == "dot_general":
        return _product_over_pixels(operation, moving, levels)
    if name == "conv_general_dilated" and operation.inputs[1] in levels and moving(operation.inputs[1]):
        return "correlation of the image with itself"
    return f"{name} over the image" if name in _UNFOLLOWED else None


def _product_over_pixels(operation: Operation, moving: Moving, levels: dict[int, int]) -> str | None:
    (left_sum, right_sum), (left_batch, right_batch) = operation.parameters["dimension_numbers"]
    left, right = (set(moving(v)) for v in operation.inputs)
    if not all(v in levels for v in operation.inputs):  # with a matrix of the image's size
        return _TIED if left and right else None
    if left & set(left_sum) or right & set(right_sum):
        return "non-local attention"
    return "non-local attention" if left - set(left_batch) and right - set(right_batch) else None


def _statistic_name(program: Program, makers: dict[int, Operation], operation: Operation, kind: str) -> str:
    """What a statistic is for, in the field's words."""
    if kind != "sum":
        return "global maximum"
    if operation.name == "dot_general":
        return PRODUCTS
    squared = _squared(makers, operation)
    if squared is None:
        return POOLING
    difference = _behind(makers, squared)
    if difference is None or difference.name != "sub":
        return "length over all pixels"
    uses = sum(squared in o.inputs for o in program.operations)
    return "instance normalisation" if uses > 1 else "contrast of the whole image"


def _squared(makers: dict[int, Operation], operation: Operation) -> int | Literal | None:
    """What was squared before it was summed."""
    square = _behind(makers, operation.inputs[0])
    is_square = square is not None and (square.name in ("square", "integer_pow") or (square.name == "mul" and len(set(square.inputs)) == 1))
    return square.inputs[0] if is_square else None


def _behind(makers: dict[int, Operation], value: int | Literal) -> Operation | None:
    """The operation that made a value, conversions passed over."""
    operation = makers.get(value)
    while operation is not None and operation.name in ("convert_element_type", "reshape"):
        operation = makers.get(operation.inputs[0])
    return operation


def drifting(
    program: Program, moving: Moving, follower: Follower, constants: Constants, levels: dict[int, int], period: int
) -> list[Obstacle]:
    """Constants and parameters that differ from place to place in another way than strides and windows do.

    Args:
      program: the network.
      moving: its axes that follow the image.
      follower: of rows or columns.
      constants: of the program.
      levels: as in `Globality`: which values depend on the image.
      period: rows after which strides and windows repeat.
    """
    found = []
    for number, operation in enumerate(program.operations):
        if not any(v in levels for v in operation.inputs if not isinstance(v, Literal)):
            continue
        others = [v for v in operation.inputs if not isinstance(v, Literal) and v not in levels and moving(v)]
        if not others:
            continue
        if operation.name == "gather":
            if not _steady_places(constants(others[0]), follower, operation, period):
                found.append(Obstacle(number, _TIED, operation.place))
            continue
        result = follower(operation.outputs[0])
        if result is None or operation.name not in (*ELEMENTWISE, "concatenate"):
            continue
        shape = program.shape(operation.outputs[0])
        if operation.name == "concatenate":
            axis = int(operation.parameters["dimension"])
            if axis in place_axes(result):  # a border
                continue
            result, shape = np.take(result, [0], axis + 1), (*shape[:axis], 1, *shape[axis + 1 :])
        for value in others:
            if moving.is_uniform(value, constants.maker):
                continue
            array = constants(value)
            if array is None:
                found.append(Obstacle(number, "positional embedding", operation.place))
            elif not _periodic(array, result, shape, follower.length, period):
                found.append(Obstacle(number, _TIED, operation.place))
    return found


def rate(count: int, length: int) -> float | int:
    """Rows of a feature map for each row of the image: a whole number or the inverse of one."""
    candidates = [*range(1, 33), *(1 / n for n in range(2, 97))]
    return min(candidates, key=lambda c: abs(np.log(count / length / c)))


def _periodic(array: np.ndarray, extent: Extent, shape: tuple[int, ...], length: int, period: int) -> bool:
    axes = place_axes(extent)
    if not axes:
        return True
    place = extent[PLACE]
    place = place[tuple(slice(None) if a in axes else 0 for a in range(place.ndim))].reshape(-1)
    count = int(place.max()) + 1
    array = np.broadcast_to(array, np.broadcast_shapes(array.shape, tuple(n if a in axes else 1 for a, n in enumerate(shape))))
    rows = np.moveaxis(array, axes, range(len(axes))).reshape(len(place), -1)
    if len(place) % count:
        return False
    rows = rows[np.argsort(place, kind="stable")].reshape(count, -1)
    step = round(rate(count, length) * period)
    inside = np.arange(count // 4, count // 2)
    if not step or count // 2 + step > count:
        return False
    return bool((np.abs(rows[inside + step].astype(float) - rows[inside]) <= _TOLERANCE).all())


def _steady_places(indices: np.ndarray | None, follower: Follower, operation: Operation, period: int) -> bool:
    """Whether the places that are taken, one for each row or column of the result, go on alike after every period."""
    result = follower(operation.outputs[0])
    if result is None or not place_axes(result) or indices is None or indices.ndim != 2 or indices.shape[1] != 1:
        return True
    count = len(indices)
    if count not in result.shape[1:]:  # taken along the other side
        return True
    step = round(rate(count, follower.length) * period)
    inside = np.arange(count // 4, count // 2)
    if not step or count // 2 + step > count or not inside.size:
        return False
    distance = indices[inside + step, 0] - indices[inside, 0]
    return bool((distance == distance[0]).all())


def summary(named: Iterable[tuple[str, str]]) -> str:
    """Operations by what they are, with the first of the modules that they belong to and the number of all."""
    modules: dict[str, dict[str, None]] = {}
    for what, place in named:
        # The last part of a place may be the formula of a product.
        module = "/".join(part for part in place.split("/")[1:] if "," not in part)
        modules.setdefault(what, {})[module] = None
    if len(modules) > 1 and set(modules.get(POOLING, {})) <= {m for what, ms in modules.items() if what != POOLING for m in ms}:
        modules.pop(POOLING, None)  # the means that belong to variances
    return "; ".join(what + _where(list(places)) for what, places in modules.items())


def _where(places: list[str]) -> str:
    first = f" in {places[0]}" if places[0] else ""
    return f"{first} and {len(places) - 1} more" if len(places) > 1 else first
