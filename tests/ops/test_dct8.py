"""The block transform against SciPy."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.fft

from jaxrestore.errors import InputError
from jaxrestore.ops.dct8 import dct8, from_blocks, inverse_dct8, to_blocks


class Variants(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True)
    def test_equals_scipy_and_comes_back(self):
        image = np.random.default_rng(0).random((2, 16, 24, 3))
        with jax.enable_x64(True):
            coefficients = self.variant(lambda x: dct8(to_blocks(x)))(image)
            back = self.variant(lambda y: from_blocks(inverse_dct8(y)))(coefficients)
        chex.assert_shape(coefficients, (2, 2, 3, 3, 8, 8))
        expected = scipy.fft.dctn(image[1, 8:, 8:16, 2], norm="ortho")
        np.testing.assert_allclose(coefficients[1, 1, 1, 2], expected, atol=1e-13)
        np.testing.assert_allclose(back, image, atol=1e-14)


def test_single_precision_and_length():
    blocks = np.random.default_rng(1).random((5, 1, 1, 8, 8), np.float32)
    coefficients = dct8(blocks)
    chex.assert_type(coefficients, jnp.float32)
    np.testing.assert_allclose(coefficients, scipy.fft.dctn(blocks, axes=(-2, -1), norm="ortho"), atol=2e-6)
    np.testing.assert_allclose(jnp.sum(coefficients**2), np.sum(blocks**2), rtol=1e-6)
    np.testing.assert_allclose(coefficients[:, 0, 0, 0, 0], 8 * blocks.mean((-2, -1))[:, 0, 0], rtol=1e-6)


def test_sides_must_be_multiples():
    with pytest.raises(InputError, match="image is 16x12: both sides must be multiples of 8"):
        to_blocks(np.zeros((16, 12, 1), np.float32))
