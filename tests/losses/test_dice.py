"""The Dice loss by hand."""

import jax
import numpy as np
import pytest

from jaxrestore import losses


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def test_dice_by_hand():
    mask = np.zeros((1, 2, 4, 1))
    mask[0, 0] = 1.0
    half = np.zeros_like(mask)
    half[0, 0, :2] = 1.0
    np.testing.assert_allclose(losses.dice(half, mask), 1 - (2 * 2 + 1) / (2 + 4 + 1))
    np.testing.assert_allclose(losses.dice(0.5 * mask, mask, squared=True), 1 - (2 * 2 + 1) / (1 + 4 + 1))
    np.testing.assert_allclose(losses.dice(0.5 * mask, 0.5 * mask, squared=True), 0.0, atol=1e-15)
    np.testing.assert_allclose(losses.dice(mask, mask), 0.0, atol=1e-15)
    np.testing.assert_allclose(losses.dice(0 * mask, 0 * mask), 0.0, atol=1e-15)
    two = np.concatenate([half, mask], -1)
    np.testing.assert_allclose(losses.dice(two, np.concatenate([mask, mask], -1)), losses.dice(half, mask) / 2)
