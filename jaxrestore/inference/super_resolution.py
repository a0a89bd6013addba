"""Networks for super-resolution as a user wants them: on any picture, at the enlargement that is asked for.

A network that takes images after interpolation gets the whole image enlarged by MATLAB's bicubic `imresize` (its tiles are then cut from
the enlarged image), one with a tail for each scale uses the right tail, and one for a single channel gets the BT.601 luma of the studio
range that it was trained on, while chroma is enlarged by bicubic interpolation.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from jaxrestore.data.images import to_float
from jaxrestore.errors import InputError
from jaxrestore.inference.network import Network
from jaxrestore.models.catalogue import cards_of
from jaxrestore.ops.color import rgb_to_ycbcr, ycbcr_to_rgb
from jaxrestore.ops.resize import imresize
from jaxrestore.typing import Variables


class Enlarger:
    """What a `Restorer` runs for a super-resolution network that takes luma, or images after interpolation.

    Args:
      network: with one channel, or with those of the image.
      before: by how much images are enlarged before the network.
    """

    def __init__(self, network: Network, before: int = 1) -> None:
        self.network, self.before = network, before
        self.name, self.channels, self.takes = network.name, network.channels, network.takes

    @property
    def scale(self) -> int:
        """Enlargement, by interpolation and by the network."""
        return self.before * self.network.scale

    def pieces(self, images: np.ndarray, **inputs: Any) -> Iterator[tuple[tuple[slice, ...], np.ndarray]]:
        """Enlarge images.

        Args:
          images: (N, H, W, 1 or 3), uint8, uint16 or floating point. One channel on a network for one is luma already.
          **inputs: as for `Network.pieces`.

        Yields:
          Where in the result, and what belongs there, in float32.

        Raises:
          InputError: as for `Network.pieces`.
        """
        images = to_float(images)
        if images.shape[-1] == 1 or self.channels != 1:
            yield from self.network.pieces(self._interpolated(images, self.before), **inputs)
            return
        separate = np.asarray(rgb_to_ycbcr(images))
        result = self._interpolated(separate, self.scale)
        for where, luma in self.network.pieces(self._interpolated(separate[..., :1], self.before), **inputs):
            result[..., :1][where] = luma
        yield (slice(None),), np.asarray(ycbcr_to_rgb(result))

    def at_once(self, height: int, width: int, channels: int, most: int) -> int:
        """How many images of this size and number of channels fit the memory together, 1 to `most`."""
        passes = 1 if self.channels == 1 else channels
        return self.network.at_once(height * self.before, width * self.before, passes, most)

    def on(self, device: jax.Device | None, memory: int | None) -> "Enlarger":
        """The same network, computing on this device (None: where it did before) with this much memory (None: as before)."""
        return Enlarger(self.network.on(device, memory), self.before)

    @staticmethod
    def _interpolated(images: np.ndarray, scale: int) -> np.ndarray:
        return images if scale == 1 else np.array(imresize(images, scale))


def network_at_scale(
    name: str,
    model: nn.Module,
    variables: Variables,
    tile: str | int = "auto",
    memory: str | int | None = None,
    sigma: float | int | None = None,
    scale: int | None = None,
) -> Network | Enlarger:
    """A network, for super-resolution with all that belongs to it.

    Args:
      name: what it is called in messages.
      model: as for `Network`.
      variables: its variables.
      tile: as for `Restorer`.
      memory: as for `Restorer`.
      sigma: as for `Restorer`.
      scale: enlargement; None is the network's own.

    Raises:
      InputError: the network has not that enlargement, or has none of its own and none is given; or as for `Network`.
    """
    before = tuple(sorted({s for card in cards_of(model) if card.interpolated for s in card.scales}))
    if before:
        if scale is None:
            raise InputError(f"{name} takes pictures that are enlarged already: give scale, {_choice(before)}")
        _check_scale(name, scale, before)
        return Enlarger(Network(name, model, variables, tile, memory, sigma), int(scale))
    if scale is not None:
        model = _with_tail(name, model, scale)
    network = Network(name, model, variables, tile, memory, sigma)
    if scale is not None:
        _check_scale(name, scale, (network.scale,))
    return Enlarger(network) if network.channels == 1 and network.scale > 1 else network


def _with_tail(name: str, model: nn.Module, scale: int) -> nn.Module:
    """A network for several scales, set to this one; any other network as it is."""
    scales = getattr(model, "scales", ())
    if not scales:
        return model
    _check_scale(name, scale, tuple(sorted({s for s in scales if s > 1})))
    fields = {field.name for field in dataclasses.fields(model)}
    return model.clone(**({"task": scales.index(scale)} if "task" in fields else {"scale": int(scale)}))


def _check_scale(name: str, scale: int, allowed: tuple[int, ...]) -> None:
    if scale in allowed:
        return
    if allowed == (1,):
        raise InputError(f"scale is {scale}: {name} keeps the size of pictures, leave scale out")
    raise InputError(f"scale is {scale}: {name} enlarges by {_choice(allowed)}")


def _choice(scales: tuple[int, ...]) -> str:
    *rest, last = map(str, scales)
    return f"{', '.join(rest)} or {last}" if rest else last
