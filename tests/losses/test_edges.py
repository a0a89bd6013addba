"""Losses of gradients and edges, and total variation, against definitions written with SciPy and NumPy."""

import jax
import numpy as np
import pytest
from scipy.ndimage import correlate1d

from jaxrestore import losses
from jaxrestore.losses.edges import laplacian_level

A, B = np.random.default_rng(0).random((2, 2, 7, 8, 3))


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def blur(x: np.ndarray) -> np.ndarray:
    taps = [0.05, 0.25, 0.4, 0.25, 0.05]
    return correlate1d(correlate1d(x, taps, axis=-3, mode="nearest"), taps, axis=-2, mode="nearest")


def pyramid_level(x: np.ndarray) -> np.ndarray:
    enlarged = np.zeros_like(x)
    enlarged[:, ::2, ::2] = 4.0 * blur(x)[:, ::2, ::2]
    return x - blur(enlarged)


@pytest.mark.parametrize("crop", [np.s_[:, :7, :8], np.s_[:, :6, :5], np.s_[:, :1, :2]])
def test_edge_is_the_charbonnier_loss_of_the_finest_pyramid_level(crop):
    a, b = A[crop], B[crop]
    np.testing.assert_allclose(laplacian_level(a), pyramid_level(a), rtol=1e-12, atol=1e-14)
    expected = np.sqrt((pyramid_level(a) - pyramid_level(b)) ** 2 + 1e-6).mean((1, 2, 3))
    np.testing.assert_allclose(losses.edge(a, b), expected, rtol=1e-12)


def test_a_constant_difference_has_no_edges_inside():
    level = laplacian_level(np.ones((1, 13, 12, 1)))
    np.testing.assert_allclose(level[:, 4:-4, 4:-4], 0.0, atol=1e-15)


def test_gradient_losses_by_definition():
    down, right = (np.diff(x, axis=axis) for axis in (1, 2) for x in [A - B])
    expected = (np.abs(down).sum((1, 2, 3)) + np.abs(right).sum((1, 2, 3))) / A[0].size
    np.testing.assert_allclose(losses.gradient(A, B), expected, rtol=1e-12)
    for alpha in (1.0, 2.0):
        parts = (np.abs(np.abs(np.diff(A, axis=axis)) - np.abs(np.diff(B, axis=axis))) ** alpha for axis in (1, 2))
        expected = sum(part.sum((1, 2, 3)) for part in parts) / A[0].size
        np.testing.assert_allclose(losses.gradient_difference(A, B, alpha), expected, rtol=1e-12)
    np.testing.assert_allclose(losses.gradient_difference(-A, A), 0.0)
    assert (losses.gradient(-A, A) > 0.5).all()


def test_total_variation_of_a_square_by_hand():
    image = np.zeros((1, 6, 6, 1))
    image[0, 2:4, 2:4] = 0.5
    # Eight edges of height 0.5; two of them, in the corner at the bottom right, fall into one pixel.
    np.testing.assert_allclose(losses.total_variation(image) * 36, 8 * 0.5)
    np.testing.assert_allclose(losses.total_variation(image, "isotropic") * 36, 6 * 0.5 + 0.5**0.5)
    np.testing.assert_allclose(losses.power_total_variation(image, 1.0) * 36, 8 * 0.25)


def test_isotropic_is_the_power_form_with_its_border():
    border = np.abs(np.diff(A[:, -1], axis=1)).sum((1, 2)) + np.abs(np.diff(A[:, :, -1], axis=1)).sum((1, 2))
    expected = losses.power_total_variation(A, 0.5) + border / A[0].size
    np.testing.assert_allclose(losses.total_variation(A, "isotropic"), expected, rtol=1e-12)


@pytest.mark.parametrize("loss", [losses.total_variation, lambda x: losses.total_variation(x, "isotropic"), losses.power_total_variation])
def test_a_constant_image_stays_as_it_is(loss):
    image = np.full((1, 4, 5, 1), 0.3)
    np.testing.assert_array_equal(loss(image), 0.0)
    np.testing.assert_array_equal(jax.grad(lambda x: loss(x).sum())(image), 0.0)
