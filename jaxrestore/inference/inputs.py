"""What a restoration may need beside the picture, from text and files: a blur's kernel, masks of what is missing."""

import inspect
import zlib
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jax
import numpy as np

from jaxrestore.data.images import SUFFIXES, find_images, read_image, to_float, upright
from jaxrestore.errors import InputError
from jaxrestore.ops import blur_kernels
from jaxrestore.text import read_named, read_value, typed, unknown
from jaxrestore.typing import ArrayLike, Key

KERNELS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "gaussian": blur_kernels.gaussian_kernel,
        "anisotropic_gaussian": blur_kernels.anisotropic_gaussian_kernel,
        "generalised_gaussian": blur_kernels.generalised_gaussian_kernel,
        "plateau": blur_kernels.plateau_kernel,
        "sinc": blur_kernels.sinc_kernel,
        "box": blur_kernels.box_kernel,
        "disk": blur_kernels.disk_kernel,
        "motion": blur_kernels.motion_kernel,
    }
)
"""Kernels that text can name, with their arguments: `gaussian:sigma=1.6`, `motion:length=15:angle=30`."""

# The literature's usual one; a larger kernel says `size`.
_SIZE = 25
_WHITE = 0.5


def read_psf(text: str | PathLike) -> np.ndarray:
    """A blur's kernel.

    Args:
      text: a name of `KERNELS` with its arguments (25x25 pixels unless it says `size`), or a file: a picture, whose brightness is the
        weight, or a NumPy array (.npy) of two dimensions.

    Returns:
      (kh, kw) float32, its sum one.

    Raises:
      InputError: no such kernel or file, or one that is no kernel.
    """
    path = Path(text)
    if path.suffix.lower() in (".npy", *SUFFIXES) or path.is_file():
        return _normalised(path, _read_weights(path))
    name, texts = read_named(str(text))
    if name not in KERNELS:
        raise InputError(unknown("kernel", name, KERNELS))
    parameters = inspect.signature(KERNELS[name]).parameters
    for argument in texts:
        if argument not in parameters:
            raise InputError(unknown(f"argument of {name}", argument, parameters))
    missing = [argument for argument in parameters if argument not in texts and argument != "size"]
    if missing:
        raise InputError(f"{name} needs {' and '.join(missing)}: write {name}:{':'.join(f'{n}=...' for n in missing)}")
    values = {n: typed(f"{name}: {n}", parameters[n].annotation, read_value(f"{name}: {n}", value)) for n, value in texts.items()}
    return np.asarray(KERNELS[name](**{"size": _SIZE, **values}), np.float32)


def read_mask(path: str | PathLike, name: str = "") -> np.ndarray:
    """Where a picture has no content.

    Args:
      path: a picture, white where content is missing; or a folder of them.
      name: file name of the picture that is to be restored, which finds its mask in a folder: the one of the same name without suffix.

    Returns:
      (H, W, 1) bool, True where content is missing.

    Raises:
      InputError: no such file, or no mask for that picture.
    """
    path = Path(path)
    if path.is_dir():
        stem = Path(name).stem
        path = next((file for file in find_images(path) if file.stem == stem), None) or _no_mask(path, name)
    return np.mean(to_float(upright(read_image(path)).color), axis=-1, keepdims=True) > _WHITE


def check_mask(mask: np.ndarray, shape: tuple[int, ...]) -> None:
    """A mask is of its image's size.

    Args:
      mask: (..., H, W, 1).
      shape: of the image, (..., H, W, C).

    Raises:
      InputError: it is not.
    """
    (height, width), (rows, columns) = shape[-3:-1], mask.shape[-3:-1]
    if (height, width) != (rows, columns):
        raise InputError(f"the mask has {rows}x{columns} pixels and the image {height}x{width}: they must have the same size")


def mask_of_each(shape: tuple[int, ...], mask: ArrayLike) -> np.ndarray:
    """One mask for each image.

    Args:
      shape: of the images, (N, H, W, C).
      mask: (H, W), (H, W, 1) or (N, H, W, 1), true where content is missing.

    Returns:
      (N, H, W, 1) bool.

    Raises:
      InputError: it is of another size.
    """
    mask = np.asarray(mask)
    mask = mask[..., None] if mask.ndim == 2 else mask
    check_mask(mask, shape)
    return np.broadcast_to(mask.astype(bool), (*shape[:3], 1))


def picture_key(seed: int, name: str) -> Key:
    """The key of a picture's degradation: the seed and the file's name decide, whatever other pictures there are."""
    return jax.random.fold_in(jax.random.key(seed), zlib.crc32(name.encode()))


def _no_mask(folder: Path, name: str) -> Path:
    raise InputError(f"{folder} has no mask for {name}: it must be of the same name")


def _read_weights(path: Path) -> np.ndarray:
    if path.suffix.lower() != ".npy":
        return np.mean(to_float(read_image(path).color), axis=-1)
    try:
        weights = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a NumPy array: {' '.join(str(error).split())}") from error
    return weights


def _normalised(path: Path, weights: np.ndarray) -> np.ndarray:
    if weights.ndim != 2 or not np.issubdtype(weights.dtype, np.number) or np.iscomplexobj(weights):
        raise InputError(f"{path} has the shape {weights.shape} and the type {weights.dtype}: a kernel has two dimensions of numbers")
    total = weights.sum(dtype=np.float64)
    if not np.isfinite(weights).all() or not total > 0:
        raise InputError(f"{path} has the sum {total:g}: a kernel's weights are finite and their sum is positive")
    return (weights / total).astype(np.float32)
