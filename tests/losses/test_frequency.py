"""Spectral losses against NumPy's transform of the whole spectrum, for even and odd sizes."""

import jax
import numpy as np
import pytest

from jaxrestore import losses

SIZES = [(6, 8), (5, 7), (3, 1), (4, 2)]


def pair(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.random.default_rng(0).random((2, 2, *size, 3)))


@pytest.mark.parametrize("size", SIZES)
def test_fft_is_the_mean_over_all_real_and_imaginary_parts(size):
    a, b = pair(size)
    difference = np.fft.fft2(a - b, axes=(1, 2))
    expected = np.stack([np.abs(difference.real), np.abs(difference.imag)]).mean((0, 2, 3, 4))
    with jax.enable_x64(True):
        np.testing.assert_allclose(losses.fft(a, b), expected, rtol=1e-12)


@pytest.mark.parametrize("size", SIZES[:2])
@pytest.mark.parametrize("alpha", [1.0, 2.5])
def test_focal_frequency_and_its_gradient(size, alpha):
    a, b = pair(size)
    difference = np.fft.fft2(a - b, axes=(1, 2), norm="ortho")
    weights = np.abs(difference) ** alpha
    weights /= weights.max((1, 2), keepdims=True)
    with jax.enable_x64(True):
        value, gradient = jax.value_and_grad(lambda x: losses.focal_frequency(x, b, alpha).sum())(a)
    np.testing.assert_allclose(value, (weights * np.abs(difference) ** 2).mean((1, 2, 3)).sum(), rtol=1e-12)
    # The weights count as constants: the gradient is that of a weighted sum of squares.
    slope = 2.0 * np.fft.ifft2(weights * difference, axes=(1, 2), norm="ortho").real / a[0].size
    np.testing.assert_allclose(gradient, slope, rtol=1e-9, atol=1e-14)


def test_focal_frequency_without_exponent_is_the_squared_error():
    a, b = pair((5, 8))
    with jax.enable_x64(True):
        np.testing.assert_allclose(losses.focal_frequency(a, b, 0.0), losses.mse(a, b), rtol=1e-12)
