"""Exact tiles: pieces of an image whose restored cores are what the whole image would give.

A tile is a core and a halo of the network's radius around it, except where the image ends: there the tile ends too, so that the network
sees the real border. All tiles of an image have one shape, hence one compilation. They start at multiples of the network's period, and
leave the same remainder of it as the image does, so that strides, windows and padding fall where they fall in the whole image.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from jaxrestore.errors import InputError
from jaxrestore.inference.field import ReceptiveField


@dataclass(frozen=True)
class Span:
    """One tile along one axis: pixels start..stop go in, and first..last of them come out exact."""

    start: int
    stop: int
    first: int
    last: int


@dataclass(frozen=True)
class Tile:
    """A rectangle of the image."""

    rows: Span
    columns: Span

    def source(self) -> tuple[slice, slice]:
        """Where the tile lies in the image."""
        return slice(self.rows.start, self.rows.stop), slice(self.columns.start, self.columns.stop)

    def core(self, scale: int) -> tuple[slice, slice]:
        """The exact part within the tile's result."""
        return tuple(slice(scale * (s.first - s.start), scale * (s.last - s.start)) for s in (self.rows, self.columns))

    def target(self, scale: int) -> tuple[slice, slice]:
        """Where that part lies in the whole result."""
        return tuple(slice(scale * s.first, scale * s.last) for s in (self.rows, self.columns))


def smallest_tile(field: ReceptiveField) -> int:
    """The smallest side for which `plan` works whatever the image's size."""
    return 2 * field.radius + 2 * field.multiple - 1


def plan(height: int, width: int, side: int, field: ReceptiveField) -> Iterator[Tile]:
    """The tiles of an image, in reading order; their cores cover it once.

    Args:
      height: of the image.
      width: of the image.
      side: largest height and width of a tile, halo included; they are taken as even as possible.
      field: the network's receptive field, which must be local.

    Raises:
      InputError: the tiles would be all halo.
    """
    if max(height, width) > side and side < smallest_tile(field):
        raise InputError(
            f"tile {side} is too small: the network's halo is {field.radius} pixels on each side; give at least {smallest_tile(field)}"
        )
    shape = tile_shape(height, width, side, field)
    for rows in spans(height, shape[0], field.radius, field.multiple):
        for columns in spans(width, shape[1], field.radius, field.multiple):
            yield Tile(rows, columns)


def tile_shape(height: int, width: int, side: int, field: ReceptiveField) -> tuple[int, int]:
    """Height and width of the tiles of `plan`: the smallest with which no more are needed than with the largest.

    All tiles of an image have one shape, so the last of a row overlaps the one before; with as many smaller tiles it overlaps less.
    """
    rows, columns = (_even(size, side, field.radius, field.multiple) for size in (height, width))
    return rows, columns


def _even(size: int, side: int, radius: int, multiple: int) -> int:
    if size <= side:
        return size
    remainder = size % multiple
    side -= (side - remainder) % multiple
    lost = remainder + 2 * radius
    if side <= lost:
        return side
    count = 1 - (side - size) // (side - lost)
    even = -(-(size + (count - 1) * lost) // count)
    return min(max(even + (remainder - even) % multiple, lost + multiple), side)


def spans(size: int, side: int, radius: int, multiple: int) -> list[Span]:
    """Tiles along one axis; radius is a multiple of `multiple`, and side is at least 2 * radius + 2 * multiple - 1 or the size."""
    if size <= side:
        return [Span(0, size, 0, size)]
    remainder = size % multiple
    side -= (side - remainder) % multiple
    result, done = [], 0
    while done < size:
        start = min(max(done - radius, 0), size - side)
        stop = start + side
        last = size if stop == size else stop - remainder - radius
        result.append(Span(start, stop, done, last))
        done = last
    return result
