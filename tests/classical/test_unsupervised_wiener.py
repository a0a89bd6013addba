"""Unsupervised Wiener deconvolution: scikit-image's result without its noise, and the best balance found."""

import jax
import numpy as np
import pytest
import scipy.ndimage
from skimage.restoration import unsupervised_wiener as by_scikit_image

from jaxrestore.classical.unsupervised_wiener import unsupervised_wiener
from jaxrestore.classical.wiener_deconvolution import wiener_hunt_deconvolution
from jaxrestore.errors import InputError
from tests.classical.blurred import MOTION, blurred_photograph, decibels, photograph


def on_a_torus(psf: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    sharp = photograph()[40:104, 90:154, :1].astype(np.float64)
    blurred = scipy.ndimage.convolve(sharp[..., 0], psf, mode="wrap")
    noise = np.random.default_rng(0).normal(0.0, sigma / 255.0, blurred.shape)
    return sharp.astype(np.float32), (blurred + noise)[..., None].astype(np.float32)


def test_is_scikit_images_without_the_samples_noise():
    sharp, blurred = on_a_torus(MOTION, 3.0)
    ours = np.asarray(unsupervised_wiener(blurred, psf=MOTION, border="circular"))
    theirs = [by_scikit_image(blurred[..., 0], MOTION, clip=False, rng=seed)[0] for seed in range(8)]
    mean = np.mean(theirs, axis=0)
    # The mean of eight runs is nearer to ours than a run is to it.
    apart = [np.sqrt(np.mean((one - mean) ** 2)) for one in theirs]
    assert np.sqrt(np.mean((ours[..., 0] - mean) ** 2)) < 0.7 * np.median(apart)
    assert decibels(ours, sharp) > decibels(theirs[0][..., None], sharp) - 0.02


def test_finds_the_balance():
    pairs = [blurred_photograph(MOTION, sigma, 64) for sigma in (1.0, 6.0)]
    blurred = np.stack([pair[1] for pair in pairs])
    tried = [np.asarray(wiener_hunt_deconvolution(blurred, psf=MOTION, balance=4.0**n)) for n in range(-7, 1)]
    for (sharp, _), found, *given in zip(pairs, np.asarray(unsupervised_wiener(blurred, psf=MOTION)), *tried, strict=True):
        assert decibels(found, sharp) > max(decibels(one, sharp) for one in given) - 0.5


def test_batches_keys_and_kernels():
    images = np.random.default_rng(0).random((2, 12, 14, 2), np.float32)
    kernels = np.random.default_rng(1).random((2, 3, 3), np.float32)
    key = jax.random.key(3)
    together = np.asarray(unsupervised_wiener(images, psf=kernels, key=key))
    np.testing.assert_allclose(together[1], unsupervised_wiener(images[1], psf=kernels[1], key=jax.random.fold_in(key, 1)), atol=1e-5)


def test_bad_arguments():
    image, psf = np.zeros((8, 8, 1), np.float32), np.ones((3, 3), np.float32)
    with pytest.raises(InputError, match="iterations is 0: it must be at least 1"):
        unsupervised_wiener(image, psf=psf, iterations=0)
    with pytest.raises(InputError, match="psf is 3x9"):
        unsupervised_wiener(image, psf=np.ones((3, 9), np.float32))
