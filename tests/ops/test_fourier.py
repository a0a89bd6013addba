"""Spectra against NumPy, SciPy and MATLAB's definition of a transfer function."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage

from jaxrestore.errors import InputError
from jaxrestore.ops.fourier import apply_otf, filter_circular, from_spectrum, psf_to_otf, to_spectrum


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def test_there_and_back():
    image = np.random.default_rng(0).random((2, 5, 6, 3))
    spectrum = to_spectrum(image)
    chex.assert_shape(spectrum, (2, 5, 4, 3))
    np.testing.assert_allclose(spectrum[1, ..., 2], np.fft.fft2(image[1, ..., 2])[:, :4], atol=1e-12)
    np.testing.assert_allclose(from_spectrum(spectrum, (5, 6)), image, atol=1e-14)


@pytest.mark.parametrize("shape", [(3, 3), (4, 5), (7, 2)])
def test_circular_filtering_is_convolution(shape):
    random = np.random.default_rng(1)
    image, psf = random.random((2, 7, 8, 2)), random.random(shape)
    expected = np.zeros((7, 8))  # by definition, with the centre at (kh // 2, kw // 2)
    for (i, j), weight in np.ndenumerate(psf):
        expected += weight * np.roll(image[1, ..., 0], (i - shape[0] // 2, j - shape[1] // 2), (0, 1))
    np.testing.assert_allclose(filter_circular(image, psf)[1, ..., 0], expected, atol=1e-12)
    if all(side % 2 for side in shape):
        np.testing.assert_allclose(expected, scipy.ndimage.convolve(image[1, ..., 0], psf, mode="wrap"), atol=1e-12)
    each = filter_circular(image, np.stack([psf, 2 * psf]))
    np.testing.assert_allclose(each[1, ..., 0], 2 * expected, atol=1e-12)


def test_the_conjugate_is_the_adjoint():
    random = np.random.default_rng(2)
    u, v, otf = random.random((6, 7, 1)), random.random((6, 7, 1)), psf_to_otf(random.random((3, 4)), (6, 7))
    np.testing.assert_allclose(np.vdot(apply_otf(u, otf), v), np.vdot(u, apply_otf(v, jnp.conj(otf))), rtol=1e-12)


def test_sizes_are_checked():
    with pytest.raises(InputError, match="psf is 5x3, larger than the image of 4x4"):
        psf_to_otf(np.ones((5, 3)), (4, 4))
    with pytest.raises(InputError, match="not that of an image of 4x6"):
        apply_otf(np.ones((4, 6, 1)), psf_to_otf(np.ones((1, 1)), (4, 4)))
