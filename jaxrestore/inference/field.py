"""What an output pixel of a network depends on, as a value; and the network applied."""

from contextlib import nullcontext
from dataclasses import dataclass

import flax.linen as nn
import jax

from jaxrestore.nn.minimal_filtering import compiled_for_one_call
from jaxrestore.typing import Image, Variables


@dataclass(frozen=True)
class ReceptiveField:
    """What an output pixel of a network depends on.

    Attributes:
      radius: input pixels on each side of a block of `multiple` pixels that its output depends on; None is "global".
      multiple: the network is equivariant to shifts by multiples of this number of pixels: its strides, windows and sub-images.
      reason: why the field counts as global; empty for a local network.
      sides: pixels that are needed (above, below, left, right) of the block; the radius is the largest, rounded up to whole blocks. Empty
        where it is not known.
      statistics: for a global network whose field is local once sums (or extremes) over all pixels are known: how many of them have to be
        computed one after the other; 0 for any other.
      local_radius: as `radius`, once those statistics are known; None where there are none.
    """

    radius: int | None
    multiple: int = 1
    reason: str = ""
    sides: tuple[int, ...] = ()
    statistics: int = 0
    local_radius: int | None = None

    @property
    def is_global(self) -> bool:
        """Whether an output pixel may depend on the whole image."""
        return self.radius is None

    @property
    def is_streamable(self) -> bool:
        """Whether it is global by statistics alone, so that tiles still give what the whole image gives (`streaming`)."""
        return self.radius is None and self.local_radius is not None

    @property
    def tiles(self) -> str:
        """What restoring in tiles gives: "exact", "exact by streaming" or "blended only"."""
        return "exact" if self.radius is not None else "exact by streaming" if self.is_streamable else "blended only"

    def with_statistics(self) -> "ReceptiveField":
        """The local field that is left once the statistics are known; a local network's own."""
        return ReceptiveField(self.local_radius, self.multiple, sides=self.sides) if self.is_streamable else self

    def __str__(self) -> str:
        if self.is_streamable:
            ways = f"{self.statistics} statistic{'s' * (self.statistics > 1)} one after the other"
            return f"global ({self.reason}); exact in tiles: {ways}, then {self.with_statistics()}"
        if self.radius is None:
            return f"global ({self.reason})"
        side = 2 * self.radius + self.multiple
        return f"{side}x{side} pixels" + (f" for each block of {self.multiple}x{self.multiple}" if self.multiple > 1 else "")


@jax.jit(static_argnums=(0, 3))
def apply_network(model: nn.Module, variables: Variables, image: Image, once: bool = False) -> Image:
    """`model.apply`, compiled once for each network and shape in a process.

    Args:
      model: the network.
      variables: its variables.
      image: (N, H, W, C).
      once: whether few images of this shape are to be expected, so that compiling counts for more than computing.
    """
    with compiled_for_one_call() if once else nullcontext():
        return model.apply(variables, image)
