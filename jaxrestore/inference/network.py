"""A network with its weights, run on whole images or on tiles, as the memory allows."""

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.inference.blending import Blend
from jaxrestore.inference.channels import with_channels
from jaxrestore.inference.compiled_memory import compiled_bytes
from jaxrestore.inference.field import ReceptiveField, apply_network
from jaxrestore.inference.memory import bytes_per_pixel, free_memory, gibibytes, parse_memory
from jaxrestore.inference.placed import Placed, halved_until
from jaxrestore.inference.planning import largest_side
from jaxrestore.inference.receptive_field import receptive_field
from jaxrestore.inference.tiling import Tiling
from jaxrestore.inference.views import Images
from jaxrestore.models.inputs import side_inputs, takes_an_image
from jaxrestore.ops.checks import check_range
from jaxrestore.typing import Image, Variables

_LEVELS = 255.0
# An image that takes less than this share of the budget by the estimate is restored whole without a closer look.
_CLEARLY = 0.3


class Network(Placed):
    """What a `Restorer` runs when it restores with a network.

    Args:
      name: what it is called in messages.
      model: takes (N, H, W, channels) in [0, 1]; one that is not blind also takes `noise_level` (N, H, W, 1), the noise's standard
        deviation in the image's unit.
      variables: its variables.
      tile: as for `Restorer`.
      memory: as for `Restorer`.
      sigma: noise level in grey levels for a network that is not blind; None where each call gives it.

    Raises:
      InputError: a setting that means nothing, a noise level for a network that takes none, or a network that takes no image.

    Attributes:
      blends: how well the tiles agreed, for each image that was blended from them.
    """

    def __init__(
        self,
        name: str,
        model: nn.Module,
        variables: Variables,
        tile: str | int = "auto",
        memory: str | int | None = None,
        sigma: float | int | None = None,
    ) -> None:
        if not takes_an_image(model):
            raise InputError(f"{name} does not restore images: {type(model).__name__} takes something else than an image")
        self.name, self.model = name, model
        self.variables: Variables = jax.device_put(variables)
        self.blend, self.tile = _parse_tile(tile)
        self.blends: list[Blend] = []
        self.memory = None if memory is None else parse_memory(memory)
        self.channels: int = getattr(model, "channels", 3)
        self.takes = ("sigma",) if "noise_level" in side_inputs(model) else ()
        self.needs = self.takes
        self._levels: dict[float, Network] = {}
        if sigma is not None:
            fixed = self._at(sigma)
            self.model, self.variables, self.takes, self.needs = fixed.model, fixed.variables, (), ()

    @cached_property
    def scale(self) -> int:
        """Enlargement of the network.

        Raises:
          InputError: its result is no image of the same channels.
        """
        if self.needs:
            return self._at(0).scale
        side = 48
        image = jax.ShapeDtypeStruct((1, side, side, self.channels), np.float32)
        result = jax.eval_shape(self.model.apply, self.variables, image).shape
        if len(result) != 4 or result[-1] != self.channels or result[1] % side or result[1] != result[2]:
            raise InputError(f"{self.name} makes {result} of {image.shape}: it does not restore images")
        return result[1] // side

    @cached_property
    def receptive_field(self) -> ReceptiveField:
        """What an output pixel depends on; found in the traced network when first asked for."""
        return receptive_field(self.model, self.variables, self.channels)

    @cached_property
    def _bytes_per_pixel(self) -> float:
        return bytes_per_pixel(self.model, self.variables, self.channels)

    def pieces(self, images: Images, sigma: float | int | None = None) -> Iterator[tuple[tuple[slice, ...], np.ndarray]]:
        """Restore images in pieces that fit the memory.

        Args:
          images: (N, H, W, 1, 3 or the network's channels), uint8, uint16 or floating point.
          sigma: noise level in grey levels, for a network that takes one.

        Yields:
          Where in the result, and what belongs there, in float32.

        Raises:
          InputError: a noise level is missing or not wanted, or the images fit the memory in no way.
        """
        if sigma is not None or self.needs:
            yield from self._at(sigma).pieces(images)
            return
        count, height, width, channels = images.shape
        passes = channels if self.channels == 1 else 1
        side = self._side(height, width, passes, images.dtype.itemsize * channels * width, once=count == 1)
        if side is None and self._fits(count * height * width * passes):
            yield (slice(None),), self._run(images[:], once=count == 1)
            return
        for n in range(count):
            if side is None:
                yield (slice(n, n + 1),), self._run(images[n : n + 1], once=count == 1)
                continue
            yield from self._tiles(images, n, side, passes)

    def _tiles(self, images: Images, number: int, side: int, passes: int) -> Iterator[tuple[tuple[slice, ...], np.ndarray]]:
        """One image in tiles, in the way that the network allows."""
        tiling = Tiling(self.model, self.variables, self.channels, self.receptive_field, self.scale, self._run)
        if tiling.field.with_statistics().radius is None:
            restored, report = tiling.blended(images, number, side)
            self.blends.append(report)
            yield (slice(number, number + 1),), restored
            return
        left = self.budget // 2 if self.tile == "auto" else max(self.budget - int(side**2 * passes * self._bytes_per_pixel), 0)
        yield from tiling.exact(images, number, side, left)

    def _at(self, sigma: float | int | None) -> "Network":
        """This network at one noise level."""
        if not self.takes:
            raise InputError(f"{self.name} takes no noise level: leave sigma out")
        if sigma is None:
            raise InputError(f"{self.name} needs the noise level: give sigma in grey levels")
        check_range("sigma", sigma, low=0.0)
        level = float(sigma)
        network = self._levels.get(level)  # another thread may replace the dictionary meanwhile
        if network is None:
            variables = {collection: {"network": tree} for collection, tree in self.variables.items()}
            model = _AtNoiseLevel(self.model, level / _LEVELS, self.channels)
            network = Network(self.name, model, variables, self.tile, self.memory)
            network.blend, network.blends = self.blend, self.blends
            self._levels = {level: network}
        return network

    def at_once(self, height: int, width: int, channels: int, most: int) -> int:
        """How many images of this size and number of channels fit the memory together, 1 to `most`.

        Always 1 for a network that draws pixels one after the other: what it draws would depend on the others.
        """
        if self.needs or getattr(self.model, "sequential", False):
            return 1
        if isinstance(self.tile, int) and max(height, width) > self.tile:
            return 1
        pixels = height * width * (channels if self.channels == 1 else 1)
        return halved_until(lambda count: self._fits(count * pixels), most)

    def _unshared(self) -> dict[str, Any]:
        return {"_levels": {}}

    def _run(self, images: np.ndarray, once: bool = False) -> np.ndarray:
        """The network on (N, H, W, C) of any accepted dtype and channels; `once` for a size that is not expected again."""
        return with_channels(lambda x: apply_network(self.model, self.variables, jnp.asarray(x), once), images, self.channels)

    def _fits(self, pixels: int) -> bool:
        if self.tile == "off":
            return True
        return pixels * self._bytes_per_pixel <= self.budget

    @property
    def budget(self) -> int:
        """Bytes that a computation may use."""
        return self.memory or free_memory()

    def planned_bytes(self, shape: tuple[int, int, int, int], once: bool = False) -> int:
        """What running the network on images of this shape (N, H, W, C) takes; it is compiled for them."""
        return compiled_bytes(self.model, self.variables, shape, once)

    def _side(self, height: int, width: int, passes: int, row: int = 0, once: bool = False) -> int | None:
        """Side of the tiles for an image of this size, or None for the whole image.

        `row`: bytes of a row of the stored image; `once`: whether a whole image would be the only one.
        """
        if isinstance(self.tile, int):
            return self._checked_side(self.tile, height, width)
        budget, estimate = self.budget, height * width * passes * self._bytes_per_pixel

        def needed(tile: tuple[int, int]) -> int:  # the rows of a band of tiles, read and restored, wait in memory
            alone = once and tile == (height, width)
            return self.planned_bytes((passes, *tile, self.channels), alone) + tile[0] * row * (1 + self.scale**2)

        if self.tile == "off" or estimate <= _CLEARLY * budget or (estimate <= budget and needed((height, width)) <= budget):
            return None
        field = self.receptive_field.with_statistics()
        if field.radius is None and needed((height, width)) <= budget:
            return None  # the estimate says more than the compiler
        if self.receptive_field.is_streamable:
            budget //= 2  # the other half keeps tiles from one statistic to the next
        guess = math.isqrt(int(budget / self._bytes_per_pixel / passes))
        checked = self._checked_side(guess, height, width)
        return largest_side(self.name, height, width, field, guess, budget, needed) if field.radius is not None else checked

    def _checked_side(self, side: int, height: int, width: int) -> int | None:
        if max(height, width) <= side and self.tile != "auto":
            return None
        field = self.receptive_field.with_statistics()
        if field.radius is None:
            if self.blend:
                return side
            needed = f"about {gibibytes(height * width * self._bytes_per_pixel)} for {width}x{height} pixels"
            raise InputError(
                f"{self.name} cannot be tiled exactly, its field is global ({field.reason}): it needs {needed}; allow more memory, "
                "or ask for blended tiles, which only come near (tile blend)"
            )
        return side


class _AtNoiseLevel(nn.Module):
    """A network that takes a map of the noise level, at one level."""

    network: nn.Module
    level: float
    channels: int

    @nn.compact
    def __call__(self, image: Image) -> Image:
        return self.network(image, jnp.full_like(image[..., :1], self.level))


def _parse_tile(tile: str | int) -> tuple[bool, str | int]:
    """Whether tiles may be blended, and "auto", "off" or the side."""
    kind, _, number = str(tile).partition(":")
    blend = kind == "blend"
    if tile in ("auto", "off", "blend"):
        return blend, "auto" if blend else str(tile)
    try:
        side = int(number if blend else tile)
    except (TypeError, ValueError):
        side = 0
    if side < 1:
        raise InputError(f"tile {tile!r} is not auto, off, a number of pixels, blend or blend:N")
    return blend, side
