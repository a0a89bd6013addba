"""`Restorer`: from an image to a restored image of the same dtype and layout, whatever its size."""

import math
from collections.abc import Iterator
from functools import cached_property
from os import PathLike

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.data.images import Picture, from_float, to_float
from jaxrestore.errors import InputError
from jaxrestore.inference.ensemble import VIEWS
from jaxrestore.inference.memory import bytes_per_pixel, free_memory, parse_memory
from jaxrestore.inference.pictures import replace_color
from jaxrestore.inference.receptive_field import ReceptiveField, apply_network, receptive_field
from jaxrestore.inference.tiles import plan, smallest_tile
from jaxrestore.models.catalogue import create_model, model_card
from jaxrestore.typing import Variables
from jaxrestore.weights import Weights, list_pretrained, load_weights

_INTEGERS = (np.uint8, np.uint16)


class Restorer:
    """A network with its weights, as a function from an image to an image.

    Args:
      model_or_tag: a catalogue name ("dncnn_gray"), the tag of weights that the package ships ("drunet_color_blind_light.bsds400"), a Flax
        module, or what `load_weights` gave.
      weights: a file, what `load_weights` gave, or variables. Not needed for a tag; for a catalogue name the package's own weights are
        taken where it ships some.
      tile: "auto" (the whole image where it fits the memory, otherwise tiles), "off" (always the whole image), or the largest side of a
        tile in pixels, halo included. Tiles give what the whole image gives, to float noise; a network for which that is impossible is
        refused.
      ensemble: restore the image's eight turned and mirrored views and average them.
      memory: what the computation may use, in bytes or as "2GiB"; by default half of what is free.

    Raises:
      InputError: no such model or weights, weights that do not fit, or a setting that means nothing.
    """

    def __init__(
        self,
        model_or_tag: str | nn.Module | Weights,
        weights: str | PathLike | Weights | Variables | None = None,
        tile: str | int = "auto",
        ensemble: bool = False,
        memory: str | int | None = None,
    ) -> None:
        self.name, self.model, variables = _resolve(model_or_tag, weights)
        self.variables: Variables = jax.device_put(variables)
        self.tile = _parse_tile(tile)
        self.ensemble = ensemble
        self.memory = None if memory is None else parse_memory(memory)
        self.channels: int = getattr(self.model, "channels", 3)

    @cached_property
    def scale(self) -> int:
        """Enlargement of the network.

        Raises:
          InputError: its result is no image of the same channels.
        """
        side = 48
        image = jax.ShapeDtypeStruct((1, side, side, self.channels), np.float32)
        result = jax.eval_shape(self.model.apply, self.variables, image).shape
        if len(result) != 4 or result[-1] != self.channels or result[1] % side or result[1] != result[2]:
            raise InputError(f"{self.name} makes {result} of {image.shape}: it does not restore images")
        return result[1] // side

    @cached_property
    def receptive_field(self) -> ReceptiveField:
        """What an output pixel depends on; measured when first asked for."""
        return receptive_field(self.model, self.variables, self.channels)

    @cached_property
    def _bytes_per_pixel(self) -> float:
        return bytes_per_pixel(self.model, self.variables, self.channels)

    def __call__(self, image: np.ndarray | jax.Array) -> np.ndarray | jax.Array:
        """Restore an image.

        Args:
          image: uint8, uint16 or floating point with white = 1; (H, W), (H, W, C) or (N, H, W, C) with one or three channels. A grey
            image on a network for colour is repeated over the channels and the result averaged; a colour image on a network for one
            channel is restored channel by channel. Transparency is not an image channel: see `restore_picture`.

        Returns:
          The restored image in the same dtype and layout, each side multiplied by the network's scale. Integers are clipped to their
          range and rounded once; floating point is what the network gives, not clipped. NumPy for NumPy, JAX for JAX.

        Raises:
          InputError: dtype, shape or channels are none of these, or a pixel is NaN or infinite.
        """
        pixels = _checked(image, self.channels)
        restored = self._restore(pixels).reshape(_layout(pixels.shape, np.ndim(image), self.scale))
        return jnp.asarray(restored) if isinstance(image, jax.Array) else restored

    def restore_picture(self, picture: Picture) -> Picture:
        """Restore the colours of a picture; its transparency is kept, enlarged by bicubic interpolation where the network enlarges.

        Raises:
          InputError: as for an image.
        """
        return replace_color(picture, self(picture.color))

    def _restore(self, images: np.ndarray) -> np.ndarray:
        count, height, width, channels = images.shape
        shape = (count, height * self.scale, width * self.scale, channels)
        if not self.ensemble:
            result = np.empty(shape, images.dtype)
            for where, restored in self._pieces(images):
                result[where] = from_float(restored, images.dtype)
            return result
        total = np.zeros(shape, np.float32)
        for view in VIEWS:
            target = view(total)
            for where, restored in self._pieces(view(images)):
                target[where] += restored
        return from_float(total / len(VIEWS), images.dtype)

    def _pieces(self, images: np.ndarray) -> Iterator[tuple[tuple[slice, ...], np.ndarray]]:
        """Where in the result, and what belongs there, in float."""
        count, height, width, channels = images.shape
        passes = channels if self.channels == 1 else 1
        side = self._side(height, width, passes)
        if side is None and self._fits(count * height * width * passes):
            yield (slice(None),), self._run(images)
            return
        for n in range(count):
            if side is None:
                yield (slice(n, n + 1),), self._run(images[n : n + 1])
                continue
            for tile in plan(height, width, side, self.receptive_field):
                restored = self._run(images[n : n + 1, *tile.source()])
                yield (slice(n, n + 1), *tile.target(self.scale)), restored[:, *tile.core(self.scale)]

    def _run(self, images: np.ndarray) -> np.ndarray:
        """The network on (N, H, W, C) of any accepted dtype and channels."""
        count, height, width, channels = images.shape
        x = to_float(images)
        if self.channels == 1:
            x = np.moveaxis(x, -1, 1).reshape(count * channels, height, width, 1)
        elif channels == 1:
            x = np.repeat(x, self.channels, axis=-1)
        y = np.asarray(apply_network(self.model, self.variables, jnp.asarray(x)), np.float32)
        if self.channels == 1:
            return np.moveaxis(y.reshape(count, channels, *y.shape[1:3]), 1, -1)
        return y.mean(axis=-1, keepdims=True) if channels == 1 else y

    def _fits(self, pixels: int) -> bool:
        if self.tile == "off":
            return True
        return pixels * self._bytes_per_pixel <= self._budget

    @property
    def _budget(self) -> int:
        return self.memory or free_memory()

    def _side(self, height: int, width: int, passes: int) -> int | None:
        """Side of the tiles for an image of this size, or None for the whole image."""
        if isinstance(self.tile, int):
            side = self.tile
        elif self._fits(height * width * passes):
            return None
        else:
            side = math.isqrt(int(self._budget / self._bytes_per_pixel / passes))
        if max(height, width) <= side:
            return None
        needed = f"about {_gibibytes(height * width * passes * self._bytes_per_pixel)} for {width}x{height} pixels"
        if self.receptive_field.radius is None:
            raise InputError(
                f"{self.name} cannot be tiled exactly, {self.receptive_field.reason}: it needs {needed}; "
                "allow more memory, turn tiles off, or take a smaller image"
            )
        smallest = smallest_tile(self.receptive_field)
        if side < smallest and self.tile == "auto":
            least = _gibibytes(smallest**2 * passes * self._bytes_per_pixel)
            raise InputError(f"{self.name} needs at least {least} of memory even in tiles ({needed} as a whole): allow that much")
        return side


def _resolve(
    model_or_tag: str | nn.Module | Weights, weights: str | PathLike | Weights | Variables | None
) -> tuple[str, nn.Module, Variables]:
    """What the network is called, the network, and its variables."""
    if isinstance(model_or_tag, Weights):
        weights = model_or_tag
    elif weights is None:
        weights = _shipped(model_or_tag)
    elif isinstance(weights, str | PathLike):
        weights = load_weights(weights, model_or_tag)
    if isinstance(weights, Weights):
        name = weights.name or type(weights.model).__name__
        return f"{name} ({weights.form})" if weights.form else name, weights.model, weights.variables
    if isinstance(model_or_tag, str):
        return model_or_tag, create_model(model_or_tag), weights
    return type(model_or_tag).__name__, model_or_tag, weights


def _shipped(model_or_tag: str | nn.Module) -> Weights:
    if isinstance(model_or_tag, nn.Module):
        raise InputError(f"{type(model_or_tag).__name__} has no weights: give variables or a file")
    shipped = list_pretrained()
    tag = model_or_tag if model_or_tag in shipped else next((t for t in shipped if t.split(".")[0] == model_or_tag), None)
    if tag is not None:
        return load_weights(tag)
    if "." not in model_or_tag:
        model_card(model_or_tag)  # an unknown name is told with the nearest known ones
        raise InputError(f"{model_or_tag}: the package ships no weights for it; give a file of weights")
    raise InputError(f"{model_or_tag!r} is not among the shipped weights: {', '.join(shipped) or 'there are none'}")


def _parse_tile(tile: str | int) -> str | int:
    if tile in ("auto", "off"):
        return tile
    try:
        side = int(tile)
    except (TypeError, ValueError):
        side = 0
    if side < 1:
        raise InputError(f"tile {tile!r} is not auto, off or a number of pixels")
    return side


def _checked(image: np.ndarray | jax.Array, channels: int) -> np.ndarray:
    """The image as (N, H, W, C)."""
    pixels = np.asarray(image)
    if pixels.dtype not in _INTEGERS and not jnp.issubdtype(pixels.dtype, jnp.floating):
        raise InputError(f"image of type {pixels.dtype}: uint8, uint16 or floating point with white = 1 is needed")
    if pixels.ndim not in (2, 3, 4) or 0 in pixels.shape:
        raise InputError(f"image of shape {pixels.shape}: (H, W), (H, W, C) or (N, H, W, C) is needed, with at least one pixel")
    if pixels.dtype not in _INTEGERS and not np.isfinite(pixels).all():
        raise InputError("image has NaN or infinite pixels: replace them first")
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    pixels = pixels[None] if pixels.ndim == 3 else pixels
    if pixels.shape[-1] not in {1, 3, channels}:
        raise InputError(f"image with {pixels.shape[-1]} channels: the network takes {channels}; give grey or RGB, without transparency")
    return pixels


def _layout(shape: tuple[int, ...], dimensions: int, scale: int) -> tuple[int, ...]:
    count, height, width, channels = shape
    full = (count, height * scale, width * scale, channels)
    return {2: full[1:3], 3: full[1:], 4: full}[dimensions]


def _gibibytes(amount: float) -> str:
    return f"{amount / 2**30:.2g} GiB"
