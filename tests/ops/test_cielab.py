"""CIELAB against scikit-image and hand arithmetic."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import skimage.color

from jaxrestore.errors import InputError
from jaxrestore.ops.cielab import lab_to_rgb, linear_to_srgb, rgb_to_lab, srgb_to_linear


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def test_equals_scikit_image_where_no_channel_is_nearly_black():
    image = np.random.default_rng(0).uniform(0.15, 1.0, (2, 6, 5, 3))  # there its rounded 0.008856 and 7.787 play no part
    lab = rgb_to_lab(image)
    np.testing.assert_allclose(lab, skimage.color.rgb2lab(image), atol=1e-10)
    np.testing.assert_allclose(lab_to_rgb(lab), image, atol=1e-9)


def test_dark_colours_by_hand():
    levels = np.array([0.0, 0.01, 0.04, 0.05, 0.09])
    linear = np.where(levels > 0.04045, ((levels + 0.055) / 1.055) ** 2.4, levels / 12.92)
    luminance = linear * (0.212671 + 0.715160 + 0.072169)
    lightness = np.where(luminance > 216 / 24389, 116 * np.cbrt(luminance) - 16, 24389 / 27 * luminance)
    greys = np.repeat(levels[None, :, None], 3, -1)
    lab = rgb_to_lab(greys)
    np.testing.assert_allclose(lab[0, :, 0], lightness, atol=1e-12)
    np.testing.assert_allclose(lab_to_rgb(lab), greys, atol=1e-8)


def test_the_curve_is_inverted_and_known():
    levels = np.linspace(0, 1, 256).reshape(1, -1, 1)
    np.testing.assert_allclose(linear_to_srgb(srgb_to_linear(levels)), levels, atol=1e-7)
    np.testing.assert_allclose(srgb_to_linear(np.full((1, 1, 1), 188 / 255))[0, 0, 0], 0.5029, atol=1e-4)  # the usual middle of light


def test_derivatives_are_finite_at_black():
    assert jnp.isfinite(jax.grad(lambda x: jnp.sum(rgb_to_lab(x)))(jnp.zeros((1, 1, 3)))).all()
    assert jnp.isfinite(jax.grad(lambda x: jnp.sum(linear_to_srgb(x)))(jnp.zeros((1, 1, 3)))).all()


def test_three_channels():
    for function in (rgb_to_lab, lab_to_rgb):
        with pytest.raises(InputError, match="3 channels"):
            function(np.zeros((2, 2, 1)))
