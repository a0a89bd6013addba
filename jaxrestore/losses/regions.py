"""Losses that look at regions: every region counts alike, whatever its size, and some more than others."""

import jax.numpy as jnp
from jax import lax

from jaxrestore.errors import InputError
from jaxrestore.losses.comparison import PerImage, as_single, check_same_shape, difference
from jaxrestore.ops.regions import Boxes, Scores, anchors, mean_inside, roi_align, strongest
from jaxrestore.typing import Image

_SIZE = (7, 7)


def region_mse(
    prediction: Image,
    target: Image,
    boxes: Boxes,
    weights: Scores | None = None,
    size: tuple[int, int] = _SIZE,
    scale: float = 1.0,
) -> PerImage:
    """Weighted mean, over regions, of the mean squared difference of what RoIAlign cuts out of them.

    Args:
      prediction: (N, H, W, C), a restored image, or the features of one.
      target: (N, H, W, C), the clean one's.
      boxes: (N, R, 4), regions of each image: left, top, right, bottom in the image's pixels.
      weights: (N, R), of each region, not negative; None for all alike. An image whose weights are all zero has the loss zero.
      size: rows and columns to which each region is brought.
      scale: pixels of the map for one of the image (1 for images).

    Returns:
      (N,): one value for each image.

    Raises:
      InputError: the shapes of prediction and target, or those of boxes and weights, do not agree.

    Reference: He et al., "Mask R-CNN", ICCV 2017, section 3, for RoIAlign.
    """
    check_same_shape(prediction, target)
    weights = jnp.ones(boxes.shape[:-1]) if weights is None else as_single(weights)
    if weights.shape != boxes.shape[:-1]:
        raise InputError(f"weights have the shape {weights.shape}: boxes of shape {boxes.shape} need {boxes.shape[:-1]}")
    # Cutting is linear: the difference is cut once.
    cut = roi_align(difference(prediction, target), boxes, size, scale)
    each = jnp.mean(jnp.square(cut), (2, 3, 4))
    total = jnp.sum(weights, 1)
    return jnp.sum(weights * each, 1) / jnp.where(total > 0, total, 1.0)


def worst_region_mse(prediction: Image, target: Image, side: float = 32.0, count: float = 8.0) -> PerImage:
    """`region_mse` over proposed regions: those squares, little overlapping, in which the two images differ most.

    Where an image is hardest to restore it is trained hardest; the choice itself passes no gradient.

    Args:
      prediction: (..., H, W, C).
      target: (..., H, W, C).
      side: of the smaller squares, in pixels, at least 2; there are some of twice the side too.
      count: number of regions, at least 1.

    Raises:
      InputError: side or count is out of its range, or the shapes differ.

    Reference: Shrivastava, Gupta and Girshick, "Training Region-based Object Detectors with Online Hard Example Mining", CVPR 2016, where
    the hardest regions are chosen in the same way.
    """
    check_same_shape(prediction, target)
    if not (side >= 2 and count >= 1):
        raise InputError(f"side is {side:g} and count {count:g}: a side is at least 2 pixels, and there is at least one region")
    *batch, height, width, channels = prediction.shape
    prediction, target = (jnp.asarray(x).reshape(-1, height, width, channels) for x in (prediction, target))
    squares = anchors(height, width, (int(side), 2 * int(side)))
    errors = lax.stop_gradient(mean_inside(jnp.square(difference(prediction, target)), squares))
    boxes, scores = strongest(squares, errors, min(int(count), len(squares)))
    weights = jnp.isfinite(scores).astype(jnp.float32)
    return region_mse(prediction, target, boxes, weights).reshape(batch)
