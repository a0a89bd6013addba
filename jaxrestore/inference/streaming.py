"""Tiles of a network that looks at the whole image by statistics alone: exactly what the whole image gives.

Channel attention, instance normalisation, transposed attention and covariances look at the whole image through sums over its pixels.
Each sum is taken tile by tile, over the pixels that the tile owns, and added up in float64; with the sums known, the rest of the network is
local and its tiles are exact (`segments`). Sums that need one another are taken one after the other, and between them a tile's arrays are

- forgotten and computed again for each sum, which needs no memory and costs arithmetic: (n + 1) / 2 + 1 times the network's, roughly, for n
  sums one after the other, or
- kept in the host's memory, which costs no arithmetic: what is alive at a cut, for all tiles with their halos.

They are kept where they fit the memory that is allowed for it; otherwise they are computed again, up to `MOST_RECOMPUTING` times the
network's arithmetic; beyond it the image is refused.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.inference.extent import Untraceable
from jaxrestore.inference.field import ReceptiveField
from jaxrestore.inference.program import trace
from jaxrestore.inference.segments import Compiled, Cut, compile_segments, cut
from jaxrestore.inference.tiles import Span, Tile, plan
from jaxrestore.typing import ArrayLike, Variables

MOST_RECOMPUTING = 12.0
"""What is computed again costs at most this many times the network's arithmetic."""

_FAR = 1 << 28
_CLEARLY_LARGER = 384


@dataclass(frozen=True)
class Stream:
    """How an image goes through a network in tiles.

    Attributes:
      tiles: of the image.
      cut: the network in segments.
      functions: one for each segment.
      keeps: whether the tiles' arrays are kept from one segment to the next.
      kept_bytes: host memory that this takes; 0 where nothing is kept.
      arithmetic: multiple of the arithmetic that the tiles of a local network of this size would take.
    """

    tiles: tuple[Tile, ...]
    cut: Cut
    functions: tuple[Compiled, ...]
    keeps: bool
    kept_bytes: int
    arithmetic: float

    def run(self, variables: Variables, source: Callable[[Tile], ArrayLike]) -> Iterator[tuple[Tile, jax.Array]]:
        """Restore one image.

        Args:
          variables: of the network.
          source: gives a tile of the image, (1, h, w, C), floating point.

        Yields:
          A tile, and what the network gives for it; the tile's core is exact.
        """
        leaves = dict(zip(self.cut.program.variables, jax.tree.leaves(variables), strict=True))
        totals: dict[int, jax.Array] = {}
        kept: list[Any] = [None] * len(self.tiles)
        height, width = (max(span.last for span in spans) for spans in zip(*((t.rows, t.columns) for t in self.tiles), strict=True))
        last = len(self.functions) - 1
        for level in range(last + 1):
            sums: list[np.ndarray] | None = None
            for number, tile in enumerate(self.tiles):
                arrays, start = kept[number], level
                if arrays is None:
                    arrays, start = [jnp.asarray(source(tile))], 0
                shares: list[jax.Array] = []
                for step in range(start, level + 1):
                    shares, arrays = self._step(step, leaves, totals, arrays, tile, (height, width))
                if level == last:
                    yield tile, arrays[0]
                    continue
                if self.keeps:
                    kept[number] = [np.asarray(array) for array in arrays]
                sums = self._added(level, sums, shares)
            if sums is not None:
                for statistic, total in zip(self.cut.segments[level].shares, sums, strict=True):
                    output = self.cut.program.operations[statistic.operation].outputs[0]
                    totals[output] = jnp.asarray(total.astype(self.cut.program.avals[output].dtype))

    def _step(self, step: int, leaves: dict, totals: dict, arrays: list, tile: Tile, size: tuple[int, int]) -> tuple[list, list]:
        segment = self.cut.segments[step]
        bounds = np.zeros((len(segment.shares), 4), np.int32)
        for row, statistic in enumerate(segment.shares):
            rows, columns = self.cut.owned[statistic.operation].rates
            bounds[row] = (*_bounds(tile.rows, size[0], rows), *_bounds(tile.columns, size[1], columns))
        variables = [leaves[v] for v in segment.variables]
        return self.functions[step](variables, [totals[v] for v in segment.totals], arrays, jnp.asarray(bounds))

    def _added(self, level: int, sums: list[np.ndarray] | None, shares: list[jax.Array]) -> list[np.ndarray]:
        parts = [np.asarray(share, np.float64) for share in shares]
        if sums is None:
            return parts
        join = {"sum": np.add, "max": np.maximum, "min": np.minimum}
        return [join[s.kind](a, b) for s, a, b in zip(self.cut.segments[level].shares, sums, parts, strict=True)]


def _bounds(span: Span, size: int, rate: float | int) -> tuple[int, int]:
    """The rows of a feature map, counted within the tile, that the tile owns."""
    first = 0 if span.first == 0 else round((span.first - span.start) * rate)
    return first, _FAR if span.last == size else round((span.last - span.start) * rate)


def stream(
    model: nn.Module, variables: Variables, channels: int, field: ReceptiveField, size: tuple[int, int], side: int, memory: int
) -> Stream:
    """Plan how images of one size go through a network in tiles.

    Args:
      model: a network whose field is global by statistics alone.
      variables: its variables, or their shapes.
      channels: channels of its input.
      field: its receptive field.
      size: (height, width) of the image.
      side: largest height and width of a tile, halo included.
      memory: bytes of host memory that may be used to keep the tiles' arrays.

    Raises:
      InputError: neither does what must be kept fit, nor is what must be computed again within bounds; or the tile is too small.
    """
    tiles = tuple(plan(*size, side, field.with_statistics()))
    shape = tuple(s.stop - s.start for s in (tiles[0].rows, tiles[0].columns))
    pieces, functions = _compiled(_Same(model, jax.eval_shape(lambda v: v, variables)), channels, field.multiple, size, shape)
    needed, again = pieces.kept_bytes * len(tiles), pieces.recomputing
    if again <= 1.0 or needed <= memory:
        return Stream(tiles, pieces, functions, True, needed, 1.0)
    if again <= MOST_RECOMPUTING:
        return Stream(tiles, pieces, functions, False, 0, again)
    raise InputError(
        f"the network needs {field.statistics} statistics of the whole image one after the other: exact tiles would keep "
        f"{needed / 2**30:.2g} GiB between them or take {again:.0f} times the arithmetic; allow more memory, or larger tiles"
    )


class _Same:
    """A network and the shapes of its variables, as a key."""

    def __init__(self, model: nn.Module, shapes: Variables) -> None:
        self.model, self.shapes = model, shapes

    def __hash__(self) -> int:
        return hash(self.model)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.model == other.model and self.shapes == other.shapes


@lru_cache(maxsize=8)
def _compiled(
    network: _Same, channels: int, multiple: int, size: tuple[int, int], tile: tuple[int, ...]
) -> tuple[Cut, tuple[Compiled, ...]]:
    more = -(-_CLEARLY_LARGER // multiple) * multiple
    try:
        programs = [trace(network.model, network.shapes, *shape, channels) for shape in (tile, size, tuple(side + more for side in tile))]
        pieces = cut(*programs)
    except Untraceable as reason:
        raise InputError(f"exact tiles are not possible: the network has {reason}") from reason
    return pieces, tuple(compile_segments(pieces))
