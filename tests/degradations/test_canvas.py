"""Canvases: resizing and filtering of images of drawn sizes, equal to OpenCV on the images alone."""

from functools import partial

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.degradations import canvas
from jaxrestore.degradations.second_order import _number_of_levels
from tests.compiled import compiled

IMAGE = np.random.default_rng(0).random((40, 56, 3)).astype(np.float32)
OPENCV = {"area": cv2.INTER_AREA, "bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}


@pytest.mark.parametrize("new", [(13, 25), (40, 56), (57, 84)])
def test_resize_is_opencvs(new: tuple[int, int]):
    sides = (canvas.canvas_side(60), canvas.canvas_side(84))
    resize = compiled(lambda size, method: canvas.resize(canvas.lay_out(jnp.asarray(IMAGE)), jnp.asarray([40, 56]), size, sides, method))
    for index, method in enumerate(canvas.METHODS):
        if method == "area" and new[0] > 40:
            continue  # OpenCV enlarges by another rule
        ours = canvas.take_off(resize(jnp.asarray(new), index), new)
        np.testing.assert_allclose(ours, cv2.resize(IMAGE, new[::-1], interpolation=OPENCV[method]), atol=2e-5)


def test_the_canvas_goes_on_with_the_edge():
    laid = np.asarray(canvas.lay_out(jnp.asarray(IMAGE)))
    assert laid.shape == (48 + 32, 64 + 32, 3)
    np.testing.assert_array_equal(laid[:, :16], np.broadcast_to(laid[:, 16:17], laid[:, :16].shape))
    np.testing.assert_array_equal(laid[16 + 40 :], np.broadcast_to(laid[16 + 39], laid[16 + 40 :].shape))
    np.testing.assert_array_equal(canvas.take_off(jnp.asarray(laid), (40, 56)), IMAGE)


@pytest.mark.parametrize("support", [3, 7])
def test_correlate_is_opencvs(support: int):
    kernel = np.pad(np.random.default_rng(1).random((support, support)), (7 - support) // 2).astype(np.float32)
    ours = compiled(canvas.correlate)(canvas.lay_out(jnp.asarray(IMAGE)), kernel)
    expected = cv2.filter2D(IMAGE, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    np.testing.assert_allclose(canvas.take_off(ours, (40, 56)), expected, rtol=2e-5)


def test_shrinking_with_a_gaussian():
    offsets = np.arange(-12, 13)
    for sigma in (0.1, 1.5):
        taps = np.exp(-((offsets - 0.5) ** 2 - 0.25) / (2 * sigma**2))
        taps /= taps.sum()
        expected = cv2.sepFilter2D(IMAGE, -1, taps, taps, borderType=cv2.BORDER_REPLICATE)[::2, ::2]
        arguments = (canvas.lay_out(jnp.asarray(IMAGE)), jnp.asarray(2.0), jnp.asarray([20, 28]), (64, 64), jnp.asarray(sigma))
        ours = canvas.take_off(jax.jit(canvas.shrink_gaussian, static_argnums=3)(*arguments), (20, 28))
        # Where the Gaussian is cut off, one pixel further on one side, it has a weight of 1e-14.
        np.testing.assert_allclose(ours, expected, atol=2e-6)


def test_on_smallest_does_what_the_function_does():
    laid = canvas.lay_out(jnp.asarray(IMAGE))

    @compiled
    def doubled(size):
        return canvas.on_smallest(lambda part: 2 * part, laid, size, (48,))

    for size, side in (((10, 12), 48), ((16, 16), 48), ((17, 3), None), ((33, 40), None)):
        expected = np.array(laid)
        expected[:side, :side] *= 2
        np.testing.assert_array_equal(doubled(jnp.asarray(size)), expected)


def test_canvases_that_are_hardly_smaller_are_not_worthwhile():
    assert canvas.worthwhile([48, 64, 144]) == [64, 144]
    assert canvas.worthwhile([176, 304, 416]) == [176, 304, 416]
    assert canvas.worthwhile([48, 48, 64]) == [64]


def test_number_of_levels():
    rng = np.random.default_rng(2)
    count = compiled(_number_of_levels)
    for high in (1, 5, 200, 256):
        levels = rng.integers(0, high, (20, 30, 3)).astype(np.float32)
        assert int(count(levels)) == len(np.unique(levels))


def test_one_after_the_other_is_all_at_once():
    function = canvas.each_alone_on_cpu(lambda x, y: jnp.sin(x) * y)
    x, y = jnp.arange(12.0).reshape(4, 3), jnp.arange(3.0)
    expected = jnp.sin(x) * y[None]
    np.testing.assert_allclose(jax.jit(jax.vmap(function, (0, None)))(x, y), expected, rtol=1e-6)
    np.testing.assert_allclose(jax.vmap(jax.vmap(partial(function, y=1.0)))(x), jnp.sin(x), rtol=1e-6)
