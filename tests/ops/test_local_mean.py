"""Means over windows against SciPy and by hand."""

import jax
import numpy as np
import pytest
import scipy.ndimage

from jaxrestore.ops.local_mean import local_mean


@pytest.mark.parametrize("window", [(1, 1), (3, 5), (7, 1), (6, 4), (13, 11), (20, 3), (20, 30)])
def test_equals_a_uniform_filter_inside_and_its_nearest_value_at_the_border(window: tuple[int, int]):
    image = np.random.default_rng(0).random((2, 13, 11, 3), np.float32)
    ours = local_mean(image, window)
    sides = [min(side, length) for side, length in zip(window, (13, 11), strict=True)]
    # Of all windows that lie in the image, each pixel has the one nearest to it.
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(np.float64), sides, axis=(1, 2)).mean((-2, -1))
    rows, columns = (
        np.clip(np.arange(length) - (length - count) // 2, 0, count - 1) for length, count in zip((13, 11), windows.shape[1:3], strict=True)
    )
    np.testing.assert_allclose(ours, windows[:, rows][:, :, columns], atol=1e-6)
    assert ours.dtype == np.float32


def test_an_odd_window_inside_an_image():
    image = np.random.default_rng(1).random((9, 9, 1), np.float32)
    expected = scipy.ndimage.uniform_filter(image, (3, 5, 1))
    np.testing.assert_allclose(local_mean(image, (3, 5))[1:-1, 2:-2], expected[1:-1, 2:-2], atol=1e-6)


def test_no_pixel_beyond_the_window_is_read():
    image = np.zeros((1, 16, 16, 1), np.float32)
    image[0, 0, 0, 0] = np.nan
    reached = np.isnan(jax.jit(local_mean, static_argnums=1)(image, (5, 5)))[0, ..., 0]
    assert reached[:3, :3].all()
    assert reached.sum() == 9


def test_half_precision_is_summed_in_single():
    image = np.full((1, 64, 64, 1), 1.0, jax.numpy.bfloat16)
    np.testing.assert_array_equal(np.float32(local_mean(image, (64, 64))), 1.0)


def test_refuses_an_empty_window():
    with pytest.raises(ValueError, match="window is"):
        local_mean(np.zeros((4, 4, 1), np.float32), (0, 3))
