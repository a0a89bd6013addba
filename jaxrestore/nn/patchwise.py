"""Whole images through networks that know only patches of one size: overlapping patches, whose results are averaged."""

from collections.abc import Callable

import jax
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.ops.padding import crop, pad
from jaxrestore.ops.patches import aggregate_patches, extract_patches
from jaxrestore.ops.symbolic import larger
from jaxrestore.typing import Image


def gaussian_weights(size: int) -> np.ndarray:
    """Weights of a patch's pixels that fall off towards its border: a Gaussian whose deviation is a quarter of the side.

    Args:
      size: side of the patch, in pixels.

    Returns:
      (size, size, 1) float32, the largest 1.
    """
    distance = np.arange(size) - (size - 1) / 2
    falloff = np.exp(-0.5 * np.square(distance / max(size / 4, 0.25)))
    falloff = falloff / falloff.max()
    return (falloff[:, None] * falloff)[..., None].astype(np.float32)


def restore_patches(
    image: Image, network: Callable[[jax.Array], jax.Array], size: int, result: int, stride: int, weights: np.ndarray | None = None
) -> Image:
    """Restore every patch and take, at each pixel, the weighted mean of the patches that cover it.

    Args:
      image: (N, H, W, C) of any height and width; it is mirrored at its borders so that patches cover all of it.
      network: takes (M, size, size, C), gives the middle (M, result, result, C).
      size: side of the patches that the network sees.
      result: side of those that it gives, at most `size` and as odd or even.
      stride: pixels between neighbouring patches, at least 1 and at most `result`.
      weights: (result, result, 1), positive; None weighs all pixels alike.

    Returns:
      (N, H, W, C) of the image's type.

    Raises:
      InputError: sizes or a stride that leave pixels uncovered, or that do not share a centre.
    """
    if not 1 <= result <= size or (size - result) % 2:
        raise InputError(f"a patch of {size} pixels gives {result}: it must give at least 1, at most as many, and as odd or even a number")
    if not 1 <= stride <= result:
        raise InputError(f"stride is {stride}: it must be in 1..{result}, the side of what a patch gives")
    height, width = image.shape[-3:-1]
    margin = (size - result) // 2
    covered = [result + -(-larger(side - result, 0) // stride) * stride for side in (height, width)]
    rows, columns = ((margin, margin + whole - side) for whole, side in zip(covered, (height, width), strict=True))
    patches = extract_patches(pad(image, rows, columns, "symmetric"), size, stride)
    restored = network(patches.reshape(-1, *patches.shape[-3:])).astype(image.dtype)
    restored = restored.reshape(*patches.shape[:-3], *restored.shape[1:])
    return crop(aggregate_patches(restored, (covered[0], covered[1]), stride, weights), (height, width))
