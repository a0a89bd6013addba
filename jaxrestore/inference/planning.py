"""How large tiles are to be so that a budget of memory is used and kept."""

import math
from collections.abc import Callable

from jaxrestore.errors import InputError
from jaxrestore.inference.field import ReceptiveField
from jaxrestore.inference.memory import gibibytes
from jaxrestore.inference.tiles import smallest_tile, tile_shape

# Tiles that use less than this share are worth another compilation, of larger ones.
_LITTLE = 0.5
_TRIES = 5
# What larger or smaller tiles take does not follow their area exactly.
_CAREFUL = 0.97


def largest_side(
    name: str, height: int, width: int, field: ReceptiveField, guess: int, budget: int, needed: Callable[[tuple[int, int]], int]
) -> int:
    """Side of tiles that keep the budget. A good guess costs no more than the compilation that is needed anyway.

    Args:
      name: of the network, for messages.
      height: of the image.
      width: of the image.
      field: the network's receptive field, which must be local.
      guess: the first side that is tried.
      budget: bytes.
      needed: height and width of a tile to the bytes that it takes; compiles the network for it.

    Raises:
      InputError: even the smallest tiles take more.
    """
    smallest = smallest_tile(field)
    side, found = max(guess, smallest), None
    for left in reversed(range(_TRIES)):
        tile = tile_shape(height, width, side, field)
        takes = needed(tile)
        if takes <= budget:
            if found is not None or takes > _LITTLE * budget or tile == (height, width):
                return side
            found = side
        elif found is not None:
            return found
        elif side == smallest:
            raise InputError(f"{name} needs at least {gibibytes(takes)} of memory even in tiles: allow that much")
        # What each row takes may outweigh what each pixel takes: when the square root was not enough, in proportion.
        factor = math.sqrt(budget / takes) if left == _TRIES - 1 or takes <= budget else budget / takes
        side = max(int(_CAREFUL * factor * max(tile)), smallest)
        side = smallest if left == 1 and found is None else side
    return found or smallest
