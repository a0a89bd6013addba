"""Deconvolution with total variation: it minimises what it says, and a photograph gains more than by the Wiener filter."""

from functools import partial

import jax
import numpy as np
import pytest
import scipy.ndimage
import scipy.optimize

from jaxrestore.classical.tv_deconvolution import tv_deconvolution
from jaxrestore.classical.wiener_deconvolution import wiener_deconvolution
from jaxrestore.errors import InputError
from tests.classical.blurred import MOTION, blurred_photograph, decibels

DELTA = np.float32([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
SIGMA = 4.0
WEIGHT = (SIGMA / 255.0) ** 2 / 0.06
SMALL = np.array([[0.0, 0.1, 0.2], [0.1, 0.4, 0.1], [0.0, 0.1, 0.0]])


def _objective(x, image, psf, isotropic, smooth=0.0):
    """On a torus, computed by SciPy; `smooth` rounds the corner of the total variation off."""
    residual = scipy.ndimage.convolve(x, psf, mode="wrap") - image
    down, right = np.roll(x, -1, 0) - x, np.roll(x, -1, 1) - x
    if isotropic:
        variation = np.sum(np.sqrt(down**2 + right**2 + smooth**2))
    else:
        variation = np.sum(np.sqrt(down**2 + smooth**2) + np.sqrt(right**2 + smooth**2))
    return 0.5 * np.sum(residual**2) + WEIGHT * variation


@pytest.mark.parametrize("isotropic", [True, False])
def test_reaches_the_least_objective(isotropic):
    """A quasi-Newton method on the objective with its corner rounded off comes no lower."""
    random = np.random.default_rng(0)
    image = scipy.ndimage.gaussian_filter(random.random((8, 9)), 1.0) + 0.05 * random.standard_normal((8, 9))
    rounded = partial(_objective, image=image, psf=SMALL, isotropic=isotropic, smooth=1e-4)
    found = scipy.optimize.minimize(lambda x: rounded(x.reshape(8, 9)), image.ravel(), method="L-BFGS-B", options={"maxfun": 10**6})
    with jax.enable_x64(True):
        ours = tv_deconvolution(image[..., None], psf=SMALL, sigma=SIGMA, isotropic=isotropic, iterations=2000, border="circular")
    least = _objective(found.x.reshape(8, 9), image, SMALL, isotropic)
    assert _objective(np.asarray(ours)[..., 0], image, SMALL, isotropic) <= least * (1.0 + 1e-6)
    assert least < 0.99 * _objective(image, image, SMALL, isotropic)


def test_the_objective_does_not_increase():
    _, blurred = blurred_photograph(MOTION, sigma=SIGMA)
    with jax.enable_x64(True):
        restored = [
            tv_deconvolution(blurred.astype(np.float64), psf=MOTION, sigma=SIGMA, iterations=n, border="circular")
            for n in (5, 10, 20, 40, 80, 160)
        ]
    objectives = [_objective(np.asarray(x)[..., 0], blurred[..., 0].astype(np.float64), MOTION.astype(np.float64), True) for x in restored]
    assert np.all(np.diff(objectives) <= 0.0)
    assert objectives[-3] < 1.01 * objectives[-1]  # the default number of iterations comes within a hundredth


def test_a_photograph_gains_more_than_by_the_wiener_filter():
    sharp, blurred = blurred_photograph(MOTION, sigma=2.0)
    restored = tv_deconvolution(blurred, psf=MOTION, sigma=2.0)
    assert decibels(restored, sharp) > decibels(wiener_deconvolution(blurred, psf=MOTION, sigma=2.0), sharp) + 0.5
    rim = np.ones(sharp.shape, bool)
    rim[8:-8, 8:-8] = False
    assert decibels(restored[rim], sharp[rim]) > decibels(blurred[rim], sharp[rim]) + 1.5
    assert decibels(tv_deconvolution(blurred, psf=MOTION, sigma=2.0, border="circular"), sharp) < decibels(restored, sharp) - 3.0


def test_without_blur_and_noise_nothing_changes():
    images = np.random.default_rng(0).random((2, 12, 14, 3), np.float32)
    np.testing.assert_allclose(tv_deconvolution(images, psf=DELTA, sigma=0.0), images, atol=1e-3)


@pytest.mark.parametrize("shape", [(3, 5), (2, 4)])
def test_a_batch_with_a_kernel_for_each(shape):
    random = np.random.default_rng(2)
    images, psfs = random.random((2, 12, 14, 3), np.float32), random.random((2, *shape), np.float32)
    together = jax.jit(lambda image, psf: tv_deconvolution(image, psf=psf, sigma=2.0))(images, psfs)
    np.testing.assert_allclose(together[1], tv_deconvolution(images[1], psf=psfs[1], sigma=2.0), atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sigma": -1.0}, "sigma is -1: it must be at least 0"),
        ({"strength": 0.0}, "strength is 0: it must be greater than 0"),
        ({"iterations": 0}, "iterations is 0: it must be at least 1"),
        ({"psf": -DELTA}, "psf is -1"),
        ({"psf": np.ones((9, 9))}, "psf is 9x9"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        tv_deconvolution(np.ones((8, 8, 1), np.float32), **{"psf": DELTA, "sigma": 1.0, **arguments})
