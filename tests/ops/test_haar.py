"""The Haar transform by its matrix and by hand."""

import chex
import jax
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.ops.haar import haar, inverse_haar


def matrix(length: int) -> np.ndarray:
    """Sums of neighbours, then differences of neighbours, of unit length."""
    pairs = np.kron(np.eye(length // 2), [[1.0, 1.0]])
    return np.concatenate([pairs, np.kron(np.eye(length // 2), [[1.0, -1.0]])]) / np.sqrt(2)


def test_equals_the_products_with_its_matrix():
    image = np.random.default_rng(0).normal(size=(2, 8, 12, 1))
    with jax.enable_x64(True):
        approximation, (fine, coarse) = haar(image, 2)
    product = matrix(8) @ image[1, :, :, 0] @ matrix(12).T
    np.testing.assert_allclose(fine.vertical[1, ..., 0], product[:4, 6:], atol=1e-14)
    np.testing.assert_allclose(fine.horizontal[1, ..., 0], product[4:, :6], atol=1e-14)
    np.testing.assert_allclose(fine.diagonal[1, ..., 0], product[4:, 6:], atol=1e-14)
    again = matrix(4) @ product[:4, :6] @ matrix(6).T
    np.testing.assert_allclose(approximation[1, ..., 0], again[:2, :3], atol=1e-14)
    np.testing.assert_allclose(coarse.horizontal[1, ..., 0], again[2:, :3], atol=1e-14)


class Variants(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True)
    def test_any_size_comes_back(self):
        for shape, levels in (((2, 7, 10, 3), 3), ((1, 5, 1), 3), ((8, 8, 1), 3)):
            image = jax.random.normal(jax.random.key(0), shape)
            coefficients = self.variant(haar, static_argnums=1)(image, levels)
            back = self.variant(inverse_haar, static_argnums=1)(coefficients, shape[-3:-1])
            np.testing.assert_allclose(back, image, atol=2e-6)
        energy = sum(np.sum(np.square(leaf)) for leaf in jax.tree.leaves(coefficients))
        np.testing.assert_allclose(energy, np.sum(np.square(image)), rtol=1e-5)


def test_an_odd_side_repeats_its_last_pixel():
    approximation, (details,) = haar(np.array([1.0, 3.0, 5.0], np.float32).reshape(1, 3, 1))
    np.testing.assert_allclose(approximation[0, :, 0], [4.0, 10.0])
    np.testing.assert_allclose(details.vertical[0, :, 0], [-2.0, 0.0])
    np.testing.assert_array_equal(details.horizontal, 0.0)


def test_bad_input_is_said():
    with pytest.raises(InputError, match="levels is 0"):
        haar(np.zeros((4, 4, 1), np.float32), 0)
    with pytest.raises(InputError, match="levels is 4: an image of 8x3 is one pixel after 3"):
        haar(np.zeros((8, 3, 1), np.float32), 4)
    with pytest.raises(InputError, match="not those of an image of 6x8"):
        inverse_haar(haar(np.zeros((8, 8, 1), np.float32)), (6, 8))
