"""Networks that fill holes: an image and a mask of what is missing go in together."""

from collections.abc import Iterator
from functools import cached_property

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from jaxrestore.errors import InputError
from jaxrestore.inference.channels import with_channels
from jaxrestore.inference.field import apply_network
from jaxrestore.inference.memory import bytes_needed, free_memory, parse_memory
from jaxrestore.inference.placed import Placed, halved_until
from jaxrestore.typing import Image, Variables

Masks = Bool[Array | np.ndarray, "_ _ _ 1"]


class Filler(Placed):
    """What a `Restorer` runs when it restores with a network that takes a mask. Images are never cut into tiles: what fills a hole may come
    from anywhere.

    Args:
      name: what it is called in messages.
      model: takes (N, H, W, channels) in [0, 1] and `mask` (N, H, W, 1), true where content is missing. One with a true attribute
        `finds_mask` does without.
      variables: its variables.
      tile: "auto" or "off", the same but that no memory is looked at.
      memory: as for `Restorer`.

    Raises:
      InputError: a setting that means nothing.
    """

    takes = ("mask",)
    """What it can be given beside the image."""

    def __init__(
        self, name: str, model: nn.Module, variables: Variables, tile: str | int = "auto", memory: str | int | None = None
    ) -> None:
        if tile not in ("auto", "off"):
            raise InputError(f"{name} fills holes from the whole image: leave tile at auto")
        self.name, self.model, self.tile = name, model, tile
        self.channels: int = getattr(model, "channels", 3)
        self.memory = None if memory is None else parse_memory(memory)
        self._together = _Together(model, self.channels)
        self._alone = model
        self.variables: Variables = jax.device_put(variables)

    @property
    def _nested(self) -> Variables:
        return {collection: {"network": tree} for collection, tree in self.variables.items()}

    @property
    def needs(self) -> tuple[str, ...]:
        """What it must be given beside the image."""
        return () if getattr(self.model, "finds_mask", False) else ("mask",)

    @cached_property
    def scale(self) -> int:
        """Enlargement: 1.

        Raises:
          InputError: its result is no image of the same size.
        """
        shape = (1, 32, 40, self.channels)
        result = jax.eval_shape(self._together.apply, self._nested, jax.ShapeDtypeStruct((*shape[:3], shape[3] + 1), np.float32)).shape
        if result != shape:
            raise InputError(f"{self.name} makes {result} of {shape}: it does not restore images")
        return 1

    def pieces(self, images: np.ndarray, mask: Masks | None = None) -> Iterator[tuple[tuple[slice, ...], np.ndarray]]:
        """Restore images, as many at a time as fit the memory.

        Args:
          images: (N, H, W, 1, 3 or the network's channels), uint8, uint16 or floating point.
          mask: (N, H, W, 1), true where content is missing.

        Yields:
          Where in the result, and what belongs there, in float32.

        Raises:
          InputError: the mask is missing, or a single image does not fit the memory.
        """
        if mask is None and self.needs:
            raise InputError(f"{self.name} needs a mask of what is missing (mask)")
        count = len(images) if self._fit(images, len(images)) else 1
        if count < len(images) and not self._fit(images, 1):
            raise InputError(
                f"{self.name} needs the whole image at once, and that does not fit: allow more memory, or take a smaller image"
            )
        for n in range(0, len(images), count):
            part = slice(n, n + count)
            yield (part,), self._run(images[part], None if mask is None else mask[part])

    def at_once(self, height: int, width: int, channels: int, most: int) -> int:
        """How many images of this size and number of channels fit the memory together, 1 to `most`."""
        image = np.broadcast_to(np.float32(0), (1, height, width, channels))
        return halved_until(lambda count: self._fit(image, count), most)

    def _run(self, images: np.ndarray, mask: Masks | None) -> np.ndarray:
        def fill(x: np.ndarray) -> jax.Array:
            if mask is None:
                return apply_network(self._alone, self.variables, jnp.asarray(x))
            hole = np.repeat(np.asarray(mask, np.float32), len(x) // len(mask), axis=0)  # once for each channel that goes in alone
            return apply_network(self._together, self._nested, jnp.asarray(np.concatenate([x, hole], -1)))

        return with_channels(fill, images, self.channels)

    def _fit(self, images: np.ndarray, count: int) -> bool:
        if self.tile == "off":
            return True
        repeats = images.shape[-1] if self.channels == 1 else 1
        shape = (count * repeats, *images.shape[1:3], self.channels + 1)
        return bytes_needed(self._together, self._nested, shape) <= (self.memory or free_memory())


class _Together(nn.Module):
    """A network that takes a mask, as one that takes an image with the mask as its last channel."""

    network: nn.Module
    channels: int

    @nn.compact
    def __call__(self, image: Image) -> jax.Array:
        return self.network(image[..., : self.channels], image[..., self.channels :] > 0)
