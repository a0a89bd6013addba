"""Blur kernels against SciPy, areas counted on a fine grid, and hand arithmetic."""

import math
from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from jaxrestore.errors import InputError
from jaxrestore.ops.blur_kernels import (
    anisotropic_gaussian_kernel,
    box_kernel,
    disk_kernel,
    gaussian_kernel,
    generalised_gaussian_kernel,
    motion_kernel,
    plateau_kernel,
    sinc_kernel,
    trajectory_kernel,
    truncate_kernel,
)

SIZE = 11
SHAPED = (3.0, 1.2, 30.0)
KERNELS = {
    "gaussian": (gaussian_kernel, (1.7,)),
    "anisotropic": (anisotropic_gaussian_kernel, SHAPED),
    "generalised": (generalised_gaussian_kernel, (*SHAPED, 0.6)),
    "plateau": (plateau_kernel, (*SHAPED, 1.5)),
    "sinc": (sinc_kernel, (1.4,)),
    "box": (box_kernel, (4.6,)),
    "disk": (disk_kernel, (3.3,)),
    "motion": (motion_kernel, (7.5, 25.0)),
}


@pytest.fixture
def double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize("name", KERNELS)
def test_sums_to_one_about_its_centre_and_may_be_traced(name: str):
    function, values = KERNELS[name]
    kernel = function(SIZE, *values)
    chex.assert_shape(kernel, (SIZE, SIZE))
    assert float(kernel.sum()) == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-7)  # a half turn
    drawn = jnp.stack([jnp.asarray(values), 0.9 * jnp.asarray(values)])
    mapped = jax.jit(jax.vmap(lambda v: function(SIZE, *v)))(drawn)
    np.testing.assert_allclose(mapped[0], kernel, atol=1e-6)
    assert not np.allclose(mapped[1], kernel, atol=1e-4)


def quadratic_form(sigma_long: float, sigma_short: float, angle: float) -> np.ndarray:
    """The squared distance by covariance matrices, as the papers write it, with rows downwards."""
    theta = -math.radians(angle)
    axes = np.array([[math.cos(theta), -math.sin(theta)], [math.sin(theta), math.cos(theta)]])
    inverse = np.linalg.inv(axes @ np.diag([sigma_long**2, sigma_short**2]) @ axes.T)
    place = np.arange(SIZE) - SIZE // 2
    grid = np.stack(np.meshgrid(place, place), axis=-1)
    return np.einsum("...i,ij,...j->...", grid, inverse, grid)


@pytest.mark.usefixtures("double")
def test_gaussian_family():
    form = quadratic_form(*SHAPED)
    for kernel, expected in (
        (anisotropic_gaussian_kernel(SIZE, *SHAPED), np.exp(-0.5 * form)),
        (generalised_gaussian_kernel(SIZE, *SHAPED, 0.6), np.exp(-0.5 * form**0.6)),
        (plateau_kernel(SIZE, *SHAPED, 1.5), 1.0 / (1.0 + form**1.5)),
        (gaussian_kernel(SIZE, 1.7), np.exp(-0.5 * quadratic_form(1.7, 1.7, 0.0))),
    ):
        np.testing.assert_allclose(kernel, expected / expected.sum(), rtol=1e-12)


def test_long_axis_goes_up_to_the_right():
    kernel = np.asarray(anisotropic_gaussian_kernel(SIZE, 3.0, 1.0, 45.0))
    assert kernel[2, 8] > 10 * kernel[2, 2]
    stroke = np.asarray(motion_kernel(SIZE, 7.0, 45.0))
    assert stroke[3, 7] > 0
    assert stroke[3, 3] == 0


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("cutoff", [math.pi / 3, math.pi])
def test_sinc_is_the_circular_low_pass(cutoff: float):
    place = np.arange(21) - 10.0
    distance = np.hypot(*np.meshgrid(place, place))
    with np.errstate(invalid="ignore"):
        expected = cutoff * scipy.special.j1(cutoff * distance) / (2 * math.pi * distance)
    expected[10, 10] = cutoff**2 / (4 * math.pi)
    np.testing.assert_allclose(sinc_kernel(21, cutoff), expected / expected.sum(), atol=1e-14)


def test_box():
    np.testing.assert_allclose(box_kernel(5, 3.0), np.pad(np.full((3, 3), 1 / 9), 1), atol=1e-7)
    side = np.array([0.5, 1, 1, 1, 0.5]) / 4
    np.testing.assert_allclose(box_kernel(5, 4.0), np.outer(side, side), atol=1e-7)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("radius", [0.7, 1.9, 3.0, 4.5])
def test_disk_covers_the_area(radius: float):
    # The length of every upright chord inside every pixel's row, summed over 4000 chords in each column.
    fine = 4000
    across = (np.arange(SIZE * fine) + 0.5) / fine - SIZE / 2
    chord = np.sqrt(np.maximum(radius**2 - across**2, 0.0))
    edge = (np.arange(SIZE + 1) - SIZE / 2)[:, None]
    inside = np.diff(np.clip(edge, -chord, chord), axis=0)
    area = inside.reshape(SIZE, SIZE, fine).mean(axis=2)
    np.testing.assert_allclose(disk_kernel(SIZE, radius), area / (math.pi * radius**2), atol=1e-6)


def test_motion_by_hand():
    np.testing.assert_allclose(motion_kernel(9, 9.0, 0.0)[4], 1 / 9, atol=1e-7)
    np.testing.assert_allclose(motion_kernel(9, 9.0, 90.0)[:, 4], 1 / 9, atol=1e-6)
    # MATLAB's example of length 4: the ends lie half a pixel beyond.
    np.testing.assert_allclose(motion_kernel(5, 4.0, 0.0)[2], [0.125, 0.25, 0.25, 0.25, 0.125], atol=1e-7)
    # Length 3 at 45 degrees: the stroke ends 1 from the centre, 0.414 short of the corners; the other four lie 0.707 beside it.
    corner, side = 1 - (math.sqrt(2) - 1), 1 - math.hypot(math.sqrt(0.5), 1 - math.sqrt(0.5))
    expected = np.array([[0, side, corner], [side, 1, side], [corner, side, 0]])
    np.testing.assert_allclose(motion_kernel(3, 3.0, 45.0), expected / expected.sum(), atol=1e-6)


def test_trajectory_shares_points_among_four_pixels():
    points = np.array([[0.0, 0.0], [0.25, -1.5], [9.0, 0.0]], np.float32)  # the last one falls outside
    expected = np.zeros((5, 5))
    expected[2, 2] = 1.0
    expected[2, 0:2] = 3 * 0.75 * 0.5
    expected[3, 0:2] = 3 * 0.25 * 0.5
    np.testing.assert_allclose(trajectory_kernel(5, points, np.array([1.0, 3.0, 2.0], np.float32)), expected / 4, atol=1e-7)


def test_truncate():
    drawn = jax.jit(truncate_kernel)(gaussian_kernel(SIZE, 2.0), 7.0)
    np.testing.assert_allclose(drawn, np.pad(gaussian_kernel(7, 2.0), 2), atol=1e-7)
    np.testing.assert_allclose(truncate_kernel(gaussian_kernel(SIZE, 2.0), SIZE), gaussian_kernel(SIZE, 2.0), atol=1e-7)


@pytest.mark.parametrize("narrow", [(gaussian_kernel, 0.0), (box_kernel, 0.3), (disk_kernel, 0.0), (motion_kernel, 0.5, 30.0)])
def test_no_blur_is_one_pixel(narrow: tuple):
    function, *values = narrow
    pixel = np.zeros((5, 5))
    pixel[2, 2] = 1.0
    np.testing.assert_array_equal(function(5, *values), pixel)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (partial(gaussian_kernel, 4, 1.0), "size is 4: a kernel's size must be odd"),
        (partial(disk_kernel, -3, 1.0), "size is -3"),
        (partial(gaussian_kernel, 5, -1.0), "sigma is -1: it must be at least 0"),
        (partial(gaussian_kernel, 5, math.nan), "sigma is nan"),
        (partial(plateau_kernel, 5, 1.0, 0.0, 0.0, 1.0), "sigma is 0: it must be greater than 0"),
        (partial(generalised_gaussian_kernel, 5, 1.0, 1.0, 0.0, 0.0), "shape is 0"),
        (partial(sinc_kernel, 5, 3.2), r"cutoff is 3\.2"),
        (partial(box_kernel, 5, -1.0), "width is -1"),
        (partial(disk_kernel, 5, -1.0), "radius is -1"),
        (partial(motion_kernel, 5, -1.0, 0.0), "length is -1"),
        (partial(truncate_kernel, np.ones((3, 3), np.float32), 0), "support is 0"),
    ],
)
def test_bad_arguments(call, message: str):
    with pytest.raises(InputError, match=message):
        call()
