"""`Restorer`: from an image to a restored image of the same dtype and layout, whatever its size."""

import copy
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.data.images import Picture, from_float
from jaxrestore.errors import InputError
from jaxrestore.inference.blending import Blend
from jaxrestore.inference.classical import ClassicalMethod
from jaxrestore.inference.committee import Committee, mean_and_spread, whole
from jaxrestore.inference.engines import Engine, Model, Source, check_taken, make_engines
from jaxrestore.inference.ensemble import VIEWS
from jaxrestore.inference.filler import Filler
from jaxrestore.inference.inputs import mask_of_each
from jaxrestore.inference.memory import parse_memory
from jaxrestore.inference.network import Network
from jaxrestore.inference.pictures import restore_alphas
from jaxrestore.inference.super_resolution import Enlarger
from jaxrestore.typing import ArrayLike

_INTEGERS = (np.uint8, np.uint16)


class Restorer:
    """A network with its weights, or a classical method, as a function from an image to an image.

    Threads may share one, and worker processes may be sent one: it pickles with its variables as NumPy arrays.

    Args:
      model_or_tag: a catalogue name ("dncnn_gray"), the tag of weights that the package ships ("drunet_color_blind_light.bsds400"), a Flax
        module, or what `load_weights` gave; or a classical method with its arguments ("median:size=5"). A list of these restores with all
        of them and averages.
      weights: a file, a folder of files named after their models, what `load_weights` gave, or variables. Not needed for a tag; for a
        catalogue name the package's own weights are taken where it ships some. A list of these is averaged likewise, for one model or
        for a list of as many.
      tile: "auto" (the whole image where it fits the memory, otherwise tiles), "off" (always the whole image), or the largest side of a
        tile in pixels, halo included. Tiles give what the whole image gives, to float noise; a network for which that is impossible is
        refused, unless "blend" or "blend:N" (for tiles of side N) allows overlapping tiles that are blended: they only come near, and
        `blends` says how well they agreed. Classical methods always take the whole image.
      ensemble: restore the image's eight turned and mirrored views and average them; their sum is held in float32, beside what `memory`
        allows.
      memory: what the computation may use beside the image, its result and the weights, in bytes or as "2GiB"; by default half of what is
        free. Tiles are as large as it allows, by what the compiler says of the network.
      psf: (kh, kw), for methods that take it: the kernel of the blur.
      mask: (H, W), (H, W, 1) or (N, H, W, 1), for methods and networks that take it: True where content is missing.
      sigma: for methods and networks that take it: the noise level in grey levels.
      quality: for methods that take it: the quality that a JPEG was saved with, 1..100.
      scale: the enlargement, for methods that take it, for networks that take images after interpolation (which is done here) and for
        those with several scales in one set of weights; other networks have one of their own.

    Attributes:
      engine: the network or the method: a `Network`, an `Enlarger`, a `Filler` or a `ClassicalMethod`, or a `Committee` of several.
      ensemble: as given.
      memory: in bytes, or None for what is free.

    Raises:
      InputError: no such model or weights, weights that do not fit, or a setting that means nothing.
    """

    def __init__(
        self,
        model_or_tag: Model | Sequence[Model],
        weights: Source | Sequence[Source | None] | None = None,
        tile: str | int = "auto",
        ensemble: bool = False,
        memory: str | int | None = None,
        *,
        psf: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        sigma: float | int | None = None,
        quality: int | None = None,
        scale: int | None = None,
    ) -> None:
        inputs = _given(psf=psf, mask=mask, sigma=sigma, quality=quality, scale=scale)
        engines = make_engines(model_or_tag, weights, tile, memory, inputs)
        self.engine: Engine | Committee = engines[0] if len(engines) == 1 else Committee(engines)
        self._mask = mask if isinstance(engines[0], Filler) else None
        for engine in engines:
            if ensemble and isinstance(engine, ClassicalMethod) and not engine.is_turned_with_the_image:
                raise InputError(f"{engine.name} cannot be averaged over turned images: its psf or mask would have to turn with them")
        self.ensemble = ensemble
        self.memory = None if memory is None else parse_memory(memory)

    @property
    def name(self) -> str:
        """The network's name and form, or the method with its arguments."""
        return self.engine.name

    @property
    def channels(self) -> int | None:
        """Image channels of the network; None for a method that takes grey and colour alike."""
        return self.engine.channels

    @property
    def scale(self) -> int:
        """Enlargement.

        Raises:
          InputError: the network's result is no image of the same channels, or the method was given no scale.
        """
        if self.engine.scale is None:
            raise InputError(f"{self.name} needs scale")
        return self.engine.scale

    @property
    def blends(self) -> tuple[Blend, ...]:
        """How well the tiles agreed, for each image that was blended from them so far; only `tile="blend"` ever does that."""
        members = getattr(self.engine, "members", (self.engine,))
        networks = [member.network if isinstance(member, Enlarger) else member for member in members]
        return tuple(found for network in networks if isinstance(network, Network) for found in network.blends)

    @property
    def takes(self) -> tuple[str, ...]:
        """What a call can give beside the image: those of "psf", "mask", "sigma", "quality" and "scale" that are not fixed already."""
        return self.engine.takes if self._mask is None else tuple(name for name in self.engine.takes if name != "mask")

    def __call__(
        self,
        image: np.ndarray | jax.Array,
        *,
        psf: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        sigma: float | int | None = None,
        quality: int | None = None,
    ) -> np.ndarray | jax.Array:
        """Restore an image.

        Args:
          image: uint8, uint16 or floating point with white = 1; (H, W), (H, W, C) or (N, H, W, C) with one or three channels. A grey
            image on a network for colour is repeated over the channels and the result averaged. A colour image on a network for one
            channel is restored channel by channel; where the network enlarges, its BT.601 luma (studio range) goes through the network
            and its chroma is enlarged by bicubic interpolation. Transparency is not an image channel: see `restore_picture`.
          psf: the kernel of this image's blur, where it was not given before.
          mask: what is missing of this image, where it was not given before.
          sigma: the noise level of this image in grey levels, where it was not given before.
          quality: the quality that this image was saved with as a JPEG, where it was not given before.

        Returns:
          The restored image in the same dtype and layout, each side multiplied by the scale. Integers are clipped to their range and
          rounded once; floating point is what the network or method gives, not clipped. NumPy for NumPy, JAX for JAX.

        Raises:
          InputError: dtype, shape or channels are none of these, a pixel is NaN or infinite, or something that is needed was not given.
        """
        pixels, inputs = self._prepared(image, _given(psf=psf, mask=mask, sigma=sigma, quality=quality))
        return _as_given(image, self._restore(pixels, inputs), self.scale)

    def with_spread(self, image: np.ndarray | jax.Array, **inputs: Any) -> tuple[np.ndarray | jax.Array, np.ndarray | jax.Array]:
        """Restore an image with several networks, and say where they disagree.

        Args:
          image: as for a call.
          **inputs: psf, mask, sigma and quality, as for a call.

        Returns:
          The restored image, and the standard deviation of each of its pixels over the networks (their number is the divisor) in the
          unit of white = 1, in float32 and of the same layout. With `ensemble`, each network's result is its mean over the eight views.

        Raises:
          InputError: as for a call, or there is only one network.
        """
        if self.members == 1:
            raise InputError(f"{self.name} is alone: a spread needs several models or weights")
        pixels, inputs = self._prepared(image, _given(**inputs))
        mean, spread = mean_and_spread(self._floats(member, pixels, inputs) for member in self._members)
        return _as_given(image, from_float(mean, pixels.dtype), self.scale), _as_given(image, spread, self.scale)

    def restore_picture(self, picture: Picture, **inputs: Any) -> Picture:
        """Restore the colours of a picture; its profile and EXIF are kept.

        Its transparency is kept bit for bit, or enlarged by the network where that enlarges (`pictures.restore_alphas`).

        Args:
          picture: the picture.
          **inputs: psf, mask, sigma and quality, as for an image.

        Raises:
          InputError: as for an image.
        """
        return self.restore_pictures([picture], **inputs)[0]

    def restore_pictures(self, pictures: Sequence[Picture], **inputs: Any) -> list[Picture]:
        """Restore pictures together; for each what `restore_picture` gives, to float noise.

        Args:
          pictures: of one size, type and number of channels.
          **inputs: psf, mask, sigma and quality, as for images.

        Raises:
          InputError: as for images.
        """
        return self._with_alphas(pictures, self(_stacked(pictures), **inputs), inputs)

    def restore_pictures_with_spread(self, pictures: Sequence[Picture], **inputs: Any) -> tuple[list[Picture], np.ndarray]:
        """As `restore_pictures`, and the spread of the colours (N, H', W', C) as in `with_spread`."""
        colors, spread = self.with_spread(_stacked(pictures), **inputs)
        return self._with_alphas(pictures, colors, inputs), spread

    def at_once(self, height: int, width: int, channels: int, most: int) -> int:
        """How many images of this size are worth restoring together: as many as fit the memory, 1 to `most`."""
        return self.engine.at_once(height, width, channels, most)

    def on(self, device: jax.Device | None, memory: int | None = None) -> "Restorer":
        """The same restorer, computing on another device.

        Args:
          device: where its variables are copied to; None leaves them where they are.
          memory: what it may use there, in bytes; None as before.
        """
        moved = copy.copy(self)
        moved.engine, moved.memory = self.engine.on(device, memory), memory or self.memory
        return moved

    @property
    def members(self) -> int:
        """How many networks or methods restore together."""
        return len(self._members)

    @property
    def _members(self) -> tuple[Engine, ...]:
        return self.engine.members if isinstance(self.engine, Committee) else (self.engine,)

    def _prepared(self, image: np.ndarray | jax.Array, inputs: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
        """The image as (N, H, W, C), and what goes in beside it, checked."""
        pixels = _checked(image, self.channels)
        for member in self._members:
            if not isinstance(member, ClassicalMethod):
                check_taken(member.name, inputs, ("mask",) if isinstance(member, Filler) else ("sigma", "scale"))
        if self._mask is not None:
            if "mask" in inputs:
                raise InputError(f"{self.name}: mask is given twice")
            inputs["mask"] = self._mask
        if "mask" in inputs and isinstance(self._members[0], Filler):
            inputs["mask"] = mask_of_each(pixels.shape, inputs["mask"])
        return pixels, inputs

    def _with_alphas(self, pictures: Sequence[Picture], colors: np.ndarray, inputs: dict[str, Any]) -> list[Picture]:
        alphas = restore_alphas(lambda images: self(images, **inputs), self.scale, pictures)
        return [picture.with_color(color, alpha) for picture, color, alpha in zip(pictures, colors, alphas, strict=True)]

    def _restore(self, images: np.ndarray, inputs: dict[str, Any]) -> np.ndarray:
        if self.ensemble or self.members > 1:
            results = (self._floats(member, images, inputs) for member in self._members)
            return from_float(next(results) if self.members == 1 else mean_and_spread(results)[0], images.dtype)
        count, height, width, channels = images.shape
        result = np.empty((count, height * self.scale, width * self.scale, channels), images.dtype)
        for where, restored in self.engine.pieces(images, **inputs):
            result[where] = from_float(restored, images.dtype)
            del restored  # before the next tile is computed
        return result

    def _floats(self, engine: Engine, images: np.ndarray, inputs: dict[str, Any]) -> np.ndarray:
        """One network's result in float32: of the images, or averaged over their eight views."""
        if not self.ensemble:
            return whole(engine, images, inputs)
        count, height, width, channels = images.shape
        total = np.zeros((count, height * self.scale, width * self.scale, channels), np.float32)
        for view in VIEWS:
            target = view(total)
            turned = {**inputs, "mask": view(inputs["mask"])} if "mask" in inputs else inputs
            for where, restored in engine.pieces(view(images), **turned):
                target[where] += restored
        total /= len(VIEWS)
        return total


def _stacked(pictures: Sequence[Picture]) -> np.ndarray:
    """The colours (N, H, W, C); those of one picture are not copied."""
    return pictures[0].color[None] if len(pictures) == 1 else np.stack([picture.color for picture in pictures])


def _given(**inputs: Any) -> dict[str, Any]:
    return {name: value for name, value in inputs.items() if value is not None}


def _as_given(image: np.ndarray | jax.Array, restored: np.ndarray, scale: int) -> np.ndarray | jax.Array:
    """The result (N, H, W, C) in the layout of the image and its kind of array."""
    shape = image.shape if image.ndim > 2 else (*image.shape, 1)
    shape = (*shape[:-3], scale * shape[-3], scale * shape[-2], shape[-1])[: None if image.ndim > 2 else 2]
    return jnp.asarray(restored.reshape(shape)) if isinstance(image, jax.Array) else restored.reshape(shape)


def _checked(image: np.ndarray | jax.Array, channels: int | None) -> np.ndarray:
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
    usual = channels in (None, 1, 3)
    if pixels.shape[-1] not in ((1, 3) if usual else (1, channels)):
        taken = f"the network takes {channels}; " if channels else ""
        wanted = "grey or RGB, without transparency" if usual else "as many, or grey"
        raise InputError(f"image with {pixels.shape[-1]} channels: {taken}give {wanted}")
    return pixels
