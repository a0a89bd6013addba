"""Moire: demosaicking as OpenCV's, light, place, and the frequency at which screen and sensor beat."""

from functools import partial

import cv2
import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.degradations.moire import _expose, demosaic, moire
from tests.compiled import compiled

KEY = jax.random.key(6)


def test_demosaic_is_opencvs():
    mosaic = np.random.default_rng(0).integers(0, 65535, (16, 20)).astype(np.uint16)
    expected = cv2.cvtColor(mosaic, cv2.COLOR_BayerRGGB2RGB).astype(float)
    ours = np.asarray(demosaic(jnp.asarray(mosaic, jnp.float32)))
    # OpenCV rounds to integers and copies its border rows and columns.
    np.testing.assert_allclose(ours[1:-1, 1:-1], expected[1:-1, 1:-1], atol=0.51)
    flat = np.zeros((6, 8), np.float32)
    flat[::2, ::2], flat[1::2, 1::2], flat[::2, 1::2], flat[1::2, ::2] = 0.1, 0.3, 0.2, 0.2
    np.testing.assert_allclose(demosaic(jnp.asarray(flat)), np.broadcast_to(np.float32([0.1, 0.2, 0.3]), (6, 8, 3)), atol=1e-6)


def test_the_light_is_kept():
    colour = np.float32([0.3, 0.5, 0.4])
    seen = np.asarray(compiled(moire)(KEY, np.broadcast_to(colour, (4, 48, 64, 3))))
    np.testing.assert_allclose(np.mean(seen[:, 8:-8, 8:-8] ** 2.2, axis=(0, 1, 2)), colour**2.2, rtol=0.03)


def test_things_stay_in_their_place():
    rows, columns = np.mgrid[:64, :80] / 8
    image = (0.5 + 0.2 * np.sin(rows * 1.9) * np.cos(columns * 1.3 + rows))[..., None].astype(np.float32)
    # Over as many sensor pixels as the screen's take, the light of all three colours comes in and hardly any moire is left.
    far = partial(moire, pitch=2.6, angle=(-30.0, 30.0), perspective=0.3, aperture=2.6)
    for seen in np.asarray(compiled(far)(KEY, np.stack([image] * 4))):
        difference = cv2.GaussianBlur(seen, (0, 0), 1.5) - cv2.GaussianBlur(image, (0, 0), 1.5)
        assert np.mean(np.abs(difference)) < 0.02  # one pixel aside makes it 0.03


def test_beats_at_the_difference_of_the_grids():
    # A white screen seen straight on: red filters stand at every second column, so that a screen's pixel of 1.9 sensor pixels beats with a
    # frequency of 2 / 1.9 - 1 in cycles for each red filter.
    pitch, pose = 1.9, (1.9, 0.0, jnp.zeros(2), jnp.zeros(2))
    light = compiled(lambda aperture: _expose(jnp.ones((64, 500, 3)), (64, 760), pose, aperture))(1.0)
    red = np.asarray(light)[::2, ::2].mean(0)
    spectrum = np.abs(np.fft.rfft(red - red.mean()))
    assert np.argmax(spectrum) == round((2 / pitch - 1) * red.size)
    assert spectrum.max() / red.size > 0.2 * red.mean() / 2


def test_grey_stays_one_channel():
    assert jax.eval_shape(moire, KEY, jax.ShapeDtypeStruct((2, 20, 30, 1), np.float32)).shape == (2, 20, 30, 1)
