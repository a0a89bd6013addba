"""What holds a network's variables on a device: moved to another one, pickled, and asked how many images it takes at once."""

from collections.abc import Callable
from typing import Any, TypeVar

import jax

from jaxrestore.typing import Variables

_Placed = TypeVar("_Placed", bound="Placed")


class Placed:
    """Base of what runs a network.

    Attributes:
      variables: of the network, on a device.
      memory: bytes that a computation may use, or None for what is free.
    """

    variables: Variables
    memory: int | None

    def _unshared(self) -> dict[str, Any]:
        """Attributes that a copy starts anew."""
        return {}

    def on(self: _Placed, device: jax.Device | None, memory: int | None) -> _Placed:
        """The same network, computing on this device (None: where it did before) with this much memory (None: as before)."""
        variables = self.variables if device is None else jax.device_put(self.variables, device)
        moved = object.__new__(type(self))  # with what was measured of the network already
        moved.__dict__.update(self.__dict__, variables=variables, memory=memory or self.memory, **self._unshared())
        return moved

    def __getstate__(self) -> dict:
        """For pickling: the variables as NumPy arrays, whatever device they are on, and once."""
        return {**self.__dict__, "variables": jax.device_get(self.variables), **self._unshared()}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self.variables = jax.device_put(self.variables)


def halved_until(fits: Callable[[int], bool], most: int) -> int:
    """How many fit: `most`, or halves of it, and one whether it fits or not."""
    while most > 1 and not fits(most):
        most //= 2
    return most
