"""An image in tiles, in the way that the network allows: on their own, by streaming, or blended.

- A local network: each tile with its halo gives what the whole image gives (`tiles`).
- One that is global by statistics alone: the same, after the statistics have been taken tile by tile (`streaming`).
- Any other: overlapping tiles, blended, where that was asked for (`blending`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import flax.linen as nn
import numpy as np

from jaxrestore.data.images import to_float
from jaxrestore.inference.blending import Blend, blend, overlapping
from jaxrestore.inference.field import ReceptiveField
from jaxrestore.inference.streaming import Stream, stream
from jaxrestore.inference.tiles import Tile, plan
from jaxrestore.inference.views import Images
from jaxrestore.typing import Variables

Piece = tuple[tuple[slice, ...], np.ndarray]
"""Where in the results (image, rows, columns), and what belongs there, (1, h, w, C) in float32."""


@dataclass(frozen=True)
class Tiling:
    """What a network needs to be known for its tiles.

    Attributes:
      model: the network.
      variables: its variables.
      channels: its image channels.
      field: its receptive field.
      scale: its enlargement.
      run: the network on (N, h, w, C) of any accepted type and channels.
    """

    model: nn.Module
    variables: Variables
    channels: int
    field: ReceptiveField
    scale: int
    run: Callable[[np.ndarray], np.ndarray]

    def exact(self, images: Images, number: int, side: int, memory: int) -> Iterator[Piece]:
        """Restore an image in tiles that give what the whole image gives.

        Args:
          images: (N, H, W, C), uint8, uint16 or floating point.
          number: which of them.
          side: largest height and width of a tile, halo included.
          memory: bytes of the host's memory that may be used to keep tiles from one statistic to the next.

        Raises:
          InputError: the tiles would be all halo, or the statistics cannot be taken within bounds.
        """
        _, height, width, given = images.shape
        part = partial(_part, images, number)

        def which(tile: Tile) -> tuple[slice, ...]:
            return slice(number, number + 1), *tile.target(self.scale)

        if not self.field.is_streamable:
            for tile in plan(height, width, side, self.field):
                # No name is kept for the result: the next tile would be computed while it is still there.
                yield which(tile), self.run(part(tile))[:, *tile.core(self.scale)]
            return
        way = stream(self.model, self.variables, self.channels, self.field, (height, width), side, memory)
        if self.channels > 1:
            for tile, result in self._stream(way, lambda t: np.repeat(to_float(part(t)), self.channels if given == 1 else 1, -1)):
                yield which(tile), result.mean(-1, keepdims=True) if given == 1 else result
            return
        planes = [self._stream(way, lambda t, c=c: to_float(part(t)[..., c : c + 1])) for c in range(given)]
        for together in zip(*planes, strict=True):
            yield which(together[0][0]), np.concatenate([result for _, result in together], -1)

    def _stream(self, way: Stream, source: Callable[[Tile], np.ndarray]) -> Iterator[tuple[Tile, np.ndarray]]:
        for tile, result in way.run(self.variables, source):
            yield tile, np.asarray(result[:, *tile.core(self.scale)], np.float32)

    def blended(self, images: Images, number: int, side: int) -> tuple[np.ndarray, Blend]:
        """Restore an image in overlapping tiles, blended.

        Args:
          images: as for `exact`.
          number: as for `exact`.
          side: largest height and width of a tile.
        """
        size, part = images.shape[1:3], partial(_part, images, number)
        return blend(overlapping(*size, side, self.field.multiple), lambda tile: self.run(part(tile)), size, self.scale)


def _part(images: Images, number: int, tile: Tile) -> np.ndarray:
    return images[number : number + 1, *tile.source()]
