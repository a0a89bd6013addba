"""The inverse and the Wiener filter: what they must give by definition, at borders too, and what they refuse."""

from functools import partial

import jax
import numpy as np
import pytest

from jaxrestore.classical import borders
from jaxrestore.classical.inverse_filter import inverse_filter
from jaxrestore.classical.wiener_deconvolution import wiener_deconvolution, wiener_hunt_deconvolution
from jaxrestore.errors import InputError
from jaxrestore.ops.fourier import filter_circular
from tests.classical.blurred import MOTION, blurred_photograph, decibels

DELTA = np.float32([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
METHODS = {
    "inverse_filter": inverse_filter,
    "wiener_deconvolution": partial(wiener_deconvolution, sigma=0.0),
    "wiener_hunt_deconvolution": partial(wiener_hunt_deconvolution, balance=0.0),
}
methods = pytest.mark.parametrize("restore", METHODS.values(), ids=METHODS)


@methods
@pytest.mark.parametrize("border", ["open", "circular"])
def test_without_blur_nothing_changes(restore, border):
    image = np.random.default_rng(0).random((2, 12, 14, 3), np.float32)
    np.testing.assert_allclose(restore(image, psf=DELTA, border=border), image, atol=1e-5)


@methods
@pytest.mark.parametrize("shape", [(3, 3), (2, 4)])
def test_a_circular_blur_without_noise_is_undone(restore, shape):
    random = np.random.default_rng(1)
    image, psf = random.random((12, 14, 1)), random.random(shape)
    psf[shape[0] // 2, shape[1] // 2] += psf.sum()  # no frequency is lost
    with jax.enable_x64(True):
        restored = restore(filter_circular(image, psf / psf.sum()), psf=3.0 * psf, border="circular")
    np.testing.assert_allclose(restored, image, atol=1e-10)


@methods
def test_a_batch_with_a_kernel_for_each(restore):
    random = np.random.default_rng(2)
    images, psfs = random.random((2, 12, 14, 3), np.float32), random.random((2, 3, 5), np.float32)
    together = jax.jit(lambda image, psf: restore(image, psf=psf))(images, psfs)
    np.testing.assert_allclose(together[1], restore(images[1], psf=psfs[1]), atol=2e-4)


def test_frequencies_below_the_cutoff_are_given_up():
    image = np.random.default_rng(3).random((8, 8, 1))
    box = np.full((1, 4), 0.25)
    with jax.enable_x64(True):
        restored = inverse_filter(filter_circular(image, box), psf=box, cutoff=0.3, border="circular")
    spectrum = np.fft.fft(image, axis=1)
    transfer = np.abs(np.fft.fft(np.full(4, 0.25), 8))
    np.testing.assert_allclose(np.fft.fft(restored, axis=1), spectrum * (transfer >= 0.3)[None, :, None], atol=1e-12)


def test_the_identity_operator_is_the_textbook_filter():
    random = np.random.default_rng(4)
    image, psf = random.random((9, 8)), random.random((3, 3))
    full = np.zeros((9, 8))
    full[:3, :3] = psf / psf.sum()
    transfer = np.fft.fft2(np.roll(full, (-1, -1), (0, 1)))
    expected = np.fft.ifft2(np.fft.fft2(image) * transfer.conj() / (np.abs(transfer) ** 2 + 0.02)).real
    with jax.enable_x64(True):
        restored = wiener_hunt_deconvolution(image[..., None], psf=psf, balance=0.02, operator="identity", border="circular")
    np.testing.assert_allclose(restored[..., 0], expected, atol=1e-12)


def test_an_open_border_solves_for_the_seen_pixels_alone(monkeypatch):
    """The least-squares problem of the seen pixels, solved with matrices: each image on the torus is a column of unknowns."""
    monkeypatch.setattr(borders, "_FILLINGS", 3000)
    random = np.random.default_rng(5)
    image, psf = random.random((6, 7)), np.array([[0.0, 0.1, 0.2], [0.1, 0.4, 0.1], [0.0, 0.1, 0.0]])
    height, width = 8, 9  # two more for a psf of three, and both are fast sizes
    points = np.eye(height * width).reshape(-1, height, width, 1)
    with jax.enable_x64(True):
        blur = np.asarray(filter_circular(points, psf))[:, :6, :7].reshape(len(points), -1).T
        restored = wiener_hunt_deconvolution(image[..., None], psf=psf, balance=0.05, operator="gradient")
    differences = np.concatenate([(points - np.roll(points, 1, axis)).reshape(len(points), -1).T for axis in (1, 2)])
    expected = np.linalg.solve(blur.T @ blur + 0.05 * differences.T @ differences, blur.T @ image.ravel())
    np.testing.assert_allclose(restored[..., 0], expected.reshape(height, width)[:6, :7], atol=1e-6)


def test_a_photograph_gains_and_its_border_does_not_ring():
    sharp, blurred = blurred_photograph(MOTION, sigma=2.0)
    restored = wiener_deconvolution(blurred, psf=MOTION, sigma=2.0)
    assert decibels(restored, sharp) > decibels(blurred, sharp) + 2.0
    # Half of what the rim shows lies outside; taken as a torus it only gets worse.
    rim = np.ones(sharp.shape, bool)
    rim[8:-8, 8:-8] = False
    assert decibels(restored[rim], sharp[rim]) > decibels(blurred[rim], sharp[rim]) + 1.0
    wrapped = wiener_deconvolution(blurred, psf=MOTION, sigma=2.0, border="circular")
    assert decibels(wrapped, sharp) < decibels(restored, sharp) - 2.0


def test_the_natural_filter_is_near_the_best_balance():
    sharp, blurred = blurred_photograph(MOTION, sigma=2.0)
    balances = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
    best = max(
        decibels(wiener_hunt_deconvolution(blurred, psf=MOTION, balance=balance, operator="gradient"), sharp) for balance in balances
    )
    assert decibels(wiener_deconvolution(blurred, psf=MOTION, sigma=2.0), sharp) > best - 1.0


@pytest.mark.parametrize(
    ("psf", "message"),
    [
        (np.ones((3, 9)), r"psf is 3x9: it must be between 1x1 and the image's 8x8"),
        (np.ones((0, 3)), r"psf is 0x3: it must be between 1x1"),
        (np.zeros((3, 3)), "psf sums to 0"),
        (-DELTA, "psf is -1: it must be at least 0"),
        (DELTA * np.nan, "psf is nan: it must be at least 0"),
        (np.ones((2, 3, 3)), r"psf has the shape \(2, 3, 3\)"),
    ],
)
def test_bad_kernels(psf, message):
    with pytest.raises(InputError, match=message):
        inverse_filter(np.ones((8, 8, 1), np.float32), psf=psf)


@pytest.mark.parametrize(
    ("restore", "arguments", "message"),
    [
        (inverse_filter, {"cutoff": 1.5}, "cutoff is 1.5: it must be in 0..1"),
        (wiener_deconvolution, {"sigma": -1.0}, "sigma is -1: it must be at least 0"),
        (wiener_hunt_deconvolution, {"balance": -1.0}, "balance is -1: it must be at least 0"),
    ],
)
def test_bad_arguments(restore, arguments, message):
    with pytest.raises(InputError, match=message):
        restore(np.ones((8, 8, 1), np.float32), psf=DELTA, **arguments)


def test_unknown_words():
    with pytest.raises(InputError, match="border is 'mirror': it must be one of open, circular"):
        borders.check_word("border", "mirror", borders.Border)
