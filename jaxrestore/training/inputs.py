"""Sources of images from their configuration."""

import math
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from jaxrestore.data.classes import ClassFolders
from jaxrestore.data.dead_leaves import DeadLeaves
from jaxrestore.data.images import to_float
from jaxrestore.data.samples import centre
from jaxrestore.data.sources import ArrayRecordImages, ImageFolder, PairedFolders, TFDSImages, UnpairedFolders
from jaxrestore.data.video_clips import VideoClips
from jaxrestore.degradations.recipes import Recipe
from jaxrestore.errors import InputError
from jaxrestore.training.config import Data, Validation


def open_source(data: Data) -> Any:
    """The random-access source of clean images (or pairs) that a configuration names.

    Raises:
      InputError: no such folder or file, or no images in it.
    """
    common: dict[str, Any] = {"channels": data.channels, "cache": data.cache, "color": data.color}
    match data.source:
        case "folder":
            return ImageFolder(data.path, **common)
        case "classes":
            return ClassFolders(data.path, **common)
        case "videos":
            return VideoClips(data.path, data.frames, channels=data.channels, color=data.color)
        case "pairs":
            return PairedFolders(data.path, str(data.target), **common)
        case "unpaired":
            return UnpairedFolders(data.path, str(data.target), **common)
        case "array_record":
            return ArrayRecordImages(data.path, **common)
        case "tfds":
            return TFDSImages(data.path, **common)
        case "dead_leaves":
            return DeadLeaves(channels=data.channels, seed=data.seed)
        case unknown:
            raise ValueError(f"unknown source {unknown!r}")


@dataclass(frozen=True)
class ValidationSet:
    """Centre crops, clean (N, H, W, C) and degraded, float32 in [0, 1], the same for the whole run; labels (N,) where there are classes."""

    clean: np.ndarray
    degraded: np.ndarray
    labels: np.ndarray | None = None


def validation_set(
    validation: Validation, data: Data, degrade: Recipe | None, multiple: int, classes: tuple[str, ...] | None = None
) -> ValidationSet | None:
    """The images that a run is measured on, degraded once, the same in every run.

    Args:
      validation: which images.
      data: the training data, for the channels and for "dead_leaves".
      degrade: makes the network's input.
      multiple: the crop's side is brought down to a multiple of this where it is that large; smaller ones the network pads.
      classes: names of the classes of the training's pictures, for a network that is told them; then these lie in subfolders too.
    """
    if validation.path is None or degrade is None:
        return None
    if data.source == "dead_leaves" and validation.path == "dead_leaves":
        source: Any = DeadLeaves(count=validation.images, channels=data.channels, seed=data.seed + 1)
    else:
        options: dict[str, Any] = dict(channels=data.channels, color=data.color)
        source = ImageFolder(validation.path, **options) if classes is None else ClassFolders(validation.path, classes, **options)
    # A side that shrinks to a whole number of pixels, and to one that the network takes as it is.
    whole = (1 / degrade.scale).numerator
    multiple = math.lcm(multiple, whole)
    records = [source[i] for i in range(min(len(source), validation.images))]
    crops = [to_float(record["image"]) for record in records]
    side = min([validation.crop, *(n for crop in crops for n in crop.shape[:2])])
    side -= side % (multiple if side >= multiple else whole)
    if side < 1:
        raise InputError(f"{validation.path}: its smallest image is under {whole} pixels wide, too small to validate on")
    clean = np.stack([centre(crop, side, side) for crop in crops])
    keys = jax.random.split(jax.random.key(0), len(clean))
    degraded = np.asarray(jax.jit(jax.vmap(degrade))(keys, clean))
    return ValidationSet(clean, degraded, None if classes is None else np.stack([record["label"] for record in records]))
