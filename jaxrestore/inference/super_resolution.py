"""Networks for super-resolution as a user wants them: on any picture, at the enlargement that is asked for.

A network that takes images after interpolation gets the image enlarged by MATLAB's bicubic `imresize` (its tiles are cut from the enlarged
image, which is only ever made in these parts), one with a tail for each scale uses the right tail, and one for a single channel gets the
BT.601 luma of the studio range that it was trained on, while chroma is enlarged by bicubic interpolation.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.inference.network import Network
from jaxrestore.inference.views import Enlarged, Images, Transformed
from jaxrestore.models.catalogue import cards_of
from jaxrestore.ops.color import rgb_to_ycbcr, ycbcr_to_rgb
from jaxrestore.typing import Variables

_to_ycbcr, _to_rgb = jax.jit(rgb_to_ycbcr), jax.jit(ycbcr_to_rgb)


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

    def pieces(self, images: Images, **inputs: Any) -> Iterator[tuple[tuple[slice, ...], np.ndarray]]:
        """Enlarge images.

        Args:
          images: (N, H, W, 1 or 3), uint8, uint16 or floating point. One channel on a network for one is luma already.
          **inputs: as for `Network.pieces`.

        Yields:
          Where in the result, and what belongs there, in float32.

        Raises:
          InputError: as for `Network.pieces`.
        """
        if images.shape[-1] == 1 or self.channels != 1:
            yield from self.network.pieces(_enlarged(images, self.before), **inputs)
            return
        separate = Transformed(images, lambda x: np.asarray(_to_ycbcr(x)), 3)
        luma = _enlarged(Transformed(separate, lambda x: x[..., :1], 1), self.before)
        enlarged = _enlarged(separate, self.scale)
        for where, restored in self.network.pieces(luma, **inputs):
            result = np.array(enlarged[where])
            result[..., :1] = restored
            del restored
            yield where, np.asarray(_to_rgb(result))

    def at_once(self, height: int, width: int, channels: int, most: int) -> int:
        """How many images of this size and number of channels fit the memory together, 1 to `most`."""
        passes = 1 if self.channels == 1 else channels
        return self.network.at_once(height * self.before, width * self.before, passes, most)

    def on(self, device: jax.Device | None, memory: int | None) -> "Enlarger":
        """The same network, computing on this device (None: where it did before) with this much memory (None: as before)."""
        return Enlarger(self.network.on(device, memory), self.before)


def _enlarged(images: Images, scale: int) -> Images:
    return images if scale == 1 else Enlarged(images, scale)


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
