"""Several networks or methods that restore together: their mean, and how far they differ."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from jaxrestore.errors import InputError


class Committee:
    """What a `Restorer` runs when it restores with several networks or methods at once.

    Args:
      members: at least two engines of a `Restorer`.

    Raises:
      InputError: the members differ in their scale or in what they take beside the image.
    """

    def __init__(self, members: Sequence[Any]) -> None:
        self.members = tuple(members)
        first = self.members[0]
        for other in self.members[1:]:
            for what, a, b in (("scale", first.scale, other.scale), ("inputs", first.takes, other.takes)):
                if a != b:
                    raise InputError(f"{first.name} and {other.name} cannot be averaged: their {what} are {a or 'none'} and {b or 'none'}")
        names = [member.name for member in self.members]
        self.name = f"{len(names)} times {names[0]}" if len(set(names)) == 1 else " + ".join(names)
        self.takes, self.scale = first.takes, first.scale
        channels = {member.channels for member in self.members}
        self.channels: int | None = channels.pop() if len(channels) == 1 else None

    def pieces(self, images: np.ndarray, **inputs: Any) -> Iterator[tuple[tuple[slice, ...], np.ndarray]]:
        """The mean of what the members make of the images.

        Args:
          images: (N, H, W, C), as the members take them.
          **inputs: what the members take.

        Yields:
          Everything, in one piece, in float32.

        Raises:
          InputError: as the members do.
        """
        yield (slice(None),), mean_and_spread(whole(member, images, inputs) for member in self.members)[0]

    def at_once(self, height: int, width: int, channels: int, most: int) -> int:
        """How many images of this size fit the memory, for the member that needs most; at most `most`."""
        return min(member.at_once(height, width, channels, most) for member in self.members)

    def on(self, device: jax.Device | None, memory: int | None) -> "Committee":
        """The same committee, computing on this device (None: on the default one) with this much memory."""
        return Committee([member.on(device, memory) for member in self.members])


def whole(engine: Any, images: np.ndarray, inputs: dict[str, Any]) -> np.ndarray:
    """What one engine makes of images (N, H, W, C), in float32, not rounded."""
    count, height, width, channels = images.shape
    result = np.empty((count, height * engine.scale, width * engine.scale, channels), np.float32)
    for where, restored in engine.pieces(images, **inputs):
        result[where] = restored
    return result


def mean_and_spread(results: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of arrays, element by element, holding no more than three of them at a time.

    Args:
      results: at least one array, all of one shape, in float32.

    Returns:
      The mean, and the square root of the mean squared distance from it (the number of arrays is the divisor).

    Reference: Welford, Note on a method for calculating corrected sums of squares and products, Technometrics 4(3), 1962.
    """
    mean, squares, count = np.float32(0), np.float32(0), 0
    for result in results:
        count += 1
        before = result - mean
        mean = mean + before / np.float32(count)
        squares = squares + before * (result - mean)
    return mean, np.sqrt(squares / np.float32(count))
