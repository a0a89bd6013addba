"""Regions of images: rectangles as (left, top, right, bottom) in pixels, their overlap, and features cut out of them at one size.

Pixel i covers [i, i + 1], so that (0, 0, W, H) is the whole image.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.typing import Image

Boxes = Float[Array | np.ndarray, "... _ 4"]
"""(..., R, 4): left, top, right and bottom of each region, in pixels."""

Scores = Float[Array | np.ndarray, "... _"]
"""(..., R): one number for each region."""


def roi_align(
    features: Image,
    boxes: Boxes,
    size: tuple[int, int] = (7, 7),
    scale: float = 1.0,
    samples: int = 2,
) -> Float[Array, "_ _ _ _ _"]:
    """Cut regions out of maps and bring them to one size, by bilinear interpolation without rounding any coordinate.

    A region is divided into size[0] x size[1] bins, and each bin is the mean of samples x samples points at equal distances.

    Args:
      features: (N, H, W, C), maps of an image.
      boxes: (N, R, 4), regions of each image, in the image's pixels. Beyond the map by more than a pixel everything counts as zero.
      size: rows and columns of a cut region.
      scale: pixels of the map for one of the image, such as 1 / 4.
      samples: points on each side of a bin, at least 1.

    Returns:
      (N, R, size[0], size[1], C); differentiable with respect to the maps and the boxes.

    Raises:
      InputError: a size or a number of samples that is not positive, or boxes that do not belong to these maps.

    Reference: He, Gkioxari, Dollar and Girshick, "Mask R-CNN", ICCV 2017, section 3; the same numbers as torchvision's `roi_align` with
    `aligned=True` and `sampling_ratio=samples`.
    """
    if min(*size, samples) < 1:
        raise InputError(f"size is {size} and samples {samples}: all must be at least 1")
    if len(features.shape) != 4 or boxes.shape[:-2] != features.shape[:1]:
        raise InputError(f"boxes of shape {boxes.shape} do not belong to maps of shape {features.shape}: (N, R, 4) and (N, H, W, C) do")
    left, top, right, bottom = (scale * jnp.asarray(boxes)[..., i] - 0.5 for i in range(4))
    features = jnp.asarray(features)
    rows = _bins(top, bottom, size[0], samples, features.shape[1]).astype(features.dtype)
    columns = _bins(left, right, size[1], samples, features.shape[2]).astype(features.dtype)
    # Whole products instead of gathered pixels: exact on every platform, and their derivative is a product too.
    cut = jnp.einsum("nrih,nhwc->nriwc", rows, features, precision=lax.Precision.HIGHEST)
    return jnp.einsum("nrjw,nriwc->nrijc", columns, cut, precision=lax.Precision.HIGHEST)


def _bins(start: jax.Array, end: jax.Array, size: int, samples: int, length: int) -> jax.Array:
    """(N, R, size, length): what each pixel of one side gives to each bin."""
    places = (np.arange(size * samples) + 0.5) / (size * samples)
    point = start[..., None] + (end - start)[..., None] * places.reshape((1,) * start.ndim + (-1,)).astype(np.float32)
    inside = (point >= -1.0) & (point <= length)
    # Half a pixel of border has the value of the border's pixel.
    point = jnp.clip(point, 0.0, length - 1.0)
    distance = jnp.abs(point[..., None] - np.arange(length, dtype=np.float32).reshape((1,) * point.ndim + (-1,)))
    weights = jnp.where(inside[..., None], jnp.maximum(1.0 - distance, 0.0), 0.0)
    return jnp.mean(weights.reshape(*weights.shape[:-2], size, samples, length), -2)


def overlap(first: Boxes, second: Boxes) -> Float[Array, "... _ _"]:
    """The area that two regions share, as a share of the area that they cover together.

    Args:
      first: (..., R, 4).
      second: (..., S, 4).

    Returns:
      (..., R, S) in [0, 1]; 0 for regions without an area.
    """
    a, b = jnp.asarray(first)[..., :, None, :], jnp.asarray(second)[..., None, :, :]
    sides = jnp.minimum(a[..., 2:], b[..., 2:]) - jnp.maximum(a[..., :2], b[..., :2])
    shared = jnp.prod(jnp.maximum(sides, 0.0), -1)
    covered = _area(a) + _area(b) - shared
    return jnp.where(covered > 0, shared / jnp.where(covered > 0, covered, 1.0), 0.0)


def _area(boxes: jax.Array) -> jax.Array:
    return jnp.prod(jnp.maximum(boxes[..., 2:] - boxes[..., :2], 0.0), -1)


def anchors(height: int, width: int, sides: tuple[int, ...] = (32, 64)) -> np.ndarray:
    """Squares of several sizes that cover an image, each half a side from the next; one that is too large has the image's height or width.

    Args:
      height: of the image, in pixels.
      width: of the image, in pixels.
      sides: of the squares, in pixels, at least 2.

    Returns:
      (A, 4), float32, all inside the image.

    Raises:
      InputError: no side, or one that is too small.
    """
    if not sides or min(sides) < 2:
        raise InputError(f"sides is {sides}: at least one is needed, of 2 pixels or more")
    found = []
    for side in sides:
        rows, columns = min(side, height), min(side, width)
        for top in _starts(height, rows):
            found += [(left, top, left + columns, top + rows) for left in _starts(width, columns)]
    return np.array(found, np.float32)


def _starts(length: int, side: int) -> list[int]:
    step = max(side // 2, 1)
    return sorted({*range(0, length - side + 1, step), length - side})


def mean_inside(values: Image, boxes: Boxes) -> Scores:
    """The mean of an image over each region.

    Args:
      values: (..., H, W, C).
      boxes: (R, 4), whole pixels inside the image.

    Returns:
      (..., R).
    """
    corners = np.asarray(boxes).astype(int)
    left, top, right, bottom = (corners[:, i] for i in range(4))
    total = jnp.cumsum(jnp.cumsum(jnp.mean(values, -1), -2), -1)
    total = jnp.pad(total, [(0, 0)] * (total.ndim - 2) + [(1, 0), (1, 0)])
    sums = total[..., bottom, right] - total[..., top, right] - total[..., bottom, left] + total[..., top, left]
    area = ((bottom - top) * (right - left)).astype(np.float32)
    return sums / area.reshape((1,) * (sums.ndim - 1) + (-1,))


def strongest(boxes: Boxes, scores: Scores, count: int, most: float = 0.5) -> tuple[Boxes, Scores]:
    """The regions with the highest scores that do not overlap much (greedy non-maximum suppression).

    Args:
      boxes: (R, 4).
      scores: (..., R), for each image of a batch.
      count: number of regions wanted, at least 1.
      most: overlap above which the weaker of two regions is left out, in [0, 1].

    Returns:
      (..., count, 4) and their scores (..., count), best first; where there are fewer regions, the rest have the score -infinity.

    Raises:
      InputError: `count` or `most` is out of its range.
    """
    if count < 1 or not 0.0 <= most <= 1.0:
        raise InputError(f"count is {count} and most {most}: the one must be at least 1, the other in [0, 1]")
    near = overlap(boxes, boxes) > most

    def choose(left: jax.Array, _: None) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        best = jnp.argmax(left)
        gone = near[best] | (jnp.arange(len(left)) == best)
        return jnp.where(gone, -jnp.inf, left), (best, left[best])

    def of_one(scores: jax.Array) -> tuple[jax.Array, jax.Array]:
        _, (places, found) = lax.scan(choose, scores, None, length=count)
        return jnp.asarray(boxes)[places], found

    for _ in range(jnp.ndim(scores) - 1):
        of_one = jax.vmap(of_one)
    return of_one(jnp.asarray(scores))
