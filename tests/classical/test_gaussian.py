"""Gaussian filters: batches, types, refusals; `test_denoise_goldens` has their results."""

import numpy as np
import pytest

from jaxrestore.classical.gaussian import gaussian_filter, unsharp_mask
from jaxrestore.errors import InputError


def test_batch_and_type():
    images = np.random.default_rng(0).random((2, 9, 10, 3), np.float32)
    filtered = gaussian_filter(images, sigma_spatial=0.8)
    np.testing.assert_allclose(filtered[1], gaussian_filter(images[1], sigma_spatial=0.8), atol=1e-6)
    half = gaussian_filter(images.astype(np.float16), sigma_spatial=0.8)
    assert half.dtype == np.float16
    np.testing.assert_allclose(half, filtered, atol=2e-3)
    np.testing.assert_array_equal(gaussian_filter(images, sigma_spatial=0), images)
    np.testing.assert_array_equal(unsharp_mask(images, sigma_spatial=1, amount=0), images)


def test_bad_input_is_said():
    image = np.zeros((4, 5, 1), np.float32)
    with pytest.raises(InputError, match="sigma_spatial is -1: it must be at least 0"):
        gaussian_filter(image, sigma_spatial=-1)
    with pytest.raises(InputError, match="mode is 'mirror'"):
        gaussian_filter(image, padding="mirror")
    with pytest.raises(InputError, match="NaN"):
        unsharp_mask(image * np.nan)
