"""A traced network cut where it needs a statistic of the whole image: pieces that tiles go through one after the other.

Segment k holds what needs k statistics one after the other. It takes a tile's arrays that are alive at the cut and the totals of the
statistics before it, and gives the tile's share of the next statistics and the arrays alive at the next cut. Shares are taken over the
pixels that the tile owns, its core at the statistic's own resolution, so that over all tiles every pixel counts once. What no longer has
pixels is computed with the numbers of the whole image's trace: the count that turns a sum into a mean is the whole image's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.inference.extent import PLACE, Extent
from jaxrestore.inference.following import Constants, Follower
from jaxrestore.inference.globality import Globality, Moving, Statistic, check_alike, find, rate
from jaxrestore.inference.program import Literal, Operation, Program


@dataclass(frozen=True)
class Counted:
    """Whole numbers that count along an axis: element i is i // every % count."""

    shape: tuple[int, ...]
    axis: int
    every: int
    count: int

    def values(self) -> jax.Array:
        """The numbers, made where they are needed: written into a program they would be as large as an image."""
        return jax.lax.broadcasted_iota(np.int32, self.shape, self.axis) // self.every % self.count


Places = Counted | np.ndarray


def _counted(places: np.ndarray) -> Places:
    axes = [axis for axis, size in enumerate(places.shape) if size > 1]
    if len(axes) != 1:
        return places
    flat = places.reshape(-1)
    every, count = int((flat == flat[0]).argmin()) or len(flat), int(flat.max()) + 1
    is_counted = np.array_equal(np.arange(len(flat)) // every % count, flat)
    return Counted(places.shape, axes[0], every, count) if is_counted else places


@dataclass(frozen=True)
class Owned:
    """The pixels that a tile owns where a statistic is taken.

    Attributes:
      places: (rows, columns): the feature map's row or column of each element, in a shape that stretches to the array's; None for all.
      rates: rows (columns) of the feature map for each of the image.
    """

    places: tuple[Places | None, Places | None]
    rates: tuple[float | int, float | int]


@dataclass(frozen=True)
class Segment:
    """One piece.

    Attributes:
      operations: in the order of evaluation.
      variables: leaves of the variables that it needs, by number.
      totals: statistics' results that it needs.
      alive: arrays of the tile that it takes; the image for the first.
      shares: statistics that it prepares.
      results: arrays of the tile that it gives on; the network's result for the last.
      operations_count: multiplications and additions, roughly.
    """

    operations: tuple[Operation, ...]
    variables: tuple[int, ...]
    totals: tuple[int, ...]
    alive: tuple[int, ...]
    shares: tuple[Statistic, ...]
    results: tuple[int, ...]
    operations_count: int


@dataclass(frozen=True)
class Cut:
    """A network cut into segments for tiles of one size in an image of one size."""

    program: Program
    segments: tuple[Segment, ...]
    owned: dict[int, Owned]
    constants: dict[int, Any]

    @property
    def recomputing(self) -> float:
        """Arithmetic, in units of the whole network's, if nothing is kept from one statistic to the next."""
        counts = [segment.operations_count for segment in self.segments]
        return sum(sum(counts[: k + 1]) for k in range(len(counts))) / max(sum(counts), 1)

    @property
    def kept_bytes(self) -> int:
        """Bytes of one tile's arrays at the widest cut."""
        return max(sum(_bytes(self.program, v) for v in s.results) for s in self.segments)


def cut(tile: Program, whole: Program, larger: Program) -> Cut:
    """Cut a network.

    Args:
      tile: traced for a tile.
      whole: traced for the whole image.
      larger: traced for a size that is larger than the tile's in both directions by multiples of the network's shift, and several
        hundred pixels.

    Raises:
      Untraceable: the traces differ in more than sizes.
    """
    found, moving = find(tile, larger), Moving(tile, larger)
    check_alike(tile, whole)
    operations = tuple(
        _with_numbers_of(t, w, any(moving(v) for v in (*t.inputs, *t.outputs)))
        for t, w in zip(tile.operations, whole.operations, strict=True)
    )
    constants = {v: tile.constants[v] if moving(v) else whole.constants[v] for v in tile.constants}
    program = Program(operations, tile.avals, tile.variables, tile.image, tile.result, constants)
    return Cut(program, _segments(program, found), _owned(tile, larger, found), constants)


def _with_numbers_of(tile: Operation, whole: Operation, moves: bool) -> Operation:
    """The tile's operation with the whole image's numbers; the whole image's own where no pixels go in or out."""
    if not moves:
        return whole
    inputs = tuple(
        w if isinstance(w, Literal) and np.issubdtype(np.asarray(w.value).dtype, np.floating) else t
        for t, w in zip(tile.inputs, whole.inputs, strict=True)
    )
    return Operation(tile.primitive, tile.parameters, inputs, tile.outputs, tile.place)


def _segments(program: Program, found: Globality) -> tuple[Segment, ...]:
    at = {s.operation: s for s in found.statistics}
    level_of: dict[int, int] = {}
    for number, operation in enumerate(program.operations):
        needed = [found.levels[v] for v in operation.inputs if v in found.levels]
        if needed:
            level_of[number] = max(needed)
    makers = {o: number for number, operation in enumerate(program.operations) for o in operation.outputs}
    made_at = {o: level_of[number] for o, number in makers.items() if number in level_of}
    made_at[program.image] = 0
    last_use = {v: level_of[n] for n in sorted(level_of, key=level_of.get) for v in program.operations[n].inputs if v in made_at}
    passes = found.passes
    last_use[program.result] = passes + 1
    statistics = {o for n in at for o in program.operations[n].outputs}
    segments = []
    for level in range(passes + 1):
        own = [n for n, k in level_of.items() if k == level]
        used = {v for n in own for v in program.operations[n].inputs if not isinstance(v, Literal)}
        alive = [program.image] if level == 0 else list(segments[-1].results)
        totals = sorted(used & statistics)
        results = [v for v, k in made_at.items() if k <= level and last_use.get(v, -1) > level and v not in statistics]
        if level == passes:
            results = [program.result]
        prepared = _ancestors(program, makers, used - set(made_at))
        numbers = sorted(set(own) | prepared)
        chosen = tuple(program.operations[n] for n in numbers)
        leaves = set(program.variables) & {v for o in chosen for v in o.inputs if not isinstance(v, Literal)}
        count = sum(_count(program, program.operations[n]) for n in own)
        shares = tuple(at[n] for n in own if n in at)
        segments.append(Segment(chosen, tuple(sorted(leaves)), tuple(totals), tuple(alive), shares, tuple(sorted(results)), count))
    return tuple(segments)


def _ancestors(program: Program, makers: dict[int, int], values: set[int]) -> set[int]:
    """The operations that make values which do not depend on the image."""
    found, left = set(), list(values)
    while left:
        number = makers.get(left.pop())
        if number is not None and number not in found:
            found.add(number)
            left += [v for v in program.operations[number].inputs if not isinstance(v, Literal)]
    return found


def _owned(tile: Program, larger: Program, found: Globality) -> dict[int, Owned]:
    stops = frozenset(s.operation for s in found.statistics)
    here, there = ([Follower(p, axis, stops, frozenset(), Constants(p)) for axis in (1, 2)] for p in (tile, larger))
    owned = {}
    for statistic in found.statistics:
        value = tile.operations[statistic.operation].inputs[0]
        rates = tuple(1 if f(value) is None else rate(_rows(f(value)), f.length) for f in there)
        owned[statistic.operation] = Owned(tuple(None if f(value) is None else _counted(f(value)[PLACE]) for f in here), rates)
    return owned


def _rows(extent: Extent) -> int:
    return int(extent[PLACE].max()) + 1


def _count(program: Program, operation: Operation) -> int:
    size = sum(int(np.prod(program.shape(o))) for o in operation.outputs)
    if operation.name == "dot_general":
        left = operation.parameters["dimension_numbers"][0][0]
        return 2 * size * int(np.prod([program.shape(operation.inputs[0])[a] for a in left]))
    if operation.name in ("cond", "conv_general_dilated"):
        kernel = program.shape(operation.inputs[-1])
        return 2 * size * int(np.prod(kernel[:-1]))
    return size


def _bytes(program: Program, value: int) -> int:
    aval = program.avals[value]
    return int(np.prod(aval.shape)) * np.dtype(aval.dtype).itemsize


Shares = list[jax.Array]
Compiled = Callable[[Sequence[Any], Sequence[Any], Sequence[Any], Any], tuple[Shares, list[jax.Array]]]


def compile_segments(whole: Cut) -> list[Compiled]:
    """A function for each segment: (variables, totals, arrays of the tile, bounds) -> (shares, arrays of the tile).

    Bounds are (statistics of the segment, 4): the first row, the row after the last, and likewise the columns, that the tile owns at the
    statistic's resolution. Segments that differ in nothing but which variables they take share one compiled function.
    """
    known: dict[str, Compiled] = {}
    functions = []
    for segment in whole.segments:
        key = _key(whole, segment)
        if key not in known:
            known[key] = jax.jit(_runner(whole, segment))
        functions.append(known[key])
    return functions


def _runner(whole: Cut, segment: Segment) -> Compiled:
    places = {s.operation: place for place, s in enumerate(segment.shares)}
    outputs_of = {whole.program.operations[s.operation].outputs[0]: s for s in segment.shares}

    def run(variables: Sequence[Any], totals: Sequence[Any], alive: Sequence[Any], bounds: Any) -> tuple[list, list]:
        values = dict(zip((*segment.variables, *segment.totals, *segment.alive), (*variables, *totals, *alive), strict=True))
        shares = {}

        def read(value: int | Literal) -> Any:
            if isinstance(value, Literal):
                return value.value
            return values[value] if value in values else jnp.asarray(whole.constants[value])

        for operation in segment.operations:
            inputs = [read(v) for v in operation.inputs]
            statistic = outputs_of.get(operation.outputs[0])
            if statistic is None:
                values.update(zip(operation.outputs, operation.run(inputs), strict=True))
            else:
                place = places[statistic.operation]
                inputs[0] = _only_owned(inputs[0], whole.owned[statistic.operation], statistic.kind, bounds[place])
                shares[place] = operation.run(inputs)[0]
        return [shares[i] for i in range(len(shares))], [values[v] for v in segment.results]

    return run


def _only_owned(array: jax.Array, owned: Owned, kind: str, bounds: jax.Array) -> jax.Array:
    mask = None
    for place, first, last in zip(owned.places, (bounds[0], bounds[2]), (bounds[1], bounds[3]), strict=True):
        if place is not None:
            numbers = place.values() if isinstance(place, Counted) else jnp.asarray(place)
            inside = (numbers >= first) & (numbers < last)
            mask = inside if mask is None else mask & inside
    if mask is None:
        return array
    nothing = {"sum": 0.0, "max": -jnp.inf, "min": jnp.inf}[kind]
    return jnp.where(jnp.broadcast_to(mask, array.shape), array, jnp.asarray(nothing, array.dtype))


def _key(whole: Cut, segment: Segment) -> str:
    """Equal for segments that compute the same from their inputs."""
    names: dict[int, str] = {}

    def name(value: int | Literal) -> str:
        if isinstance(value, Literal):
            return f"={value.value!r}"
        if value not in names:
            constant = whole.constants.get(value)
            content = "" if constant is None else f":{hash(np.asarray(constant).tobytes())}"
            aval = whole.program.avals[value]
            names[value] = f"{len(names)}:{aval.shape}{aval.dtype}{content}"
        return names[value]

    lines = [" ".join(map(name, group)) for group in (segment.variables, segment.totals, segment.alive)]
    for o in segment.operations:
        lines.append(
            f"{o.name} {' '.join(map(name, o.inputs))} -> {' '.join(map(name, o.outputs))} {sorted(o.parameters.items(), key=str)}"
        )
    lines.append(" ".join(map(name, segment.results)))
    for s in segment.shares:
        owned = whole.owned[s.operation]
        places = [(p.shape, hash(p.tobytes())) if isinstance(p, np.ndarray) else p for p in owned.places]
        lines.append(f"{name(whole.program.operations[s.operation].outputs[0])} {s.kind} {owned.rates} {places}")
    return "\n".join(lines)
