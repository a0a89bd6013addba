"""The network of neurons: its energy, in whole numbers, never rises, and it comes to rest where it should."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage

from jaxrestore.classical.hopfield import SMOOTHNESS, hopfield, settle
from jaxrestore.errors import InputError
from tests.classical.blurred import MOTION, blurred_photograph, decibels
from tests.compiled import compiled

SIZE = (13, 16)
KERNELS = {  # in sixteenths
    "3x3": np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]),
    "slanted 4x5": np.array([[0, 0, 0, 0, 1], [0, 0, 2, 5, 0], [0, 3, 4, 0, 0], [1, 0, 0, 0, 0]]),
    "1x2": np.array([[5, 11]]),
}
WEIGHT = 36 / 1024
SETTLE = compiled(settle)


def _image(seed):
    """Whole grey levels."""
    random = np.random.default_rng(seed)
    return np.round(255 * np.clip(scipy.ndimage.gaussian_filter(random.random(SIZE), 1.0) * 3 - 1, 0, 1)).astype(np.int64)


def _convolved(x, kernel):
    """On a torus, the kernel's centre at (kh // 2, kw // 2)."""
    middle = np.array(kernel.shape) // 2
    return sum(value * np.roll(x, np.array(place) - middle, (0, 1)) for place, value in np.ndenumerate(kernel))


def _energy(state, image, kernel):
    """2048 times the energy, an exact whole number."""
    residual = 16 * image - _convolved(state, kernel)[: SIZE[0], : SIZE[1]]
    return 4 * np.sum(residual**2) + np.sum(_convolved(state, np.round(6 * SMOOTHNESS).astype(np.int64)) ** 2)


def _settled(image, kernel, sweeps, neurons=255.0):
    with jax.enable_x64(True):
        numbers = (jnp.asarray(x, jnp.float64) for x in (image[..., None] / 255, kernel / 16, WEIGHT, neurons))
        state = np.asarray(SETTLE(*numbers, jnp.asarray(sweeps)))[..., 0]
    levels = np.round(state * neurons)
    np.testing.assert_allclose(state * neurons, levels, atol=1e-9)
    return levels.astype(np.int64)


@pytest.mark.parametrize("name", KERNELS)
def test_the_energy_falls_with_every_sweep_until_no_neuron_can_lower_it(name):
    image, kernel = _image(len(name)), KERNELS[name]
    states = [_settled(image, kernel, n) for n in (0, 1, 2, 3, 5, 8, 13, 300, 301)]
    energies = [_energy(state, image, kernel) for state in states]
    assert all(after < before for before, after in pairwise(energies[:4]))
    assert all(after <= before for before, after in pairwise(energies))
    rest = states[-1]
    np.testing.assert_array_equal(rest, states[-2])
    for place in np.ndindex(rest.shape):
        for step in (-1, 1):
            other = rest.copy()
            other[place] += step
            assert not 0 <= other[place] <= 255 or _energy(other, image, kernel) >= energies[-1]


def test_many_neurons_find_the_least_squares_solution():
    image, kernel = _image(0) // 4 + 90, KERNELS["slanted 4x5"]  # away from 0 and 1, where the neurons end
    neurons = 10**6
    state = _settled(image, kernel, 2000, float(neurons)) / neurons
    points = np.eye(state.size).reshape(-1, *state.shape)
    blur = np.stack([_convolved(point, kernel / 16)[: SIZE[0], : SIZE[1]].ravel() for point in points], axis=1)
    smooth = np.stack([_convolved(point, SMOOTHNESS).ravel() for point in points], axis=1)
    expected = np.linalg.solve(blur.T @ blur + WEIGHT * smooth.T @ smooth, blur.T @ image.ravel() / 255)
    assert 0 < expected.min() < expected.max() < 1
    np.testing.assert_allclose(state.ravel(), expected, atol=1e-4)


def test_a_photograph_gains():
    sharp, blurred = blurred_photograph(MOTION, sigma=2.0, size=64)
    restored = np.asarray(hopfield(blurred, psf=MOTION, sigma=2.0, sweeps=15))
    assert decibels(restored, sharp) > decibels(blurred, sharp) + 4.0
    np.testing.assert_allclose(restored * 255, np.round(restored * 255), atol=1e-3)
    rim = np.ones(sharp.shape, bool)
    rim[8:-8, 8:-8] = False
    assert decibels(restored[rim], sharp[rim]) > decibels(blurred[rim], sharp[rim]) + 1.5


@pytest.mark.parametrize("shape", [(3, 5), (2, 1)])
def test_a_batch_with_a_kernel_for_each(shape):
    random = np.random.default_rng(2)
    images, psfs = random.random((2, 12, 14, 3)), random.random((2, *shape))
    restore = compiled(lambda image, psf: hopfield(image, psf=psf, sigma=9, sweeps=3))
    with jax.enable_x64(True):  # where hardly any rounding flips a neuron
        together, alone = np.asarray(restore(images, psfs)), restore(images[1, :, :, 2:], psfs[1])
    assert (together.shape, together.dtype) == (images.shape, np.float64)
    np.testing.assert_allclose(together[1, :, :, 2:], alone, atol=1e-9)
    assert np.abs(together - images).max() > 0.01


def test_without_blur_and_noise_nothing_but_rounding():
    image = np.random.default_rng(0).random((12, 14, 1), np.float32)
    np.testing.assert_allclose(hopfield(image, psf=np.ones((1, 1), np.float32), sigma=0), image, atol=0.52 / 255)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sigma": -1.0}, "sigma is -1: it must be at least 0"),
        ({"strength": 0.0}, "strength is 0: it must be greater than 0"),
        ({"neurons": 0}, "neurons is 0: it must be at least 1"),
        ({"sweeps": -1}, "sweeps is -1: it must be at least 0"),
        ({"psf": np.ones((9, 9))}, "psf is 9x9"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        hopfield(np.ones((8, 8, 1), np.float32), **{"psf": np.ones((3, 3)), "sigma": 1.0, **arguments})
