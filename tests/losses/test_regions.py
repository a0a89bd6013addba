"""Losses on regions, by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.losses.formula import parse
from jaxrestore.losses.pixel import mse
from jaxrestore.losses.regions import region_mse, worst_region_mse


def images() -> tuple[np.ndarray, np.ndarray]:
    """Equal but for the lower right quarter of the first and a corner of the second."""
    target = np.random.default_rng(0).random((2, 16, 16, 3)).astype(np.float32)
    prediction = target.copy()
    prediction[0, 8:, 8:] += 0.5
    prediction[1, :4, :4] += 0.25
    return prediction, target


def test_a_region_counts_by_itself():
    prediction, target = images()
    boxes = np.array([[[8.5, 8.5, 15.5, 15.5], [0.0, 0.0, 7.0, 7.0]], [[0.5, 0.5, 3.5, 3.5], [8.0, 8.0, 16.0, 16.0]]], np.float32)
    np.testing.assert_allclose(region_mse(prediction, target, boxes), [0.25 / 2, 0.0625 / 2], rtol=1e-4)
    weights = np.array([[3.0, 1.0], [0.0, 2.0]], np.float32)
    np.testing.assert_allclose(region_mse(prediction, target, boxes, weights), [0.25 * 3 / 4, 0.0], rtol=1e-4)
    gradient = jax.grad(lambda p: region_mse(p, target, boxes, jnp.zeros((2, 2))).sum())(prediction)
    assert not np.any(gradient)


def test_the_worst_regions_are_found():
    prediction, target = images()
    loss = worst_region_mse(prediction, target, side=4.0, count=1.0)
    boxes = np.array([[[8.0, 8.0, 12.0, 12.0]], [[0.0, 0.0, 4.0, 4.0]]], np.float32)  # the first of the worst
    np.testing.assert_allclose(loss, region_mse(prediction, target, boxes), rtol=1e-5)
    assert (np.asarray(loss) > np.asarray(mse(prediction, target))).all()
    gradient = np.asarray(jax.grad(lambda p: worst_region_mse(p, target, 4.0, 2.0).sum())(prediction))
    assert not gradient[0, :7, :7].any()
    assert not gradient[1, 9:, 9:].any()
    assert (gradient[0, 9:15, 9:15] >= 0).all()
    assert gradient[0, 8:, 8:].sum() > 0


def test_by_name():
    prediction, target = images()
    loss = parse("mse+2*worst_region_mse:side=8:count=2")(prediction, target)
    expected = mse(prediction, target) + 2 * worst_region_mse(prediction, target, 8.0, 2.0)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


def test_what_cannot_be_is_refused():
    prediction, target = images()
    with pytest.raises(InputError, match="weights have the shape"):
        region_mse(prediction, target, np.zeros((2, 3, 4), np.float32), np.zeros((2, 2), np.float32))
    with pytest.raises(InputError, match="do not belong"):
        region_mse(prediction, target, np.zeros((1, 3, 4), np.float32))
    with pytest.raises(InputError, match="side is 1 and count 8"):
        worst_region_mse(prediction, target, 1.0)
    with pytest.raises(InputError, match="side is 32 and count 0"):
        parse("worst_region_mse:count=0")
