"""Fading by hand, grain's strength and size, and where scratches, dust and folds lie."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxrestore.degradations.old_photo import fading, grain
from jaxrestore.degradations.scratches import _lines, _specks, scratches, scratches_mask
from tests.compiled import compiled

KEY = jax.random.key(8)


def test_fading_by_hand():
    image = jnp.asarray([[[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1.0, 0.0, 0.0]]])
    np.testing.assert_allclose(fading(KEY, image, 0.0, 0.0, 0.0), image, atol=1e-7)
    np.testing.assert_allclose(fading(KEY, image, 1.0, 0.0, 0.0)[0, 2], [0.299] * 3, rtol=1e-6)
    np.testing.assert_allclose(fading(KEY, image, 0.0, 1.0, 0.0)[0, :2], [[0.35] * 3, [0.8] * 3], rtol=1e-6)
    np.testing.assert_allclose(fading(KEY, image, 0.0, 0.0, 1.0)[0, 1], [1.0, 0.89, 0.66], rtol=1e-6)
    half = fading(KEY, image, 0.5, 0.5, 0.5)[0, 2]
    mixed = 0.175 + 0.725 * np.array([0.6495, 0.1495, 0.1495])
    np.testing.assert_allclose(half, mixed * [1.0, 0.945, 0.83], rtol=1e-5)
    np.testing.assert_allclose(fading(KEY, image[..., :1], 1.0, 1.0, 1.0)[0, 1], [0.8], rtol=1e-6)


@pytest.mark.parametrize("size", [0.0, 1.2])
def test_grain(size: float):
    values = np.array([0.0, 0.1, 0.5, 1.0], np.float32)
    images = np.broadcast_to(values[:, None, None, None], (4, 128, 128, 3))
    noise = np.asarray(compiled(partial(grain, sigma=20.0, size=size))(KEY, images), np.float64) - images
    np.testing.assert_array_equal(noise[..., 0], noise[..., 2])
    noise = noise[..., 0] * 255.0
    # Neighbours of smoothed noise depend on each other: as many values are independent as clumps fit in, 4 pi size^2 pixels each.
    independent = noise[0].size / max(1.0, 4 * math.pi * size**2)
    for level, expected in zip(noise, (0.0, 20.0 * 0.6, 20.0, 0.0), strict=True):
        assert abs(level.std() - expected) <= 5 * expected / math.sqrt(2 * independent)
        assert abs(level.mean()) <= 5 * expected / math.sqrt(independent)
    beside = np.mean(noise[2, :, 1:] * noise[2, :, :-1]) / np.mean(noise[2] ** 2)
    assert abs(beside - (math.exp(-1 / (4 * size**2)) if size else 0.0)) < 5 / math.sqrt(independent)


def test_scratches_agree_with_their_mask():
    images = jax.random.uniform(KEY, (3, 64, 80, 3), minval=0.1, maxval=0.9)
    numbers = dict(lines=(2, 4), dust=(5, 9), folds=0)
    mask = np.asarray(compiled(partial(scratches_mask, **numbers))(KEY, images))
    damage = partial(compiled(lambda x, opacity: scratches(KEY, x, **numbers, opacity=opacity)), images)
    worn = np.asarray(damage(0.9))
    changed = (worn != images).any(-1, keepdims=True)
    np.testing.assert_array_equal(changed & ~mask, False)
    assert changed.sum() > 0.99 * mask.sum()
    assert 0.005 < mask.mean() < 0.2
    np.testing.assert_array_equal(damage(0.0), images)
    np.testing.assert_array_equal(compiled(partial(scratches, lines=0, dust=0, folds=0))(KEY, images[0]), images[0])


def test_folds_go_from_side_to_side_and_bend_the_light():
    images = jnp.full((12, 64, 80, 1), 0.5)
    mask = np.asarray(compiled(partial(scratches_mask, lines=0, dust=0, folds=1))(KEY, images))[..., 0]
    folded = np.asarray(compiled(partial(scratches, lines=0, dust=0, folds=1))(KEY, images))[..., 0]
    upright = mask.any(2).mean(1) > mask.any(1).mean(1)  # in most rows rather than in most columns
    assert 2 <= upright.sum() <= 10
    assert (np.where(upright, mask.any(2).mean(1), mask.any(1).mean(1)) > 0.5).all()  # broken here and there
    shade = folded[~mask]
    assert shade.min() < 0.42
    assert shade[shade < 0.9].max() > 0.58


def test_numbers_of_defects():
    def draw(key):
        return _lines(key, (100, 100), (1, 3)), _specks(key, (100, 100), (2, 5))

    (starts, _, line_radii, line_tones), (places, _, radii, tones) = compiled(jax.vmap(draw))(jax.random.split(KEY, 2000))
    lines = np.isfinite(line_radii).reshape(2000, 3, -1)
    assert (lines == lines[..., :1]).all()
    for found, low, high in ((lines[..., 0].sum(1), 1, 3), (np.isfinite(radii).sum(1), 2, 5)):
        assert stats.chisquare([np.sum(found == n) for n in range(low, high + 1)]).pvalue > 1e-4
        assert low <= found.min() <= found.max() <= high
    assert abs(np.mean(line_tones) - 0.75) < 5 * math.sqrt(0.75 * 0.25 / 6000)
    assert abs(np.mean(tones) - 0.7) < 5 * math.sqrt(0.7 * 0.3 / 10000)
    assert stats.kstest(np.asarray(line_radii)[:, 0], stats.uniform(0.25, 0.75).cdf).pvalue > 1e-4
    assert stats.kstest(np.asarray(starts)[:, 0, 1], stats.uniform(0, 100).cdf).pvalue > 1e-4
    assert stats.kstest(np.asarray(places)[:, 0, 0], stats.uniform(0, 100).cdf).pvalue > 1e-4
