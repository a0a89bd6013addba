"""Hue, saturation and value against scikit-image."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import skimage.color

from jaxrestore.errors import InputError
from jaxrestore.ops.hsv import hsv_to_rgb, rgb_to_hsv


class Variants(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True)
    def test_equals_scikit_image_and_comes_back(self):
        levels = np.linspace(0, 1, 5)  # with greys, black and every tie of two channels
        image = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1)
        with jax.enable_x64(True):
            hsv = self.variant(rgb_to_hsv)(image)
            back = self.variant(hsv_to_rgb)(hsv)
        np.testing.assert_allclose(hsv, skimage.color.rgb2hsv(image), atol=1e-14)
        np.testing.assert_allclose(back, image, atol=1e-14)


def test_hues_turn():
    colour = np.array([[[0.2, 0.7, 0.9]]], np.float32)
    np.testing.assert_allclose(hsv_to_rgb(colour + np.float32([2.0, 0, 0])), hsv_to_rgb(colour), atol=1e-6)
    np.testing.assert_allclose(hsv_to_rgb(colour)[0, 0], skimage.color.hsv2rgb(colour)[0, 0], atol=1e-6)


def test_derivatives_are_finite_where_there_is_no_hue():
    greys = jnp.asarray([0.0, 0.5, 1.0]).reshape(1, 3, 1) * jnp.ones((1, 1, 3))
    assert jnp.isfinite(jax.grad(lambda x: jnp.sum(rgb_to_hsv(x)))(greys)).all()


def test_three_channels():
    with pytest.raises(InputError, match="3 channels"):
        rgb_to_hsv(np.zeros((2, 2, 1), np.float32))
