"""Structural losses against the definition, written with SciPy's filters."""

import jax
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

from jaxrestore import losses
from tests.compiled import compiled

GENERATOR = np.random.default_rng(3)
TARGET = gaussian_filter(GENERATOR.random((24, 29, 2)), (1.0, 1.0, 0.0))
PREDICTION = np.clip(TARGET + 0.1 * GENERATOR.standard_normal(TARGET.shape), 0.0, 1.0)


def test_ssim_is_one_minus_scikit_images():
    options = dict(data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=-1, full=True)
    _, full = structural_similarity(PREDICTION, TARGET, **options)
    with jax.enable_x64(True):
        value = losses.ssim(PREDICTION, TARGET)
    np.testing.assert_allclose(value, 1.0 - full[5:-5, 5:-5].mean(), rtol=1e-10)


@pytest.mark.parametrize("alpha", [0.84, 0.3])
def test_l1_ms_ssim_is_the_papers_mixture(alpha):
    sigmas = (0.5, 1.0, 2.0)
    product = 1.0
    for sigma in sigmas:
        blur = lambda x, s=sigma: gaussian_filter(x, (s, s, 0.0), mode="reflect", radius=(int(np.ceil(3 * s)),) * 2 + (0,))  # noqa: E731
        mean_a, mean_b = blur(PREDICTION), blur(TARGET)
        variances = blur(PREDICTION**2) - mean_a**2 + blur(TARGET**2) - mean_b**2
        covariance = blur(PREDICTION * TARGET) - mean_a * mean_b
        product = product * (2 * covariance + 0.03**2) / (variances + 0.03**2)
    luminance = (2 * mean_a * mean_b + 0.01**2) / (mean_a**2 + mean_b**2 + 0.01**2)
    expected = alpha * (1 - luminance * product) + (1 - alpha) * blur(np.abs(PREDICTION - TARGET))
    with jax.enable_x64(True):
        value = losses.l1_ms_ssim(PREDICTION, TARGET, alpha=alpha, sigmas=sigmas)
    np.testing.assert_allclose(value, expected.mean(), rtol=1e-10)


def test_a_window_wider_than_a_training_patch_reaches_every_pixel():
    a, b = PREDICTION[:16, :16].astype(np.float32), TARGET[:16, :16].astype(np.float32)
    value, gradient = compiled(jax.value_and_grad(lambda x: losses.l1_ms_ssim(x, b)))(a)
    assert 0.0 < value < 1.0
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).min() > 0.0
