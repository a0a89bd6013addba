"""Differences against hand arithmetic and summation by parts."""

import chex
import jax
import numpy as np
import pytest
import scipy.ndimage

from jaxrestore.errors import InputError
from jaxrestore.ops.differences import divergence, gradient, laplacian


class Variants(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True)
    def test_gradient_and_divergence_are_adjoint(self):
        random = np.random.default_rng(0)
        for shape in ((2, 5, 7, 3), (1, 1, 4, 1), (3, 1, 1)):
            image, down, right = (random.normal(size=shape) for _ in range(3))
            with jax.enable_x64(True):
                changes = self.variant(gradient)(image)
                outflow = self.variant(divergence)(down, right)
            left = np.vdot(changes[0], down) + np.vdot(changes[1], right)
            np.testing.assert_allclose(left, -np.vdot(image, outflow), rtol=1e-12)


def test_by_hand():
    image = np.array([[1.0, 4.0, 9.0], [2.0, 2.0, 2.0]], np.float32)[..., None]
    down, right = gradient(image)
    np.testing.assert_array_equal(down[..., 0], [[1, -2, -7], [0, 0, 0]])
    np.testing.assert_array_equal(right[..., 0], [[3, 5, 0], [0, 0, 0]])
    np.testing.assert_array_equal(divergence(down, right)[..., 0], [[1 + 3, -2 + 2, -7 - 5], [-1, 2, 7]])


def test_laplacian_equals_scipy():
    image = np.random.default_rng(1).random((6, 5, 2), np.float32)
    for channel in range(2):
        theirs = scipy.ndimage.laplace(image[..., channel], mode="reflect")  # its "reflect" repeats the edge pixel
        np.testing.assert_allclose(laplacian(image)[..., channel], theirs, atol=1e-6)


def test_parts_of_two_images_are_refused():
    with pytest.raises(InputError, match="differ in shape"):
        divergence(np.zeros((2, 3, 1), np.float32), np.zeros((3, 2, 1), np.float32))
