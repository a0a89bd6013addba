"""Super-resolution without learning: interpolation, back-projection, total variation."""

from itertools import pairwise

import jax
import numpy as np
import pytest

from jaxrestore.classical import interpolation
from jaxrestore.classical.back_projection import back_projection
from jaxrestore.classical.shrinking import shrinking
from jaxrestore.classical.tv_super_resolution import tv_super_resolution
from jaxrestore.errors import InputError
from jaxrestore.ops.resize import imresize
from tests.classical.photograph import decibels, photograph

METHODS = (
    interpolation.nearest,
    interpolation.bilinear,
    interpolation.bicubic,
    interpolation.lanczos,
    back_projection,
    tv_super_resolution,
)


def small() -> np.ndarray:
    return np.asarray(imresize(photograph(), 1 / 3))


def test_interpolation_by_hand():
    row = np.array([0.0, 0.4, 0.4, 0.4, 0.4, 0.4], np.float32).reshape(1, 6, 1)
    np.testing.assert_array_equal(interpolation.nearest(row, scale=2)[0, :4, 0], np.float32([0, 0, 0.4, 0.4]))
    np.testing.assert_allclose(interpolation.bilinear(row, scale=2)[0, :4, 0], [0, 0.1, 0.3, 0.4], atol=1e-7)
    # Keys at 3/4 and 5/4 beyond an edge of height 0.4, hand arithmetic: weights (-9, 111, 29, -3) / 128.
    np.testing.assert_allclose(interpolation.bicubic(row, scale=2)[0, 3:5, 0], [0.4 * 137 / 128, 0.4 * 131 / 128], atol=1e-6)
    assert interpolation.lanczos(row, scale=2).max() > 0.4


def test_shrinking_is_imresize_and_its_adjoint_is_exact():
    random = np.random.default_rng(0)
    with jax.enable_x64(True):
        shrink = shrinking(5, 7, 3)
        image, other = (jax.numpy.asarray(random.standard_normal(shape)) for shape in ((2, 15, 21, 1), (2, 5, 7, 1)))
        np.testing.assert_allclose(shrink(image), imresize(image, 1 / 3), atol=1e-14)
        np.testing.assert_allclose((shrink(image) * other).sum(), (image * shrink.adjoint(other)).sum(), rtol=1e-12)
        matrix = np.kron(shrink.rows, shrink.columns)
        assert shrink.norm == pytest.approx(np.linalg.svd(matrix, compute_uv=False)[0])


def test_back_projection_gives_back_what_was_seen():
    enlarged = back_projection(small(), scale=3, iterations=100)
    np.testing.assert_allclose(imresize(enlarged, 1 / 3), small(), atol=1e-5)
    np.testing.assert_array_equal(back_projection(small(), scale=3, iterations=0), interpolation.bicubic(small(), scale=3))


def test_tv_is_minimised():
    seen, weight = small()[:6, :7], 1e-2
    with jax.enable_x64(True):
        shrink = shrinking(6, 7, 2)
        best = np.asarray(tv_super_resolution(seen.astype(np.float64), scale=2, weight=weight, iterations=20_000))

        def objective(u):
            down, right = np.diff(u, axis=0, append=u[-1:]), np.diff(u, axis=1, append=u[:, -1:])
            return 0.5 * np.sum((np.asarray(shrink(u)) - seen) ** 2) + weight * np.sqrt((down**2 + right**2).sum(-1)).sum()

        least = objective(best)
        # Convex: what no small step in any of many directions can lower is the minimum.
        random = np.random.default_rng(0)
        for size in (1e-2, 1e-4):
            assert all(objective(best + size * random.standard_normal(best.shape)) > least for _ in range(10))
            assert objective(best + size * (np.asarray(imresize(seen, 2)) - best)) > least
        exact = tv_super_resolution(seen.astype(np.float64), scale=2, weight=0.0, iterations=2000)
        np.testing.assert_allclose(shrink(exact), seen, atol=1e-6)


def test_each_is_better_than_the_last():
    scores = [decibels(method(small(), scale=3), photograph()) for method in METHODS]
    assert all(better > worse + 0.15 for worse, better in pairwise(scores)), scores


@pytest.mark.parametrize("method", METHODS)
def test_batch_equals_single(method):
    images = np.stack([small(), small()[::-1]])[None]
    together = method(images, scale=3)
    assert together.shape == (1, 2, 96, 96, 3)
    np.testing.assert_allclose(together[0, 1], method(images[0, 1], scale=3), atol=2e-6)


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        *((method, {"scale": 0}, "scale is 0: it must be at least 1") for method in METHODS),
        (back_projection, {"scale": 2, "step": 2.0}, "step is 2: it must be"),
        (back_projection, {"scale": 2, "iterations": -1}, "iterations is -1"),
        (tv_super_resolution, {"scale": 2, "weight": -1.0}, "weight is -1"),
    ],
)
def test_bad_arguments(method, arguments, message):
    with pytest.raises(InputError, match=message):
        method(np.zeros((4, 4, 1), np.float32), **arguments)
