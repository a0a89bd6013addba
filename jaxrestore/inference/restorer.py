"""`Restorer`: from an image to a restored image of the same dtype and layout, whatever its size."""

import difflib
from os import PathLike
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.classical.catalogue import METHODS, parse
from jaxrestore.data.images import Picture, from_float
from jaxrestore.errors import InputError
from jaxrestore.inference.classical import ClassicalMethod
from jaxrestore.inference.ensemble import VIEWS
from jaxrestore.inference.filler import Filler
from jaxrestore.inference.inputs import mask_of_each
from jaxrestore.inference.network import Network
from jaxrestore.inference.pictures import replace_color
from jaxrestore.inference.super_resolution import Enlarger, network_at_scale
from jaxrestore.models.catalogue import create_model, list_models
from jaxrestore.models.inputs import side_inputs
from jaxrestore.typing import ArrayLike, Variables
from jaxrestore.weights import Weights, list_pretrained, load_weights

_INTEGERS = (np.uint8, np.uint16)


class Restorer:
    """A network with its weights, or a classical method, as a function from an image to an image.

    Args:
      model_or_tag: a catalogue name ("dncnn_gray"), the tag of weights that the package ships ("drunet_color_blind_light.bsds400"), a Flax
        module, or what `load_weights` gave; or a classical method with its arguments ("median:size=5").
      weights: a file, what `load_weights` gave, or variables. Not needed for a tag; for a catalogue name the package's own weights are
        taken where it ships some.
      tile: "auto" (the whole image where it fits the memory, otherwise tiles), "off" (always the whole image), or the largest side of a
        tile in pixels, halo included. Tiles give what the whole image gives, to float noise; a network for which that is impossible is
        refused. Classical methods always take the whole image.
      ensemble: restore the image's eight turned and mirrored views and average them.
      memory: what the computation may use, in bytes or as "2GiB"; by default half of what is free.
      psf: (kh, kw), for methods that take it: the kernel of the blur.
      mask: (H, W), (H, W, 1) or (N, H, W, 1), for methods and networks that take it: True where content is missing.
      sigma: for methods and networks that take it: the noise level in grey levels.
      quality: for methods that take it: the quality that a JPEG was saved with, 1..100.
      scale: the enlargement, for methods that take it, for networks that take images after interpolation (which is done here) and for
        those with several scales in one set of weights; other networks have one of their own.

    Attributes:
      engine: the network or the method: a `Network`, an `Enlarger`, a `Filler` or a `ClassicalMethod`.

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
        *,
        psf: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        sigma: float | int | None = None,
        quality: int | None = None,
        scale: int | None = None,
    ) -> None:
        inputs = _given(psf=psf, mask=mask, sigma=sigma, quality=quality, scale=scale)
        self.engine: Network | Enlarger | Filler | ClassicalMethod
        self._mask = None
        if isinstance(model_or_tag, str) and model_or_tag.split(":")[0].strip() in METHODS:
            self.engine = _classical(model_or_tag, weights, tile, inputs)
        else:
            name, model, variables = _resolve(model_or_tag, weights)
            if "mask" in side_inputs(model):
                _check_taken(name, inputs, ("mask",))
                self.engine, self._mask = Filler(name, model, variables, tile, memory), mask
            else:
                _check_taken(name, inputs, ("sigma", "scale"))
                self.engine = network_at_scale(name, model, variables, tile, memory, sigma, scale)
        if ensemble and isinstance(self.engine, ClassicalMethod) and not self.engine.is_turned_with_the_image:
            raise InputError(f"{self.name} cannot be averaged over turned images: its psf or mask would have to turn with them")
        self.ensemble = ensemble

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
        pixels = _checked(image, self.channels)
        inputs = _given(psf=psf, mask=mask, sigma=sigma, quality=quality)
        if not isinstance(self.engine, ClassicalMethod):
            _check_taken(self.name, inputs, ("mask",) if isinstance(self.engine, Filler) else ("sigma", "scale"))
        if self._mask is not None:
            if mask is not None:
                raise InputError(f"{self.name}: mask is given twice")
            inputs["mask"] = self._mask
        if isinstance(self.engine, Filler) and "mask" in inputs:
            inputs["mask"] = mask_of_each(pixels.shape, inputs["mask"])
        restored = self._restore(pixels, inputs)
        restored = restored.reshape(_layout(pixels.shape, np.ndim(image), self.scale))
        return jnp.asarray(restored) if isinstance(image, jax.Array) else restored

    def restore_picture(self, picture: Picture, **inputs: Any) -> Picture:
        """Restore the colours of a picture; its transparency is kept, enlarged by bicubic interpolation where the picture is.

        Args:
          picture: the picture.
          **inputs: psf, mask, sigma and quality, as for an image.

        Raises:
          InputError: as for an image.
        """
        return replace_color(picture, self(picture.color, **inputs))

    def _restore(self, images: np.ndarray, inputs: dict[str, Any]) -> np.ndarray:
        count, height, width, channels = images.shape
        shape = (count, height * self.scale, width * self.scale, channels)
        if not self.ensemble:
            result = np.empty(shape, images.dtype)
            for where, restored in self.engine.pieces(images, **inputs):
                result[where] = from_float(restored, images.dtype)
            return result
        total = np.zeros(shape, np.float32)
        for view in VIEWS:
            target = view(total)
            turned = {**inputs, "mask": view(inputs["mask"])} if "mask" in inputs else inputs
            for where, restored in self.engine.pieces(view(images), **turned):
                target[where] += restored
        return from_float(total / len(VIEWS), images.dtype)


def _given(**inputs: Any) -> dict[str, Any]:
    return {name: value for name, value in inputs.items() if value is not None}


def _check_taken(name: str, inputs: dict[str, Any], taken: tuple[str, ...]) -> None:
    unknown = sorted(set(inputs) - set(taken))
    if unknown:
        raise InputError(f"{name} takes no {unknown[0]}")


def _classical(text: str, weights: Any, tile: str | int, inputs: dict[str, Any]) -> ClassicalMethod:
    chosen = parse(text)
    if weights is not None:
        raise InputError(f"{chosen.name} is a classical method: it takes no weights")
    if tile not in ("auto", "off"):
        raise InputError(f"{chosen.name} takes the whole image: leave tile at auto")
    return ClassicalMethod(chosen, inputs)


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
        if model_or_tag not in list_models():
            near = difflib.get_close_matches(model_or_tag.split(":")[0], (*list_models(), *METHODS), n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else "`jaxrestore models` lists them all"
            raise InputError(f"unknown model {model_or_tag!r}: {hint}")
        raise InputError(f"{model_or_tag}: the package ships no weights for it; give a file of weights")
    raise InputError(f"{model_or_tag!r} is not among the shipped weights: {', '.join(shipped) or 'there are none'}")


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
    if pixels.shape[-1] not in {1, 3, channels}:
        taken = f"the network takes {channels}; " if channels else ""
        raise InputError(f"image with {pixels.shape[-1]} channels: {taken}give grey or RGB, without transparency")
    return pixels


def _layout(shape: tuple[int, ...], dimensions: int, scale: int) -> tuple[int, ...]:
    count, height, width, channels = shape
    full = (count, height * scale, width * scale, channels)
    return {2: full[1:3], 3: full[1:], 4: full}[dimensions]
