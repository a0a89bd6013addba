"""Blur against SciPy and OpenCV, the camera's path against its algorithm in complex numbers, frames by hand."""

import math

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage

from jaxrestore.degradations.blur import anisotropic_blur, box_blur, defocus, gaussian_blur, sinc_blur
from jaxrestore.degradations.motion import _POINTS, average_frames, camera_shake, motion_blur, shake_kernel, shake_path
from jaxrestore.ops.blur_kernels import anisotropic_gaussian_kernel, disk_kernel, motion_kernel, sinc_kernel
from tests.compiled import compiled

KEY = jax.random.key(4)
IMAGE = np.random.default_rng(0).random((23, 30, 3)).astype(np.float32)


def test_gaussian_equals_opencv():
    expected = cv2.GaussianBlur(IMAGE, (9, 9), 1.6, borderType=cv2.BORDER_REFLECT_101)
    np.testing.assert_allclose(gaussian_blur(KEY, IMAGE, 1.6, size=9), expected, atol=1e-6)


def test_box_equals_opencv():
    np.testing.assert_allclose(box_blur(KEY, IMAGE, 5.0, size=7), cv2.blur(IMAGE, (5, 5), borderType=cv2.BORDER_REFLECT_101), atol=1e-6)


@pytest.mark.parametrize(
    ("blurred", "kernel"),
    [
        (lambda p: anisotropic_blur(KEY, IMAGE, 3.0, 1.0, 30.0, size=9, padding=p), lambda: anisotropic_gaussian_kernel(9, 3.0, 1.0, 30.0)),
        (lambda p: defocus(KEY, IMAGE, 3.2, size=9, padding=p), lambda: disk_kernel(9, 3.2)),
        (lambda p: sinc_blur(KEY, IMAGE, 1.5, size=9, padding=p), lambda: sinc_kernel(9, 1.5)),
        (lambda p: motion_blur(KEY, IMAGE, 7.0, 60.0, size=9, padding=p), lambda: motion_kernel(9, 7.0, 60.0)),
        (lambda p: camera_shake(KEY, IMAGE, length=6.0, size=9, padding=p), lambda: shake_kernel(KEY, 9, length=6.0)),
    ],
    ids=["anisotropic", "defocus", "sinc", "motion", "shake"],
)
def test_is_a_convolution(blurred, kernel):
    for padding, mode in (("reflect", "mirror"), ("wrap", "wrap")):
        expected = scipy.ndimage.convolve(IMAGE, np.asarray(kernel())[:, :, None], mode=mode)
        np.testing.assert_allclose(blurred(padding), expected, atol=2e-6)


def test_a_level_for_each_image():
    radii = jnp.asarray([0.0, 2.5])
    blurred = defocus(KEY, np.stack([IMAGE, IMAGE]), radii, size=7)
    np.testing.assert_allclose(blurred[0], IMAGE, atol=1e-6)
    np.testing.assert_allclose(blurred[1], defocus(KEY, IMAGE, 2.5, size=7), atol=1e-6)


def path_by_the_paper(key: jax.Array, length: float, tremor: float, pull: float, jerks: float) -> np.ndarray:
    """Algorithm 1 of DeblurGAN in complex numbers (right + i down), with the draws of `shake_path`."""
    start_key, jerk_key, turn_key, tremor_key = jax.random.split(key, 4)
    steps = _POINTS - 1
    start = float(jax.random.uniform(start_key, (1,), maxval=2 * math.pi)[0])
    jerked = np.asarray(jax.random.uniform(jerk_key, (steps,))) < jerks / steps
    turns = math.pi + np.asarray(jax.random.uniform(turn_key, (steps,), minval=-0.5, maxval=0.5))
    impulses = np.asarray(jax.random.normal(tremor_key, (steps, 2)), np.float64)
    speed = length / steps
    place, velocity, path = 0j, speed * np.exp(1j * start), [0j]
    for i in range(steps):
        # A turn from the rows towards the columns is one against the usual sense when the rows are the imaginary axis.
        change = 2 * velocity * np.exp(-1j * turns[i]) if jerked[i] else 0j
        change += speed * (tremor / math.sqrt(steps) * (impulses[i, 1] + 1j * impulses[i, 0]) - pull / steps * place)
        velocity = (velocity + change) / abs(velocity + change) * speed
        place = place + velocity
        path.append(place)
    path = np.array(path) - np.mean(path)
    return np.stack([path.imag, path.real], axis=-1)


def test_path_is_that_of_the_paper():
    for levels in ((20.0, 3.0, 0.5, 4.0), (8.0, 0.0, 0.0, 0.0)):
        path = np.asarray(shake_path(KEY, *levels))
        np.testing.assert_allclose(path, path_by_the_paper(KEY, *levels), atol=2e-3)
        np.testing.assert_allclose(np.linalg.norm(np.diff(path, axis=0), axis=1).sum(), levels[0], rtol=1e-4)


def test_an_undisturbed_path_is_straight_in_any_direction():
    paths = np.asarray(compiled(jax.vmap(lambda k: shake_path(k, 10.0, 0.0, 0.0, 0.0)))(jax.random.split(KEY, 400)))
    ends = paths[:, -1] - paths[:, 0]
    np.testing.assert_allclose(np.linalg.norm(ends, axis=1), 10.0, rtol=1e-4)
    assert np.abs(ends.mean(axis=0)).max() < 5 * 10.0 / math.sqrt(2 * 400)
    assert np.abs((ends**2).mean(axis=0) - 50.0).max() < 5 * 50.0 * math.sqrt(0.5 / 400)


def test_kernels_are_centred():
    kernels = np.asarray(compiled(jax.vmap(lambda k: shake_kernel(k, 31)))(jax.random.split(KEY, 20)))
    np.testing.assert_allclose(kernels.sum(axis=(1, 2)), 1.0, rtol=1e-5)
    place = np.arange(31) - 15
    assert np.abs(np.einsum("nij,i->n", kernels, place)).max() < 1e-3
    assert np.abs(np.einsum("nij,j->n", kernels, place)).max() < 1e-3


def test_average_frames_in_linear_light():
    frames = np.stack([np.zeros((4, 4, 1)), np.ones((4, 4, 1))]).astype(np.float32)
    np.testing.assert_allclose(average_frames(KEY, frames), 0.5 ** (1 / 2.2), rtol=1e-6)
    np.testing.assert_allclose(average_frames(KEY, frames, gamma=1.0), 0.5, rtol=1e-6)
    # Frames that move by one pixel make a stroke.
    moving = np.stack([np.roll(IMAGE, i, axis=1) for i in (-1, 0, 1)])
    stroke = motion_blur(KEY, IMAGE, 3.0, size=3, padding="wrap")
    np.testing.assert_allclose(average_frames(KEY, moving[None], gamma=1.0)[0], stroke, atol=1e-6)
