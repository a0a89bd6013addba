"""Filters against SciPy."""

import chex
import numpy as np
import pytest
import scipy.ndimage
import scipy.signal

from jaxrestore.errors import InputError
from jaxrestore.ops.filtering import filter_valid, gaussian_taps


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


def test_too_small():
    with pytest.raises(InputError, match=r"3x3 does not fit .*\(5, 2, 1\)"):
        filter_valid(np.zeros((5, 2, 1), np.float32), np.ones(3))
