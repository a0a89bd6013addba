"""Filters against SciPy."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage
import scipy.signal

from jaxrestore.errors import InputError
from jaxrestore.ops.filtering import filter_2d, filter_separable, filter_valid, gaussian_taps

SCIPY_MODE = {"reflect": "mirror", "symmetric": "reflect", "edge": "nearest", "wrap": "wrap", "constant": "constant"}


def test_gaussian_taps():
    impulse = np.zeros(11)
    impulse[5] = 1.0
    np.testing.assert_allclose(gaussian_taps(11, 1.5), scipy.ndimage.gaussian_filter1d(impulse, 1.5, truncate=3.5), rtol=1e-12)
    assert gaussian_taps(4, 1.0).sum() == pytest.approx(1.0)


class Variants(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True)
    def test_filter_valid(self):
        image = np.random.default_rng(0).random((2, 9, 7, 3), np.float32)
        taps = np.array([0.1, 0.5, -0.3, 0.2])
        filtered = self.variant(lambda x: filter_valid(x, taps))(image)
        chex.assert_shape(filtered, (2, 6, 4, 3))
        expected = scipy.signal.correlate2d(image[1, :, :, 2], np.outer(taps, taps), "valid")
        np.testing.assert_allclose(filtered[1, :, :, 2], expected, atol=1e-6)

    @chex.variants(with_jit=True, without_jit=True)
    def test_filter_separable(self):
        image = np.random.default_rng(1).random((2, 6, 7, 2), np.float32)
        rows, columns = np.array([0.2, -0.5, 1.0, 0.3]), np.array([1.0, 2.0, -1.0])
        for padding, mode in SCIPY_MODE.items():
            filtered = self.variant(filter_separable, static_argnums=3)(image, rows, columns, padding)
            expected = scipy.ndimage.correlate(image[1, :, :, 1], np.outer(rows, columns), mode=mode)
            np.testing.assert_allclose(filtered[1, :, :, 1], expected, atol=1e-6)


@pytest.mark.parametrize("method", ["shifts", "fft"])
@pytest.mark.parametrize("padding", ["reflect", "constant"])
def test_filter_2d_equals_scipy_for_all_and_for_each(method, padding):
    random = np.random.default_rng(2)
    image, kernels = random.random((2, 8, 9, 2)), random.normal(size=(2, 4, 3))
    with jax.enable_x64(True):
        same = filter_2d(image, kernels[0], padding, method)
        own = filter_2d(image, kernels, padding, method)
        alone = filter_2d(image[1], kernels[1], padding, method)
    for n, channel in ((0, 1), (1, 0)):
        expected = [scipy.ndimage.correlate(image[n, :, :, channel], k, mode=SCIPY_MODE[padding]) for k in (kernels[0], kernels[n])]
        np.testing.assert_allclose(same[n, :, :, channel], expected[0], atol=1e-12)
        np.testing.assert_allclose(own[n, :, :, channel], expected[1], atol=1e-12)
    np.testing.assert_allclose(own[1], alone, atol=1e-12)


def test_large_kernels_and_their_derivatives():
    random = np.random.default_rng(3)
    image, kernel = random.random((1, 11, 13, 1), np.float32), random.normal(size=(9, 9)).astype(np.float32)
    filtered = filter_2d(image, kernel, "symmetric")  # automatically by FFT
    chex.assert_type(filtered, jnp.float32)
    expected = scipy.ndimage.correlate(image[0, :, :, 0], kernel, mode="reflect")
    np.testing.assert_allclose(filtered[0, :, :, 0], expected, atol=1e-5)
    gradients = [jax.grad(lambda k, m=m: jnp.sum(jnp.sin(filter_2d(image, k, "wrap", m))))(kernel) for m in ("shifts", "fft")]
    np.testing.assert_allclose(*gradients, atol=2e-5)


def test_bad_input_is_said():
    image = np.zeros((2, 5, 5, 1), np.float32)
    with pytest.raises(InputError, match="method is 'direct'"):
        filter_2d(image, np.ones((3, 3)), method="direct")
    with pytest.raises(InputError, match=r"kernel has the shape \(3, 2, 2\): it must be .* \(2,\)"):
        filter_2d(image, np.ones((3, 2, 2)))
    with pytest.raises(InputError, match="padding mode is 'mirror'"):
        filter_separable(image, np.ones(3), np.ones(3), "mirror")
    with pytest.raises(InputError, match="at least one"):
        filter_separable(image, np.ones(0), np.ones(3))
    with pytest.raises(InputError, match="sigma is 0"):
        gaussian_taps(3, 0.0)


def test_too_small():
    with pytest.raises(InputError, match=r"3x3 does not fit .*\(5, 2, 1\)"):
        filter_valid(np.zeros((5, 2, 1), np.float32), np.ones(3))
