"""Filters by what they must do, whatever their formulas: batches, types, fixed points, known results, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.classical.adaptive_wiener import adaptive_wiener
from jaxrestore.classical.bilateral import bilateral
from jaxrestore.classical.median import adaptive_median, median
from jaxrestore.classical.moire_notch import moire_notch
from jaxrestore.classical.nonlocal_means import nonlocal_means, nonlocal_means_gaussian
from jaxrestore.classical.total_variation import bregman, total_variation
from jaxrestore.classical.wavelet import noise_level, wavelet
from jaxrestore.cli.demo import PHOTOGRAPH
from jaxrestore.data.images import read_image
from jaxrestore.errors import InputError
from jaxrestore.ops.haar import haar

FILTERS = {
    "median": median,
    "adaptive_median": adaptive_median,
    "bilateral": bilateral,
    "adaptive_wiener": adaptive_wiener,
    "nonlocal_means": lambda image: nonlocal_means(image, sigma=90, reach=3),
    "nonlocal_means_gaussian": lambda image: nonlocal_means_gaussian(image, sigma=90, reach=3),
    "total_variation": lambda image: total_variation(image, iterations=20),
    "bregman": bregman,
    "wavelet": lambda image: wavelet(image, levels=2, spins=2),
    "moire_notch": lambda image: moire_notch(image, threshold=2),
}
IMAGES = np.random.default_rng(0).random((2, 12, 14, 3), np.float32)


@pytest.mark.parametrize("name", FILTERS)
def test_a_batch_is_its_images_and_half_precision_stays(name):
    restored = np.asarray(FILTERS[name](IMAGES))
    assert (restored.dtype, restored.shape) == (np.float32, IMAGES.shape)
    np.testing.assert_allclose(restored[1], FILTERS[name](IMAGES[1]), atol=2e-6)
    assert np.abs(restored - IMAGES).max() > 0.01  # it does something
    half = FILTERS[name](IMAGES.astype(np.float16))
    assert half.dtype == np.float16


@pytest.mark.parametrize("name", FILTERS)
def test_a_flat_image_stays(name):
    flat = np.full((12, 14, 3), 0.3, np.float32)
    np.testing.assert_allclose(FILTERS[name](flat), flat, atol=2e-6)


@pytest.mark.parametrize("name", ["median", "adaptive_median", "bilateral", "adaptive_wiener", "nonlocal_means"])
def test_mirroring_the_image_mirrors_the_result(name):
    image = IMAGES[0, :, :, :1]
    mirrored = FILTERS[name](image[:, ::-1])
    np.testing.assert_allclose(mirrored[:, ::-1], FILTERS[name](image), atol=2e-6)


def test_adaptive_median_takes_impulses_and_nothing_else():
    ramp = np.broadcast_to(np.linspace(0.2, 0.8, 20, dtype=np.float32)[None, :, None], (18, 20, 1))
    inner = np.zeros(ramp.shape, bool)
    inner[:, 1:-1] = True  # where the ramp ends, its end is an extreme
    for rate in (0.1, 0.3):
        impulses = np.random.default_rng(1).random(ramp.shape) < rate
        noisy = np.where(impulses, np.random.default_rng(2).integers(0, 2, ramp.shape), ramp).astype(np.float32)
        restored = np.asarray(adaptive_median(noisy))
        assert np.abs(restored - ramp).max() < 0.15
        assert np.mean((restored == ramp)[inner & ~impulses]) == pytest.approx(1, abs=0.01 if rate > 0.2 else 0)


def test_wiener_keeps_strong_edges_and_flattens_noise():
    step = np.where(np.arange(40)[None, :, None] < 20, 0.0, 1.0) + np.zeros((40, 40, 1))
    noisy = (step + np.random.default_rng(0).normal(size=step.shape) * 10 / 255).astype(np.float32)
    restored = np.asarray(adaptive_wiener(noisy, sigma=10))
    assert (restored - step)[:, :15].std() < 0.4 * 10 / 255
    assert (restored - step)[:, 18:22].std() < 1.2 * 10 / 255  # a mean would be 0.4 off


def test_nonlocal_means_of_itself_alone_is_the_image():
    np.testing.assert_allclose(nonlocal_means(IMAGES, sigma=20, reach=0), IMAGES, atol=1e-6)
    # With a boundless cut-off it is the plain mean of the neighbourhood.
    means = nonlocal_means(IMAGES, sigma=0, h=1e6, reach=1, patch_size=1)
    padded = np.pad(IMAGES, ((0, 0), (1, 1), (1, 1), (0, 0)), "reflect")
    boxes = sum(padded[:, i : i + 12, j : j + 14] for i in range(3) for j in range(3)) / 9
    np.testing.assert_allclose(means, boxes, atol=1e-5)


class TestWavelet:
    def test_thresholds_by_hand(self):
        image = IMAGES[:1, :8, :8, :1].astype(np.float64)
        with jax.enable_x64(True):
            details = haar(image).details[0]
            sigma = float(np.median(np.abs(details.diagonal)) / 0.6744897501960817)
            assert float(noise_level(image)[0, 0, 0, 0]) == pytest.approx(sigma)
            bayes = haar(wavelet(image, levels=1, spins=1, sigma=20)).details[0]
            hard = haar(wavelet(image, levels=1, spins=1, sigma=20, threshold="universal", shrinkage="hard")).details[0]
        for band, soft, kept in zip(details, bayes, hard, strict=True):
            band, noise = np.asarray(band), 20 / 255
            limit = noise**2 / np.sqrt(max(np.mean(band**2) - noise**2, 1e-300))
            np.testing.assert_allclose(soft, np.sign(band) * np.maximum(np.abs(band) - limit, 0), atol=1e-12)
            universal = noise * np.sqrt(2 * np.log(64))
            np.testing.assert_allclose(kept, np.where(np.abs(band) > universal, band, 0), atol=1e-12)

    def test_no_noise_changes_nothing(self):
        np.testing.assert_allclose(wavelet(IMAGES, sigma=0, levels=3), IMAGES, atol=1e-6)

    def test_spinning_helps_and_the_noise_is_estimated(self):
        y, x = np.mgrid[:64, :64] / 64
        clean = (0.5 + 0.3 * np.sin(6 * x + 4 * y) * (x > y)).astype(np.float32)[..., None]
        noisy = clean + np.random.default_rng(0).normal(size=clean.shape).astype(np.float32) * 25 / 255
        assert 255 * float(noise_level(noisy)[0, 0, 0]) == pytest.approx(25, rel=0.05)
        errors = [float(jnp.mean(jnp.square(wavelet(noisy, spins=spins) - clean))) for spins in (1, 4)]
        assert errors[1] < 0.6 * errors[0] < 0.3 * (25 / 255) ** 2


def test_a_pattern_is_filtered_out_and_the_picture_stays():
    y, x = np.mgrid[:96, :112]
    picture = read_image(PHOTOGRAPH).pixels[100:196, 200:312, :1].astype(np.float32) / 255
    pattern = (0.08 * np.sin(2 * np.pi * (0.17 * x + 0.09 * y))).astype(np.float32)[..., None]
    restored = np.asarray(moire_notch(picture + pattern))
    assert np.mean((restored - picture) ** 2) < 0.1 * np.mean(pattern**2)
    assert np.mean((moire_notch(picture) - picture) ** 2) < 0.01 * np.mean(pattern**2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: median(x, size=4), "odd sides"),
        (lambda x: adaptive_median(x, largest=1), "largest is 1"),
        (lambda x: bilateral(x, size=2), "size is 2"),
        (lambda x: bilateral(x, sigma_color=0), "sigma_color is 0: it must be greater than 0"),
        (lambda x: adaptive_wiener(x, size=0), "size is 0"),
        (lambda x: adaptive_wiener(x, sigma=-1), "sigma is -1"),
        (lambda x: nonlocal_means(x, sigma=0), "h is 0: it must be greater than 0"),
        (lambda x: nonlocal_means(x, sigma=1, patch_size=2), "patch_size is 2"),
        (lambda x: nonlocal_means_gaussian(x, sigma=1, reach=-1), "reach is -1"),
        (lambda x: total_variation(x, weight=0), "weight is 0"),
        (lambda x: total_variation(x, iterations=0), "iterations is 0"),
        (lambda x: bregman(x, tolerance=-1), "tolerance is -1"),
        (lambda x: wavelet(x, spins=0), "spins is 0"),
        (lambda x: wavelet(x, levels=9), "levels is 9: an image of"),
        (lambda x: moire_notch(x, threshold=1), "threshold is 1: it must be greater than 1"),
        (lambda x: moire_notch(x, keep=0.6), "keep is 0.6"),
    ],
)
def test_bad_input_is_said(call, message):
    with pytest.raises(InputError, match=message):
        call(IMAGES)
