"""Regions: RoIAlign against its definition and against hand arithmetic, overlaps, anchors, suppression."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.ops.regions import anchors, mean_inside, overlap, roi_align, strongest


def by_definition(image: np.ndarray, box: np.ndarray, size: tuple[int, int], scale: float, samples: int) -> np.ndarray:
    """Point by point, as detection libraries write it."""
    height, width, channels = image.shape
    left, top, right, bottom = scale * box - 0.5

    def at(y: float, x: float) -> np.ndarray:
        if y < -1.0 or y > height or x < -1.0 or x > width:
            return np.zeros(channels)
        y, x = min(max(y, 0.0), height - 1.0), min(max(x, 0.0), width - 1.0)
        y0, x0 = min(math.floor(y), height - 1), min(math.floor(x), width - 1)
        y1, x1 = min(y0 + 1, height - 1), min(x0 + 1, width - 1)
        wy, wx = y - y0, x - x0
        upper = (1 - wx) * image[y0, x0] + wx * image[y0, x1]
        return (1 - wy) * upper + wy * ((1 - wx) * image[y1, x0] + wx * image[y1, x1])

    result = np.zeros((*size, channels))
    bin_height, bin_width = (bottom - top) / size[0], (right - left) / size[1]
    for i in range(size[0]):
        for j in range(size[1]):
            points = [
                at(top + (i + (a + 0.5) / samples) * bin_height, left + (j + (b + 0.5) / samples) * bin_width)
                for a in range(samples)
                for b in range(samples)
            ]
            result[i, j] = np.mean(points, 0)
    return result


@pytest.mark.parametrize(("size", "scale", "samples"), [((7, 7), 1.0, 2), ((2, 3), 0.25, 1), ((3, 1), 0.5, 3)])
def test_roi_align_follows_its_definition(size: tuple[int, int], scale: float, samples: int):
    random = np.random.default_rng(0)
    maps = random.random((2, 6, 9, 3), np.float32)
    corners = random.uniform(-3, 12, (2, 5, 2, 2)) / scale
    boxes = np.concatenate([corners.min(2), corners.max(2)], -1).astype(np.float32)  # some reach beyond the map
    ours = jax.jit(roi_align, static_argnums=(2, 3, 4))(maps, boxes, size, scale, samples)
    expected = [[by_definition(image, box, size, scale, samples) for box in of_one] for image, of_one in zip(maps, boxes, strict=True)]
    np.testing.assert_allclose(ours, expected, atol=2e-5)


def test_roi_align_by_hand():
    """On a ramp a bin's mean is the ramp at the bin's centre; whole pixels cut out at their own size stay what they are."""
    y, x = np.mgrid[:8, :8].astype(np.float32)
    ramp = (3 * y + 10 * x)[None, ..., None]
    box = np.array([[[1.0, 2.0, 5.0, 6.0]]], np.float32)
    cut = roi_align(ramp, box, (2, 2))[0, 0, ..., 0]
    # Bins of 2x2 pixels: their centres lie between the pixels (2, 1) and (3, 2), and so on.
    np.testing.assert_allclose(cut, [[3 * 2.5 + 10 * 1.5, 3 * 2.5 + 10 * 3.5], [3 * 4.5 + 10 * 1.5, 3 * 4.5 + 10 * 3.5]], rtol=1e-6)
    np.testing.assert_allclose(roi_align(ramp, box, (4, 4), samples=1)[0, 0], ramp[0, 2:6, 1:5], rtol=1e-6)
    gradient = jax.grad(lambda maps: roi_align(maps, box, (1, 1), samples=4).sum())(ramp)
    assert float(gradient.sum()) == pytest.approx(1.0, rel=1e-5)


def test_overlap_by_hand():
    first = np.array([[0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 0.0, 4.0]])
    second = np.array([[2.0, 0.0, 6.0, 4.0], [0.0, 0.0, 4.0, 4.0], [4.0, 0.0, 6.0, 4.0]])
    np.testing.assert_allclose(overlap(first, second), [[1 / 3, 1.0, 0.0], [0.0, 0.0, 0.0]], rtol=1e-6)


@pytest.mark.parametrize(("height", "width"), [(64, 40), (17, 90), (8, 8)])
def test_anchors_cover_the_image(height: int, width: int):
    boxes = anchors(height, width, (16, 32))
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2] <= width).all()
    assert (boxes[:, 3] <= height).all()
    covered = np.zeros((height, width), bool)
    for left, top, right, bottom in boxes.astype(int):
        assert bottom - top == min(16, height) or bottom - top == min(32, height)
        covered[top:bottom, left:right] = True
    assert covered.all()


def test_means_and_the_strongest():
    values = np.random.default_rng(1).random((2, 12, 10, 3)).astype(np.float32)
    boxes = anchors(12, 10, (4, 8))
    means = mean_inside(values, boxes)
    expected = [[image[int(t) : int(b), int(x) : int(r)].mean() for x, t, r, b in boxes] for image in values]
    np.testing.assert_allclose(means, expected, rtol=1e-4)
    found, scores = strongest(boxes, means, 3, 0.2)
    assert found.shape == (2, 3, 4)
    np.testing.assert_allclose(scores[:, 0], means.max(1))
    for of_one, image_scores, image_means in zip(np.asarray(found), np.asarray(scores), np.asarray(means), strict=True):
        assert (np.diff(image_scores) <= 0).all()
        near = np.array(overlap(of_one, of_one))
        assert (near[~np.eye(3, dtype=bool)] <= 0.2).all()
        # Whoever is better than the last chosen one overlaps a chosen one that is better still.
        better = boxes[image_means > image_scores[-1]]
        assert (np.asarray(overlap(better, of_one)).max(1) > 0.2).all()
    _, scores = strongest(boxes[:2], means[:, :2], 3, 1.0)
    assert np.isinf(scores[:, 2]).all()


def test_what_cannot_be_is_refused():
    maps, boxes = jnp.zeros((1, 4, 4, 1)), jnp.zeros((1, 2, 4))
    for wrong in (lambda: roi_align(maps, boxes, (0, 7)), lambda: roi_align(maps, boxes, samples=0)):
        with pytest.raises(InputError, match="all must be at least 1"):
            wrong()
    with pytest.raises(InputError, match="do not belong to maps"):
        roi_align(maps, jnp.zeros((2, 2, 4)))
    with pytest.raises(InputError, match="sides is"):
        anchors(8, 8, (1,))
    with pytest.raises(InputError, match="count is 0"):
        strongest(boxes[0], jnp.zeros(2), 0)
