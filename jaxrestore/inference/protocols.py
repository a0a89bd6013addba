"""Protocols of the literature: how the degraded images of a benchmark are made from its clean ones.

- denoise: noise of `numpy.random.RandomState(seed)`, drawn image after image in the order of the file names, `randn(H, W, C) * sigma` in
  grey levels, neither clipped nor rounded.
- sr: the clean image cropped to a multiple of the scale and shrunk by MATLAB's bicubic `imresize`; RGB is rounded to 8 bits, luma is not.
- jpeg: compressed with libjpeg at a quality, chroma at half the resolution (4:2:0).
- deblur: convolved with a given kernel, the image going on periodically, and noise added as for denoise.
- inpaint: content erased as a recipe or given masks say.
- any task: degraded by a recipe instead, with a key made of the seed and the file's name, as `jaxrestore degrade` does.
- ready pairs, for every task: degraded images from one folder, clean ones of the same names from another.

What a restorer may need to know comes with each pair: the noise level, the kernel, the mask.

A network with one channel is measured on the BT.601 luma of colour images: of the studio range for sr and jpeg, of the full range (grey)
otherwise.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from jaxrestore.data.images import Picture, by_stem, find_images, from_float, read_image, to_float, upright
from jaxrestore.degradations.erased import recipe_mask
from jaxrestore.degradations.recipes import Recipe, parse
from jaxrestore.errors import InputError
from jaxrestore.inference.inputs import check_mask, picture_key, read_mask, read_psf
from jaxrestore.ops.color import luma_studio, rgb_to_gray
from jaxrestore.ops.filtering import filter_2d
from jaxrestore.ops.resize import imresize

_LEVELS = 255.0


@dataclass(frozen=True, eq=False)
class Pair:
    """An image to restore and the truth.

    Attributes:
      name: file name of the clean image.
      degraded: (h, w, C) float32, what the network gets; noise may leave [0, 1].
      clean: (H, W, C) float32 in [0, 1].
      baseline: what the restored image is compared with, of the clean image's size: the degraded image itself, or enlarged by bicubic
        interpolation; None where there is no such image.
      remark: what was done to the image so that the network can take it; empty for nothing.
      inputs: what is known of the degradation and a restorer may need: "sigma" in grey levels, "psf" (kh, kw), "mask"
        (h, w, 1), "quality" of a JPEG.
    """

    name: str
    degraded: np.ndarray
    clean: np.ndarray
    baseline: np.ndarray | None = None
    remark: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """An image that cannot be used, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Protocol:
    """How degraded images are made.

    Attributes:
      task: "sr", "denoise", "jpeg", "deblur" or "inpaint", or a card's name for it.
      scale: for sr: the enlargement.
      sigma: for denoise and deblur: the standard deviation of the noise in grey levels; None is 25 for denoise and 2 for deblur. With a
        recipe or ready pairs, what restorers are told of the noise, or None.
      quality: for jpeg: 1 to 100.
      seed: of what is random.
      channels: what the network takes: 1 or 3.
      psf: for deblur: the kernel, as `read_psf` reads it.
      recipe: degrades instead of the task's standard way; for inpaint it also says what is missing.
      mask: for inpaint: file or folder of the masks, as `read_mask` reads them; missing content is black.

    Raises:
      InputError: an unknown task, or a value outside its range.
    """

    task: str
    scale: int = 1
    sigma: float | int | None = None
    quality: int = 10
    seed: int = 0
    channels: int = 3
    psf: str | None = None
    recipe: str | None = None
    mask: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "task", _SHORT.get(self.task, self.task))
        if self.task not in _SHORT.values():
            raise InputError(f"task {self.task!r} is unknown: take {', '.join(_SHORT.values())}")
        if self.channels not in (1, 3):
            raise InputError(f"channels is {self.channels}: pictures are evaluated with 1 channel or 3")
        _check_range("scale", self.scale, 1, 64)
        _check_range("sigma", self.noise, 0, 1000)
        _check_range("quality", self.quality, 1, 100)
        _check_range("seed", self.seed, 0, 2**32 - 1)

    def as_dict(self, ready: bool = False) -> dict[str, Any]:
        """What matters for the task, ready for JSON; `ready` for pairs that were not made here."""
        if ready:
            made = {"scale": self.scale} if self.task == "sr" else {}
            return {"task": self.task, **made, "input": "ready pairs"}
        if self.recipe is not None:
            return {"task": self.task, "recipe": str(self._recipe), "seed": self.seed}
        noise = {"sigma": self.noise, "seed": self.seed}
        made = {
            "sr": {
                "scale": self.scale,
                "input": "MATLAB bicubic" + (", rounded to 8 bits" if self.channels == 3 else " of the luma, not rounded"),
            },
            "denoise": {**noise, "input": "Gaussian noise, numpy RandomState, not clipped"},
            "jpeg": {"quality": self.quality, "input": "libjpeg" + (", chroma 4:2:0" if self.channels == 3 else " on the luma")},
            "deblur": {"psf": self.psf, **noise, "input": "periodic convolution, Gaussian noise, numpy RandomState, not clipped"},
            "inpaint": {"mask": self.mask, "input": "black where content is missing"},
        }
        return {"task": self.task, **made[self.task]}

    @property
    def noise(self) -> float | int:
        """Standard deviation of the noise that is added, in grey levels."""
        return _NOISE.get(self.task, 0.0) if self.sigma is None else self.sigma

    @property
    def known(self) -> dict[str, Any]:
        """What is known of every degraded image, made here or not."""
        known = {} if self.sigma is None else {"sigma": self.sigma}
        return known if self._kernel is None else {**known, "psf": self._kernel}

    @cached_property
    def _kernel(self) -> np.ndarray | None:
        return None if self.psf is None else read_psf(self.psf)

    @cached_property
    def _recipe(self) -> Recipe | None:
        return None if self.recipe is None else parse(self.recipe)

    def degrade(self, name: str, clean: np.ndarray, random: np.random.RandomState) -> Pair:
        """Make the degraded image of a clean one.

        Args:
          name: what the image is called.
          clean: (H, W, channels) float32 in [0, 1].
          random: where noise is drawn from; one for a whole set of images.

        Raises:
          InputError: the task has only ready pairs, or the image is too small for it.
        """
        self.check_can_degrade()
        if self._recipe is not None:
            key = picture_key(self.seed, name)
            degraded = np.asarray(self._recipe(key, clean))
            missing = {"mask": recipe_mask(self._recipe, key, clean.shape)} if self.task == "inpaint" else {}
            return _pair(name, degraded, clean, {**self.known, **missing})
        if self.task == "inpaint":
            mask = self.mask_of(name)
            check_mask(mask, clean.shape)
            return Pair(name, np.where(mask, np.float32(0), clean), clean, np.where(mask, np.float32(0), clean), inputs={"mask": mask})
        made = {"jpeg": {"quality": self.quality}, **{task: {"sigma": self.noise} for task in _NOISE}}.get(self.task, {})
        return Pair(name, *_MAKERS[self.task](self, clean, random), inputs={**self.known, **made})

    def mask_of(self, name: str) -> np.ndarray | None:
        """The given mask for a picture, (H, W, 1); None where masks are not given.

        Raises:
          InputError: there is none for this picture.
        """
        return None if self.mask is None else read_mask(self.mask, name)

    def check_can_degrade(self) -> None:
        """Refuse tasks that have no standard degradation.

        Raises:
          InputError: says what would have to be given.
        """
        if self.recipe is not None:
            return
        missing = {"deblur": self.psf is None and "--psf", "inpaint": self.mask is None and "--recipe or --mask"}.get(self.task)
        if missing:
            raise InputError(
                f"task {self.task} has no standard degradation: give {missing}, or the folder of the clean images with --target"
            )


def made_pairs(protocol: Protocol, data: str | PathLike) -> Iterator[Pair | Failure]:
    """Pairs made from the clean images of a folder, in the order of their names; a file that cannot be used becomes a `Failure`.

    Raises:
      InputError: there is no such folder, no image in it, or the task has only ready pairs.
    """
    protocol.check_can_degrade()
    paths = find_images(data)  # in the order of their names
    random = np.random.RandomState(protocol.seed)

    def load(path: Path) -> Pair:
        clean, remark = _read(path, protocol)
        return replace(protocol.degrade(path.name, clean, random), remark=remark)

    return (_attempt(path.name, lambda path=path: load(path)) for path in paths)


def ready_pairs(protocol: Protocol, data: str | PathLike, target: str | PathLike) -> Iterator[Pair | Failure]:
    """Pairs of degraded images in one folder and clean ones in another, paired by their names without suffix.

    A degraded image may carry its scale at the end of its name ("0801x4.png" for "0801.png"). For sr, rows and columns of the clean image
    beyond scale times the degraded one's are cropped away.

    Raises:
      InputError: there is no such folder, no image in it, two of one name, or no name in both.
    """
    degraded = by_stem(find_images(data))
    if protocol.task == "sr":
        degraded = {stem.removesuffix(f"x{protocol.scale}").rstrip("_") or stem: path for stem, path in degraded.items()}
    clean = by_stem(find_images(target))
    if not degraded.keys() & clean.keys():
        raise InputError(f"{data} and {target} have no file name in common: pairs are found by name")

    def load(stem: str) -> Pair:
        if stem not in clean:
            raise InputError(f"{degraded[stem]} has no partner of that name in {target}")
        if stem not in degraded:
            raise InputError(f"{clean[stem]} has no partner of that name in {data}")
        return _ready_pair(protocol, degraded[stem], clean[stem])

    return (_attempt((degraded | clean)[stem].name, lambda stem=stem: load(stem)) for stem in sorted(degraded.keys() | clean.keys()))


def _attempt(name: str, make: Callable[[], Pair]) -> Pair | Failure:
    try:
        return make()
    except InputError as error:
        return Failure(name, str(error))


def _ready_pair(protocol: Protocol, degraded_path: Path, clean_path: Path) -> Pair:
    (degraded, remark), (clean, _) = _read(degraded_path, protocol), _read(clean_path, protocol)
    scale = protocol.scale if protocol.task == "sr" else 1
    height, width = (scale * side for side in degraded.shape[:2])
    surplus = clean.shape[0] - height, clean.shape[1] - width
    if min(surplus) < 0 or max(surplus) >= scale:
        sizes = [f"{image.shape[0]}x{image.shape[1]}" for image in (clean, degraded)]
        raise InputError(f"{clean_path} has {sizes[0]} pixels and {degraded_path} {sizes[1]}: expected {scale} times as many on each side")
    mask = protocol.mask_of(degraded_path.name)
    if mask is not None:
        check_mask(mask, degraded.shape)
    inputs = protocol.known if mask is None else {**protocol.known, "mask": mask}
    return replace(_pair(clean_path.name, degraded, clean[:height, :width], inputs), remark=remark)


def _pair(name: str, degraded: np.ndarray, clean: np.ndarray, inputs: Mapping[str, Any]) -> Pair:
    """A pair whose baseline is the degraded image, enlarged to the clean one's size where it is smaller."""
    same = degraded.shape == clean.shape
    baseline = degraded if same else np.asarray(imresize(degraded, size=clean.shape[:2]))
    return Pair(name, degraded, clean, baseline, inputs=inputs)


def _read(path: Path, protocol: Protocol) -> tuple[np.ndarray, str]:
    """A picture with the network's channels, float32 in [0, 1], and what had to be done for that."""
    picture = upright(read_image(path))
    image = to_float(picture.color)
    if not np.isfinite(image).all():
        raise InputError(f"{path} has pixels that are not finite")
    if image.shape[-1] == protocol.channels:
        return image, ""
    if protocol.channels == 3:
        return np.repeat(image, 3, axis=-1), "grey images were repeated over three channels"
    return _one_channel(picture, image, protocol.task)


def _one_channel(picture: Picture, image: np.ndarray, task: str) -> tuple[np.ndarray, str]:
    studio = task in ("sr", "jpeg")
    luma = np.asarray(luma_studio(image) if studio else rgb_to_gray(image))
    # The references start from stored luma: rounded to the picture's own depth.
    stored = to_float(from_float(luma, picture.color.dtype))
    return stored, f"colour images were reduced to their {'studio-range luma' if studio else 'grey'}, because the network takes one channel"


_Made = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Degraded, clean and baseline."""


def _noisy(protocol: Protocol, clean: np.ndarray, random: np.random.RandomState) -> _Made:
    noise = random.randn(*clean.shape) * protocol.noise
    degraded = ((_LEVELS * clean.astype(np.float64) + noise) / _LEVELS).astype(np.float32)
    return degraded, clean, degraded


def _blurred(protocol: Protocol, clean: np.ndarray, random: np.random.RandomState) -> _Made:
    blurred = np.asarray(filter_2d(clean, protocol.known["psf"][::-1, ::-1], "wrap"))  # turned by 180 degrees: it correlates
    degraded, _, _ = _noisy(protocol, blurred, random)
    return degraded, clean, degraded


def _shrunk(protocol: Protocol, clean: np.ndarray, random: np.random.RandomState) -> _Made:
    scale = protocol.scale
    height, width = (side - side % scale for side in clean.shape[:2])
    if not height or not width:
        raise InputError(f"an image of {clean.shape[0]}x{clean.shape[1]} pixels cannot be shrunk by {scale}")
    clean = clean[:height, :width]
    degraded = np.asarray(imresize(clean, 1 / scale))
    if protocol.channels == 3:
        degraded = _eight_bits(degraded)
    return degraded, clean, np.asarray(imresize(degraded, scale))


def _compressed(protocol: Protocol, clean: np.ndarray, random: np.random.RandomState) -> _Made:
    from PIL import Image

    pixels = from_float(clean, np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if protocol.channels == 1 else pixels).save(file, "JPEG", quality=protocol.quality, subsampling="4:2:0")
    degraded = to_float(np.asarray(Image.open(file)).reshape(clean.shape))
    return degraded, clean, degraded


def _eight_bits(image: np.ndarray) -> np.ndarray:
    return to_float(from_float(image, np.uint8))


def _check_range(name: str, value: float | int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InputError(f"{name} is {value}: it must lie between {low} and {high}")


_SHORT: Mapping[str, str] = MappingProxyType(
    {
        "super_resolution": "sr",
        "denoising": "denoise",
        "jpeg": "jpeg",
        "deblurring": "deblur",
        "inpainting": "inpaint",
        **{short: short for short in ("sr", "denoise", "deblur", "inpaint")},
    }
)
_MAKERS: Mapping[str, Callable[..., _Made]] = MappingProxyType({"denoise": _noisy, "sr": _shrunk, "jpeg": _compressed, "deblur": _blurred})
# Standard deviations that the literature starts from.
_NOISE: Mapping[str, float] = MappingProxyType({"denoise": 25.0, "deblur": 2.0})
