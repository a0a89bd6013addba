"""Exposure, contrast, vignetting and shifts by hand and against SciPy; the kinds of shrinking against OpenCV."""

import math

import cv2
import jax
import numpy as np
import pytest
import scipy.ndimage

from jaxrestore.degradations.downsample import downsample
from jaxrestore.degradations.photo import contrast, exposure, pixel_shift, vignetting

KEY = jax.random.key(4)
IMAGE = np.random.default_rng(0).random((24, 36, 3)).astype(np.float32)


def test_exposure_doubles_the_light():
    for stops in (-1.0, 2.0):
        light = np.asarray(exposure(KEY, IMAGE, stops), np.float64) ** 2.2
        np.testing.assert_allclose(light, 2.0**stops * IMAGE.astype(np.float64) ** 2.2, rtol=1e-5)
    np.testing.assert_allclose(exposure(KEY, IMAGE, 1.0, gamma=1.0), 2 * IMAGE, rtol=1e-6)


def test_contrast():
    np.testing.assert_allclose(contrast(KEY, IMAGE, 0.5), 0.25 + 0.5 * IMAGE, atol=1e-6)
    np.testing.assert_allclose(contrast(KEY, IMAGE, 2.0, pivot=0.2), 2 * IMAGE - 0.2, atol=1e-6)


def test_vignetting_is_the_fourth_power_of_the_cosine():
    shaded = np.asarray(vignetting(KEY, np.ones((21, 33, 1), np.float32), 0.6))[..., 0]
    assert shaded[10, 16] == pytest.approx(1.0)
    np.testing.assert_allclose(shaded[[0, 0, -1, -1], [0, -1, 0, -1]], 0.4, rtol=1e-5)
    field = math.acos(0.4**0.25)  # the angle at the corner
    angle = math.atan(math.tan(field) * math.hypot(3, 7) / math.hypot(10, 16))
    assert shaded[13, 23] == pytest.approx(math.cos(angle) ** 4, rel=1e-5)


@pytest.mark.parametrize(("down", "right"), [(2.0, -3.0), (0.25, 1.75), (-40.5, 0.5)])
def test_pixel_shift_equals_scipy(down: float, right: float):
    expected = scipy.ndimage.shift(IMAGE.astype(np.float64), (down, right, 0.0), order=1, mode="nearest")
    np.testing.assert_allclose(pixel_shift(KEY, IMAGE, down, right), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "interpolation"),
    [("area", cv2.INTER_AREA), ("bilinear", cv2.INTER_LINEAR), ("nearest", cv2.INTER_NEAREST), ("bicubic_sharp", cv2.INTER_CUBIC)],
)
def test_downsample_kinds_equal_opencv(kind: str, interpolation: int):
    expected = cv2.resize(IMAGE, (12, 8), interpolation=interpolation)
    np.testing.assert_allclose(downsample(KEY, IMAGE, scale=3, kind=kind), expected, atol=1e-5)
