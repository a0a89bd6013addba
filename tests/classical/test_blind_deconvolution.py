"""Blind deconvolution: kernels that were hidden from it are found again, up to a shift, and pictures gain by it."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.classical import kernel_estimation
from jaxrestore.classical.blind_deconvolution import blind_deconvolution, blindly_deblurred
from jaxrestore.classical.kernel_estimation import _explain, _sizes, estimate_psf
from jaxrestore.classical.tv_deconvolution import differences, tv_deconvolution
from jaxrestore.errors import InputError
from jaxrestore.ops.fourier import filter_circular
from tests.classical.blurred import MOTION, blurred_photograph, decibels

SIDE = 128
# A straight stroke, so that not one kind of blur alone is found.
LINE = np.zeros((11, 11), np.float32)
LINE[[8, 7, 6, 5, 4, 3, 2], [2, 3, 4, 5, 6, 7, 8]] = 1.0 / 7.0
KERNELS = {"shaken": MOTION, "straight": LINE}


def _similarity(a, b):
    """Greatest normalised cross-correlation over all shifts."""
    size = (32, 32)
    correlation = np.fft.irfft2(np.fft.rfft2(a, size) * np.conj(np.fft.rfft2(b, size)), size)
    return np.max(correlation) / np.sqrt(np.sum(np.square(a)) * np.sum(np.square(b)))


def _registered(image, reference):
    shifted = (np.roll(image, (i, j), (0, 1)) for i in range(-3, 4) for j in range(-3, 4))
    return max(decibels(x[8:-8, 8:-8], reference[8:-8, 8:-8]) for x in shifted)


@pytest.fixture(scope="module")
def blurred():
    return np.stack([blurred_photograph(kernel, sigma=1.0, size=SIDE)[1] for kernel in KERNELS.values()])


@pytest.fixture(scope="module")
def deconvolved(blurred):
    return blind_deconvolution(blurred, size=11, sigma=1.0)


@pytest.mark.parametrize("index", range(len(KERNELS)), ids=KERNELS)
def test_a_hidden_kernel_is_found(blurred, deconvolved, index):
    kernel = list(KERNELS.values())[index]
    sharp = blurred_photograph(kernel, sigma=1.0, size=SIDE)[0]
    restored, psf = (np.asarray(part)[index] for part in deconvolved)
    assert psf.shape == (11, 11)
    assert np.min(psf) >= 0.0
    np.testing.assert_allclose(np.sum(psf), 1.0, rtol=1e-5)
    # A kernel of a single pixel, which is what a method that finds nothing gives, scores 0.4.
    assert _similarity(kernel, psf) > 0.8
    assert _registered(restored, sharp) > _registered(blurred[index], sharp) + 2.0


def test_a_batch_is_its_images_and_colours_are_kept(blurred):
    colours = np.concatenate([0.9 * blurred, blurred, 0.5 * blurred], axis=-1)[:, :24, :26]
    alone = estimate_psf(colours[1], size=3)
    np.testing.assert_allclose(estimate_psf(colours, size=3)[1], alone, atol=1e-2)
    restored = blindly_deblurred(colours[1], size=3, sigma=1.0)
    np.testing.assert_allclose(restored, tv_deconvolution(colours[1], psf=alone, sigma=1.0, strength=2.0), atol=1e-5)


def test_the_kernel_is_the_least_squares_solution(monkeypatch):
    """A circular blur of known differences without noise: what blurs them is found exactly."""
    monkeypatch.setattr(kernel_estimation, "_RIDGE", 0.0)
    image = jnp.asarray(np.random.default_rng(0).random((32, 30, 1), np.float32))
    psf = np.random.default_rng(1).random((5, 5)).astype(np.float32)
    psf /= psf.sum()
    edges, blurred = differences(image), differences(filter_circular(image, psf))
    flat = jnp.full((5, 5), 0.04)
    np.testing.assert_allclose(_explain(blurred, edges, flat), psf, atol=1e-3)


def test_sizes_grow_by_steps_and_end_where_asked():
    assert _sizes(3) == [3]
    assert _sizes(13) == [3, 5, 7, 11, 13]
    assert all(b <= 2 * a for a, b in zip(_sizes(51), _sizes(51)[1:], strict=False))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 4}, "size is 4: it must be odd, at least 3 and no larger than the image's 8x8"),
        ({"size": 1}, "size is 1"),
        ({"size": 9}, "size is 9"),
        ({"size": 3, "weight": 0.0}, "weight is 0: it must be greater than 0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        estimate_psf(np.ones((8, 8, 1), np.float32), **arguments)


def test_bad_noise():
    with pytest.raises(InputError, match="sigma is -1"):
        blind_deconvolution(np.ones((16, 16, 1), np.float32), size=3, sigma=-1.0)
