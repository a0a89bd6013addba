"""Gaussian pyramids against scikit-image's."""

import numpy as np
import pytest
from skimage.transform import pyramid_gaussian

from jaxrestore.errors import InputError
from jaxrestore.ops.pyramid import gaussian_pyramid


@pytest.mark.parametrize("size", [(16, 24), (13, 7), (5, 1)])
def test_is_that_of_scikit_image(size):
    image = np.random.default_rng(0).random((*size, 3)).astype(np.float32)
    expected = list(pyramid_gaussian(image, 2, channel_axis=-1))
    images = gaussian_pyramid(image[None], len(expected))
    for ours, theirs in zip(images, expected, strict=True):
        np.testing.assert_allclose(ours[0], theirs, atol=2e-6)


def test_keeps_a_constant_and_needs_a_level():
    for image in gaussian_pyramid(np.full((2, 9, 6, 1), 0.3, np.float32), 4):
        np.testing.assert_allclose(image, 0.3, rtol=1e-6)
    with pytest.raises(InputError, match="levels is 0"):
        gaussian_pyramid(np.zeros((4, 4, 1), np.float32), 0)
