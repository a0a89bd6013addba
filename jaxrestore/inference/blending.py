"""Overlapping tiles, blended: for networks whose tiles cannot give what the whole image gives, and only when it is asked for.

Each tile is restored as if it were an image, and where tiles overlap the result passes from one to the other in a straight line. How far
that may be from the whole image's result cannot be known without it; what can be measured is how far two neighbouring tiles, which see
different surroundings, are apart where both have an opinion. That is what `Blend` reports.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jaxrestore.inference.field import ReceptiveField
from jaxrestore.inference.tiles import Span, Tile, plan

_OVERLAP = 8  # a halo is this part of a tile's side


@dataclass(frozen=True)
class Blend:
    """How well blended tiles agreed, white being 1.

    Attributes:
      tiles: number of tiles.
      largest: the largest difference of two tiles where they overlap.
      mean: the mean difference there.
    """

    tiles: int
    largest: float
    mean: float

    def __str__(self) -> str:
        return (
            f"{self.tiles} blended tiles, which differ by at most {255 * self.largest:.3g} (mean {255 * self.mean:.2g}) grey levels of 255 "
            "where they overlap"
        )


def overlapping(height: int, width: int, side: int, multiple: int) -> list[Tile]:
    """The tiles of an image, each with a halo of about an eighth of the side around its core."""
    radius = -(-max(side // _OVERLAP, 1) // multiple) * multiple
    return list(plan(height, width, max(side, 2 * radius + 2 * multiple - 1), ReceptiveField(radius, multiple)))


def blend(tiles: list[Tile], run: Callable[[Tile], np.ndarray], size: tuple[int, int], scale: int) -> tuple[np.ndarray, Blend]:
    """Restore an image in overlapping tiles.

    Args:
      tiles: from `overlapping`.
      run: gives a tile's result, (1, scale * h, scale * w, C).
      size: (height, width) of the image.
      scale: the network's enlargement.

    Returns:
      (1, scale * height, scale * width, C) in float32, held whole; and how well the tiles agreed.
    """
    total = weights = None
    largest, differences, compared = 0.0, 0.0, 0
    for tile in tiles:
        result = run(tile)
        if total is None:
            total = np.zeros((1, *(scale * side for side in size), result.shape[-1]), np.float32)
            weights = np.zeros((*total.shape[:3], 1), np.float32)
        place = tuple(slice(scale * s.start, scale * s.stop) for s in (tile.rows, tile.columns))
        before, weight = weights[:, *place], _ramps(tile, size, scale)
        seen = before > 0
        if seen.any():
            apart = np.where(seen, np.abs(total[:, *place] / np.where(seen, before, 1.0) - result), 0.0)
            largest, differences = max(largest, float(apart.max())), differences + float(apart.sum(dtype=float))
            compared += int(seen.sum()) * result.shape[-1]
        total[:, *place] += weight * result
        weights[:, *place] += weight
    return total / weights, Blend(len(tiles), largest, differences / max(compared, 1))


def _ramps(tile: Tile, size: tuple[int, int], scale: int) -> np.ndarray:
    rows, columns = (_ramp(span, side, scale) for span, side in zip((tile.rows, tile.columns), size, strict=True))
    return (rows[:, None] * columns[None])[None, :, :, None]


def _ramp(span: Span, size: int, scale: int) -> np.ndarray:
    """Weights along one side: up over what the tile shares with the one before, down over what it shares with the one after."""
    place = np.arange(scale * (span.stop - span.start)) + 0.5
    weights = np.ones(len(place), np.float32)
    if span.start > 0:
        weights = np.minimum(weights, place / (2 * scale * (span.first - span.start)))
    if span.stop < size:
        weights = np.minimum(weights, place[::-1] / (2 * scale * (span.stop - span.last)))
    return weights.astype(np.float32)
