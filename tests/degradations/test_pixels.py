"""Quantisation, clipping, erasing and low resolution against hand arithmetic and MATLAB's goldens."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxrestore.degradations.clip import clip
from jaxrestore.degradations.downsample import downsample, low_resolution
from jaxrestore.degradations.erase import erase, erase_mask
from jaxrestore.degradations.quantise import bit_depth, quantise
from tests.compiled import compiled
from tests.parity.golden import Golden, goldens

KEY = jax.random.key(3)


def test_quantise_by_hand():
    values = jnp.asarray([-0.2, 0.0, 0.12, 0.125, 0.37, 0.375, 0.62, 0.625, 0.99, 1.3]).reshape(1, -1, 1)
    expected = np.array([0, 0, 0, 1, 1, 2, 2, 3, 4, 4]) / 4  # halfway values go up
    np.testing.assert_array_equal(quantise(KEY, values, levels=5).ravel(), expected)
    np.testing.assert_array_equal(np.unique(bit_depth(KEY, values, bits=1)), [0.0, 1.0])


def test_quantise_to_8_bits_is_what_a_file_keeps():
    image = np.random.default_rng(0).random((20, 20, 3)).astype(np.float32)
    expected = np.floor(image.astype(np.float64) * 255 + 0.5) / 255
    np.testing.assert_allclose(quantise(KEY, image), expected, atol=1e-7)
    kept = (np.arange(256, dtype=np.float32) / 255).reshape(16, 16, 1)
    np.testing.assert_allclose(bit_depth(KEY, kept), kept, atol=1e-7)


def test_clip():
    np.testing.assert_array_equal(clip(KEY, jnp.asarray([[[-0.5, 0.25, 1.5]]])), [[[0.0, 0.25, 1.0]]])


@pytest.mark.parametrize("golden", goldens("ops/imresize_matlab-*"), ids=str)
def test_downsample_is_matlabs(golden: Golden):
    parity = str(golden).split("-")[-1]
    image = golden.tensors[f"in.{parity}"].astype(np.float32)
    small = golden.tensors[f"out64.{parity}.div4"]
    np.testing.assert_allclose(downsample(KEY, image, scale=4), small, atol=4e-7)
    np.testing.assert_allclose(downsample(KEY, image[None], scale=2)[0], golden.tensors[f"out64.{parity}.div2"], atol=4e-7)


def test_low_resolution_keeps_the_size_and_loses_the_detail():
    ramp = np.linspace(0.2, 0.8, 46, dtype=np.float32).reshape(1, 46, 1) * np.ones((33, 1, 1), np.float32)
    checkers = (np.indices((33, 46)).sum(axis=0) % 2).astype(np.float32)[..., None]
    for image, expected in ((ramp, ramp), (checkers, 0.5)):
        low = low_resolution(KEY, image, scale=3)
        assert low.shape == image.shape
        np.testing.assert_allclose(low[8:-8, 8:-8], np.broadcast_to(expected, image.shape)[8:-8, 8:-8], atol=0.02)
    np.testing.assert_allclose(low_resolution(KEY, checkers, scale=1), checkers, atol=1e-6)


def test_low_resolution_draws_its_scale_for_each_image():
    image = jax.random.uniform(KEY, (24, 24, 1))
    drawn = np.asarray(low_resolution(KEY, jnp.broadcast_to(image, (12, 24, 24, 1)), scale=(2, 4)))
    fixed = np.stack([low_resolution(KEY, image, scale=scale) for scale in (2, 3, 4)])
    which = np.argmin(np.abs(drawn[:, None] - fixed).max(axis=(2, 3, 4)), axis=1)
    assert set(which) == {0, 1, 2}
    np.testing.assert_allclose(drawn, fixed[which], atol=1e-6)


def rectangle(mask: np.ndarray) -> tuple[int, int, int, int]:
    """top, left, height, width of a mask that is one full rectangle."""
    rows, columns = np.flatnonzero(mask.any((1, 2))), np.flatnonzero(mask.any((0, 2)))
    assert mask.sum() == len(rows) * len(columns) == (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
    return rows[0], columns[0], len(rows), len(columns)


def test_erased_rectangles_are_uniform_in_size_and_place():
    masks = np.asarray(compiled(partial(erase_mask, count=1, size=(0.1, 0.5)))(KEY, jnp.zeros((1000, 40, 60, 3))))
    assert masks.shape == (1000, 40, 60, 1)
    top, left, height, width = np.array([rectangle(mask) for mask in masks]).T
    for start, side, length in ((top, height, 40), (left, width, 60)):
        assert side.min() >= 0.1 * length
        assert side.max() <= 0.5 * length
        # Uniform in [low, high] before it is rounded to pixels, which adds a variance of 1/12.
        spread = math.sqrt(((0.4 * length) ** 2 + 1) / 12)
        assert abs(side.mean() - 0.3 * length) < 5 * spread / math.sqrt(1000)
        # All length - side + 1 places are equally likely: the place's rank, spread inside its pixel, is uniform.
        rank = (start + np.random.default_rng(0).random(1000)) / (length - side + 1)
        assert stats.kstest(rank, "uniform").pvalue > 1e-3
        assert (start == 0).any()
        assert (start + side == length).any()


def test_squares_are_uniform_in_size():
    # As in On-Demand Learning's first band: sides of 1..6 pixels of 64, each equally likely.
    erased = compiled(partial(erase_mask, size=(0.5 / 64, 6.5 / 64), shape="square"))(KEY, jnp.zeros((1000, 64, 64, 1)))
    boxes = np.array([rectangle(mask) for mask in np.asarray(erased)])
    np.testing.assert_array_equal(boxes[:, 2], boxes[:, 3])
    assert stats.chisquare(np.bincount(boxes[:, 2], minlength=7)[1:]).pvalue > 1e-4


def test_erase_counts():
    # One pixel each in a field of 4096: overlaps are rare, so the erased pixels count the rectangles.
    masks = np.asarray(compiled(partial(erase_mask, count=(1, 3), size=1 / 64))(KEY, jnp.zeros((600, 64, 64, 1))))
    erased = masks.sum(axis=(1, 2, 3))
    assert set(erased) == {1, 2, 3}
    for count in (1, 2, 3):
        assert abs(np.mean(erased == count) - 1 / 3) < 5 * math.sqrt((1 / 3) * (2 / 3) / 600)
    assert not compiled(partial(erase_mask, count=0))(KEY, jnp.zeros((5, 5, 1))).any()
    assert compiled(partial(erase_mask, size=1.0))(KEY, jnp.zeros((5, 7, 1))).all()
    assert compiled(partial(erase_mask, count=2))(KEY, jnp.zeros((1, 1, 1))).all()


def test_erase_agrees_with_its_mask():
    images = jax.random.uniform(KEY, (4, 20, 30, 3), minval=0.1)
    where = {"count": (1, 4), "size": (0.1, 0.4)}
    mask = compiled(partial(erase_mask, **where))(KEY, images)
    erased = compiled(partial(erase, **where, fill=np.array([0.0, 0.5, 1.0, 0.0])))(KEY, images)
    fill = np.array([0.0, 0.5, 1.0, 0.0], np.float32).reshape(4, 1, 1, 1)
    np.testing.assert_array_equal(erased, np.where(mask, fill, images))
    assert 0 < np.mean(mask) < 0.7
