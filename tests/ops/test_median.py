"""The median filter against SciPy, for both ways to find it."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage

from jaxrestore.errors import InputError
from jaxrestore.ops.median import median_filter

SCIPY_MODE = {"symmetric": "reflect", "reflect": "mirror", "edge": "nearest", "constant": "constant"}


@pytest.mark.parametrize("size", [1, 3, 5, 7, (1, 5), (7, 3), (3, 9), (11, 9)], ids=str)
def test_equals_scipy(size):
    image = np.random.default_rng(0).normal(size=(2, 13, 12, 2)).astype(np.float32)
    image[1] = np.round(image[1])  # with many ties
    shape = (size, size) if isinstance(size, int) else size
    np.testing.assert_array_equal(median_filter(image, size), scipy.ndimage.median_filter(image, (1, *shape, 1)))


@pytest.mark.parametrize("padding", SCIPY_MODE)
def test_borders_equal_scipy(padding):
    image = np.random.default_rng(1).random((6, 5, 1), np.float32)
    expected = scipy.ndimage.median_filter(image, (5, 3, 1), mode=SCIPY_MODE[padding])
    np.testing.assert_array_equal(median_filter(image, (5, 3), padding), expected)


@pytest.mark.parametrize("size", [3, 7])
def test_types_and_extreme_values(size):
    image = np.random.default_rng(2).normal(size=(9, 9, 1)) * 10.0 ** np.random.default_rng(3).integers(-300, 300, (9, 9, 1))
    with jax.enable_x64(True):
        np.testing.assert_array_equal(median_filter(image, size), scipy.ndimage.median_filter(image, (size, size, 1)))
    half = jnp.asarray(np.clip(image, -9, 9), jnp.bfloat16)
    chex.assert_type(median_filter(half, size), jnp.bfloat16)
    expected = scipy.ndimage.median_filter(np.asarray(half, np.float32), (size, size, 1))
    np.testing.assert_array_equal(np.asarray(median_filter(half, size), np.float32), expected)


@pytest.mark.parametrize("size", [3, 7])
def test_the_derivative_goes_to_the_median_pixel(size):
    image = np.random.default_rng(4).permutation(81).reshape(9, 9, 1).astype(np.float32)
    gradient = jax.grad(lambda x: jnp.sum(median_filter(x, size)))(jnp.asarray(image))
    medians = scipy.ndimage.median_filter(image, (size, size, 1))
    np.testing.assert_array_equal(gradient, [[[np.sum(medians == v)] for v in row] for row in image[..., 0]])
    flat = jax.grad(lambda x: median_filter(x, size)[4, 4, 0])(jnp.zeros((9, 9, 1)))
    np.testing.assert_allclose(jnp.sum(flat), 1.0, rtol=1e-6)
    assert jnp.count_nonzero(flat) == size**2


def test_even_windows_are_refused():
    for size in (2, (3, 4), 0, -1):
        with pytest.raises(InputError, match="odd sides"):
            median_filter(np.zeros((5, 5, 1), np.float32), size)
