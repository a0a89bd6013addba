"""RMSE, gradient error and bits per dimension against SciPy and by hand."""

import jax
import numpy as np
import pytest
from scipy import ndimage

from jaxrestore.errors import InputError
from jaxrestore.metrics import bits_per_dimension, gradient_error, psnr, rmse


def pictures(shape=(2, 16, 21, 3)) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return tuple(random.uniform(size=shape).astype(np.float32) for _ in range(2))


def test_rmse_is_what_psnr_is_the_logarithm_of():
    a, b = pictures()
    errors = rmse(a, b, "luma+border2")
    np.testing.assert_allclose(20.0 * np.log10(1.0 / errors), psnr(a, b, "luma+border2"), rtol=1e-6)
    np.testing.assert_allclose(rmse(a, b), np.sqrt(np.mean((a - b) ** 2, axis=(1, 2, 3))), rtol=1e-6)
    np.testing.assert_allclose(rmse(np.zeros((2, 2, 1), np.uint8), np.full((2, 2, 1), 51, np.uint8)), 0.2, rtol=1e-6)


def test_gradient_error_equals_scipys_sobel():
    a, b = (image.astype(np.float64) for image in pictures())

    def magnitude(image):
        planes = np.moveaxis(image, -1, 1).reshape(-1, *image.shape[1:3])
        return np.stack([np.hypot(*(ndimage.sobel(plane, axis) / 8.0 for axis in (0, 1)))[1:-1, 1:-1] for plane in planes])

    expected = np.abs(magnitude(a) - magnitude(b)).reshape(len(a), -1)
    with jax.enable_x64(True):
        np.testing.assert_allclose(gradient_error(a, b), expected.mean(1), rtol=1e-12)


def test_gradient_error_of_ramps_is_the_difference_of_their_slopes():
    rows, columns = np.indices((9, 12))[..., None].astype(np.float32) / 20
    np.testing.assert_allclose(gradient_error(rows, 0.4 * columns), 0.6 / 20, rtol=1e-5)
    np.testing.assert_allclose(gradient_error(0.6 * rows + 0.8 * columns, 0.0 * rows + 0.3), 1.0 / 20, rtol=1e-5)
    assert gradient_error(rows, rows + 0.2) < 1e-7  # brightness does not count


def test_gradient_error_rises_with_blur_and_with_noise():
    clean, noise = pictures((24, 24, 1))
    clean = ndimage.gaussian_filter(clean, (1, 1, 0))
    blurred = [gradient_error(clean, ndimage.gaussian_filter(clean, (sigma, sigma, 0))) for sigma in (0.5, 1.0, 2.0)]
    noisy = [gradient_error(clean, clean + amount * noise) for amount in (0.05, 0.1, 0.2)]
    assert 0 < blurred[0] < blurred[1] < blurred[2]
    assert 0 < noisy[0] < noisy[1] < noisy[2]


def test_bits_per_dimension_by_hand():
    uniform = 12 * np.log(256.0)  # 12 values of 256 equally likely levels
    np.testing.assert_allclose(bits_per_dimension(uniform, 12), 8.0, rtol=1e-6)
    np.testing.assert_allclose(bits_per_dimension(0.0, 12, levels=256), 8.0, rtol=1e-6)  # the same as a density of one over [0, 1]
    np.testing.assert_allclose(bits_per_dimension(np.array([12.0, 24.0]) * np.log(2.0), 12), [1.0, 2.0], rtol=1e-6)


def test_what_is_refused():
    a, b = pictures()
    for metric in (rmse, gradient_error):
        with pytest.raises(InputError, match="differ in shape"):
            metric(a, b[:1])
    with pytest.raises(InputError, match=r"gradient error in the convention rgb\+border7 needs 3x3 pixels inside the border"):
        gradient_error(a, b, "rgb+border7")
    with pytest.raises(InputError, match="dimensions 0 and levels 1 must be at least 1"):
        bits_per_dimension(1.0, 0)
