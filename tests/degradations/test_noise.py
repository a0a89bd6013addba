"""Noise has the distribution that its docstring says, to five standard errors of the sample."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxrestore.degradations.compose import blind
from jaxrestore.degradations.noise import (
    gaussian,
    gaussian_blind,
    gaussian_varying,
    noise_level,
    poisson,
    poisson_gaussian,
    salt_and_pepper,
    speckle,
)
from tests.compiled import compiled

KEY = jax.random.key(7)
SIDE = 160


def constant(value: float) -> np.ndarray:
    return np.full((SIDE, SIDE, 1), value, np.float32)


def assert_moments(sample: np.ndarray, mean: float, variance: float, fourth_moment: float) -> None:
    """Mean and variance within five standard errors; `fourth_moment` is the central one."""
    sample = np.asarray(sample, np.float64).ravel()
    assert abs(sample.mean() - mean) < 5 * math.sqrt(variance / sample.size)
    assert abs(np.mean((sample - mean) ** 2) - variance) < 5 * math.sqrt((fourth_moment - variance**2) / sample.size)


@pytest.mark.parametrize("sigma", [1.0, 25.0])
def test_gaussian(sigma: float):
    noise = (gaussian(KEY, constant(0.5), sigma) - 0.5) * 255.0
    assert_moments(noise, 0.0, sigma**2, 3 * sigma**4)
    assert stats.kstest(np.ravel(noise) / sigma, "norm").pvalue > 1e-4


def test_gaussian_level_for_each_image():
    images = np.full((3, SIDE, SIDE, 1), 0.5, np.float32)
    noise = (gaussian(KEY, images, jnp.asarray([0.0, 5.0, 50.0])) - 0.5) * 255.0
    np.testing.assert_array_equal(noise[0], 0.0)
    assert_moments(noise[1], 0.0, 5.0**2, 3 * 5.0**4)
    assert_moments(noise[2], 0.0, 50.0**2, 3 * 50.0**4)


def test_gaussian_blind_draws_one_uniform_level_for_each_image():
    images = np.zeros((400, 16, 16, 1), np.float32)
    noise = np.asarray(compiled(partial(gaussian_blind, sigma=(10.0, 40.0)))(KEY, images)) * 255.0
    levels = np.sqrt(np.mean(noise**2, axis=(1, 2, 3)))
    error = 5 / math.sqrt(2 * 256)  # of a level that is estimated from 256 values, relative
    assert levels.min() > 10.0 * (1 - error)
    assert levels.max() < 40.0 * (1 + error)
    assert abs(levels.mean() - 25.0) < 5 * (30.0 / math.sqrt(12)) / math.sqrt(400)
    assert stats.kstest(levels, stats.uniform(10.0, 30.0).cdf).pvalue > 1e-3


def test_gaussian_blind_is_gaussian_made_blind():
    images = np.full((2, 4, 4, 3), 0.5, np.float32)
    np.testing.assert_array_equal(compiled(gaussian_blind)(KEY, images), compiled(blind(gaussian, sigma=(0.0, 55.0)))(KEY, images))
    fixed = compiled(blind(gaussian, sigma=25.0))(KEY, images[0])
    np.testing.assert_array_equal(fixed, compiled(partial(gaussian, sigma=25.0))(jax.random.split(KEY)[0], images[0]))


@pytest.mark.parametrize(("value", "peak"), [(0.02, 100.0), (0.5, 30.0), (1.0, 1000.0)])
def test_poisson(value: float, peak: float):
    counts = np.asarray(poisson(KEY, constant(value), peak), np.float64) * peak
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-3)
    mean = value * peak
    assert_moments(counts, mean, mean, mean * (1 + 3 * mean))


@pytest.mark.parametrize(("value", "peak", "sigma"), [(0.1, 50.0, 10.0), (0.8, 400.0, 3.0)])
def test_poisson_gaussian(value: float, peak: float, sigma: float):
    photons, read = value / peak, (sigma / 255.0) ** 2
    # Central fourth moments: lambda (1 + 3 lambda) of the counts, 3 of the normal number, and six times the product of the variances.
    fourth = photons / peak**2 + 3 * (photons + read) ** 2
    assert_moments(poisson_gaussian(KEY, constant(value), peak, sigma), np.float32(value), photons + read, fourth)


def test_gaussian_varying_has_the_level_of_its_map():
    images = np.full((40, 64, 48, 3), 0.5, np.float32)
    noise = (np.asarray(compiled(gaussian_varying)(KEY, images), np.float64) - 0.5) * 255.0
    level = np.asarray(compiled(noise_level)(KEY, images))
    assert level.shape == (40, 64, 48, 1)
    assert level.min() > 0.0
    assert level.max() < 50.0
    assert stats.kstest((noise / level).ravel()[::7], "norm").pvalue > 1e-3
    assert np.abs(np.diff(level, axis=1)).max() < 50.0 * 1.5 * 4 / 64  # the steepest of a smooth step over a quarter of the height
    # At the corners of the fields, the draws themselves are uniform.
    corners = np.asarray(compiled(partial(noise_level, cells=1))(KEY, images))[:, [0, 0, -1, -1], [0, -1, 0, -1], 0]
    assert stats.kstest(corners.ravel(), stats.uniform(0.0, 50.0).cdf).pvalue > 1e-3


def test_poisson_takes_negative_light_as_none():
    np.testing.assert_array_equal(poisson(KEY, constant(-0.25), 10.0), 0.0)


def test_speckle_grows_with_the_image():
    for value in (0.1, 0.8):
        spread = value * 20.0 / 255.0
        assert_moments(speckle(KEY, constant(value), 20.0), np.float32(value), spread**2, 3 * spread**4)
    np.testing.assert_array_equal(speckle(KEY, constant(0.0), 20.0), 0.0)


def test_salt_and_pepper():
    noisy = np.asarray(salt_and_pepper(KEY, constant(0.5), 0.2, 0.25))
    assert set(np.unique(noisy)) == {0.0, 0.5, 1.0}
    for colour, rate in ((1.0, 0.05), (0.0, 0.15), (0.5, 0.8)):
        assert abs(np.mean(noisy == colour) - rate) < 5 * math.sqrt(rate * (1 - rate) / noisy.size)
    np.testing.assert_array_equal(salt_and_pepper(KEY, constant(0.5), 0.0), 0.5)
    assert set(np.unique(salt_and_pepper(KEY, constant(0.5), 1.0))) == {0.0, 1.0}


def test_neighbours_channels_and_images_are_independent():
    noise = np.asarray(gaussian(KEY, np.zeros((2, SIDE, SIDE, 3), np.float32), 255.0), np.float64)
    pairs = (
        (noise[0], noise[1]),
        (noise[..., 0], noise[..., 1]),
        (noise[:, 1:], noise[:, :-1]),
        (noise[:, :, 1:], noise[:, :, :-1]),
    )
    for a, b in pairs:
        assert abs(np.mean(a * b)) < 5 / math.sqrt(a.size)
