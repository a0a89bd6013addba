"""Haze and rain: the scattering law by hand, the light and direction of the streaks."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.degradations.haze import haze, haze_depth, scattering
from jaxrestore.degradations.rain import rain, rain_streaks
from tests.compiled import compiled

KEY = jax.random.key(4)


def test_scattering_by_hand():
    image = jnp.asarray([[0.2, 0.4]]).reshape(1, 1, 2, 1)
    depth = np.array([[0.0, 2.0]], np.float32).reshape(1, 2, 1)
    t = math.exp(-1.0)
    expected = np.array([0.2, 0.4 * t + 0.9 * (1 - t)]).reshape(1, 1, 2, 1)
    np.testing.assert_allclose(scattering(KEY, image, depth, beta=0.5, airlight=0.9), expected, rtol=1e-6)
    both = scattering(KEY, jnp.concatenate([image, image]), depth, beta=np.array([0.5, 0.0]), airlight=np.array([0.9, 0.1]))
    np.testing.assert_allclose(both, np.concatenate([expected, image]), rtol=1e-6)


def test_haze_is_scattering_through_its_depth():
    images = jax.random.uniform(KEY, (8, 24, 36, 3))
    depth = np.asarray(compiled(haze_depth)(KEY, images))
    assert depth.shape == (8, 24, 36, 1)
    np.testing.assert_allclose(depth.min((1, 2, 3)), 0.0, atol=1e-7)
    np.testing.assert_allclose(depth.max((1, 2, 3)), 1.0, atol=1e-6)
    assert (depth[:, :6].mean((1, 2, 3)) > depth[:, -6:].mean((1, 2, 3)) + 0.3).all()  # far at the top
    assert np.abs(np.diff(depth, axis=2)).max() < 0.15  # smooth
    hazy = compiled(partial(haze, beta=1.5, airlight=0.8))(KEY, images)
    np.testing.assert_allclose(hazy, scattering(KEY, images, depth, 1.5, 0.8), atol=1e-6)
    np.testing.assert_allclose(compiled(partial(haze, beta=0.0))(KEY, images), images, atol=1e-7)


@pytest.fixture(scope="module")
def streaks():
    return compiled(rain_streaks)


def test_rain_is_its_streaks_blended_as_on_a_screen(streaks):
    images = jax.random.uniform(KEY, (2, 40, 50, 3))
    layer = streaks(KEY, images, 0.005, 20.0, 1.5, -20.0, 0.7)
    assert layer.shape == (2, 40, 50, 1)
    np.testing.assert_allclose(compiled(rain)(KEY, images, 0.005, 20.0, 1.5, -20.0, 0.7), 1 - (1 - images) * (1 - layer), atol=1e-6)
    assert 0.0 <= float(layer.min()) < 0.01
    assert 0.35 < float(layer.max()) <= 1.0
    np.testing.assert_allclose(streaks(KEY, images, 0.0, 20.0, 1.5, 0.0, 0.7), 0.0, atol=1e-6)
    np.testing.assert_array_equal(streaks(KEY, images, 0.1, 20.0, 1.5, 0.0, 0.0), 0.0)


def test_rain_has_its_light(streaks):
    # So faint and rare that nothing saturates: the mean is rate x brightness x the integral of a streak, three distances together.
    rate, length, width, opacity, blank = 2e-3, 12.0, 2.0, 1e-3, jnp.zeros((16, 96, 96, 1))
    light = np.asarray(streaks(KEY, blank, rate, length, width, 25.0, opacity), np.float64)
    expected, variance = 0.0, 0.0
    for scale, more, dimming in ((1.0, 1.0, 1.0), (0.6, 2.5, 0.7), (0.35, 6.0, 0.5)):
        spread = scale * width / 2
        wide, fade = max(spread, 0.4), min(spread / 0.4, 1.0)
        integral = fade * (math.sqrt(2 * math.pi) * wide * scale * length + 2 * math.pi * wide**2)
        expected += opacity * dimming * rate * more * 0.75 * integral
        variance += rate * more * (opacity * dimming * integral) ** 2 * (0.75**2 + 0.5**2 / 12) / blank.size
    assert abs(light.mean() - expected) < 5 * math.sqrt(variance) + 0.01 * expected  # the integral on pixels is exact to 1 %


@pytest.mark.parametrize("angle", [-40.0, 0.0, 25.0])
def test_rain_falls_in_its_direction(streaks, angle: float):
    layer = np.asarray(streaks(KEY, jnp.zeros((16, 96, 96, 1)), 1e-3, 24.0, 2.0, angle, 0.5), np.float64)[..., 0]
    # Where the light changes: the second moments of its spectrum, far below the frequencies that the pixels fold.
    power = np.mean(np.abs(np.fft.fft2(layer)) ** 2, axis=0)
    down, right = np.meshgrid(np.fft.fftfreq(96), np.fft.fftfreq(96), indexing="ij")
    power *= np.hypot(down, right) < 0.25
    tensor = [[np.sum(power * a * b) for a in (down, right)] for b in (down, right)]
    row, column = np.linalg.eigh(tensor)[1][:, 0]  # along the streaks the light changes least
    fall = math.degrees(math.atan2(-column, row)) if row > 0 else math.degrees(math.atan2(column, -row))
    # 16 x 3 layers that differ by 5 degrees each.
    assert abs(fall - angle) < 4 * 5 / math.sqrt(16)
