"""Richardson-Lucy: what every iteration keeps, borders, damping and acceleration."""

import jax
import numpy as np
import pytest
import scipy.ndimage

from jaxrestore.classical.richardson_lucy import richardson_lucy
from jaxrestore.errors import InputError
from tests.classical.blurred import MOTION, blurred_photograph, decibels

DELTA = np.float32([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
borders = pytest.mark.parametrize("border", ["open", "circular", "zeros"])


def _images(shape=(12, 14, 3)):
    return np.random.default_rng(0).random(shape, np.float32)


@borders
@pytest.mark.parametrize("acceleration", [False, True])
def test_without_blur_nothing_changes(border, acceleration):
    np.testing.assert_allclose(
        richardson_lucy(_images(), psf=DELTA, iterations=2, border=border, acceleration=acceleration), _images(), atol=1e-5
    )


def test_every_iteration_keeps_the_sum():
    for iterations in (1, 5):
        restored = richardson_lucy(_images(), psf=MOTION, iterations=iterations, border="circular")
        np.testing.assert_allclose(np.sum(restored, (0, 1)), np.sum(_images(), (0, 1)), rtol=1e-5)
        assert np.min(restored) >= 0.0


@pytest.mark.parametrize("shape", [(2, 4), (3, 5)])
def test_a_constant_image_stays_as_it_is(shape):
    """Also along an open border, and for even sizes."""
    psf = np.random.default_rng(1).random(shape, np.float32)
    image = np.full((12, 14, 3), 0.5, np.float32)
    np.testing.assert_allclose(richardson_lucy(image, psf=psf, iterations=5), image, atol=1e-5)


@borders
def test_a_batch_with_a_kernel_for_each(border):
    images, psfs = _images((2, 12, 14, 3)), np.random.default_rng(2).random((2, 3, 5), np.float32)
    together = jax.jit(lambda image, psf: richardson_lucy(image, psf=psf, iterations=5, border=border))(images, psfs)
    alone = richardson_lucy(images[1], psf=psfs[1], iterations=5, border=border)
    np.testing.assert_allclose(together[1], alone, atol=1e-4)
    half = richardson_lucy(images[1].astype(np.float16), psf=psfs[1], iterations=5, border=border)
    assert half.dtype == np.float16


def test_the_likelihood_grows():
    """Each iteration of an expectation-maximisation makes the data likelier."""
    _, blurred = blurred_photograph(MOTION, sigma=2.0)
    with jax.enable_x64(True):
        likelihoods = []
        for iterations in (1, 2, 4, 8, 16):
            restored = richardson_lucy(blurred.astype(np.float64), psf=MOTION, iterations=iterations, border="circular")
            predicted = scipy.ndimage.convolve(np.asarray(restored)[..., 0], MOTION.astype(np.float64), mode="wrap")
            likelihoods.append(np.sum(blurred[..., 0] * np.log(predicted) - predicted))
    assert np.all(np.diff(likelihoods) > 0.0)


def test_a_photograph_gains_and_its_border_does_not_ring():
    sharp, blurred = blurred_photograph(MOTION, sigma=2.0)
    restored = richardson_lucy(blurred, psf=MOTION)
    assert decibels(restored, sharp) > decibels(blurred, sharp) + 2.0
    rim = np.ones(sharp.shape, bool)
    rim[8:-8, 8:-8] = False
    assert decibels(restored[rim], sharp[rim]) > decibels(blurred[rim], sharp[rim]) + 1.0
    assert decibels(richardson_lucy(blurred, psf=MOTION, border="zeros"), sharp) < decibels(restored, sharp) - 3.0


def test_acceleration_gets_there_sooner():
    _, blurred = blurred_photograph(MOTION, sigma=0.0)
    far = richardson_lucy(blurred, psf=MOTION, iterations=60)
    distances = [
        float(np.mean(np.square(richardson_lucy(blurred, psf=MOTION, iterations=15, acceleration=fast) - far))) for fast in (False, True)
    ]
    assert distances[1] < 0.5 * distances[0]


def test_damping_leaves_noise_alone():
    noise = np.random.default_rng(3).normal(0.0, 3.0 / 255.0, (24, 24, 1)).astype(np.float32)
    image = 0.5 + noise
    box = np.full((3, 3), 1.0, np.float32)
    free, damped = (np.std(richardson_lucy(image, psf=box, iterations=50, damping=damping)) for damping in (0.0, 9.0))
    assert free > 2.0 * np.std(noise)
    assert damped < 0.5 * free


def test_a_filter_epsilon_darkens_what_is_almost_black():
    image = np.full((8, 8, 1), 0.01, np.float32)
    np.testing.assert_array_equal(richardson_lucy(image, psf=DELTA, iterations=2, filter_epsilon=0.02, border="circular"), 0.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"iterations": 0}, "iterations is 0: it must be at least 1"),
        ({"filter_epsilon": -1.0}, "filter_epsilon is -1: it must be at least 0"),
        ({"damping": -1.0}, "damping is -1: it must be at least 0"),
        ({"psf": -DELTA}, "psf is -1"),
        ({"psf": np.ones((9, 9))}, "psf is 9x9"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        richardson_lucy(np.ones((8, 8, 1), np.float32), **{"psf": DELTA, **arguments})
