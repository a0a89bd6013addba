"""Cycle and identity losses: every image with its own return."""

import numpy as np
import pytest

from jaxrestore import losses
from jaxrestore.errors import InputError

X, Y = np.zeros((2, 4, 5, 3), np.float32), np.ones((2, 4, 5, 3), np.float32)


@pytest.mark.parametrize("loss", [losses.cycle_consistency, losses.identity])
def test_each_image_is_compared_with_its_own_result(loss):
    np.testing.assert_allclose(loss(X, Y, X, Y), 0.0)
    near_x, near_y = X + np.float32([0.5, 0.25]).reshape(2, 1, 1, 1), Y - np.float32([0.0, 2.0]).reshape(2, 1, 1, 1)
    np.testing.assert_allclose(loss(X, Y, near_x, near_y), [0.5, 2.25])
    np.testing.assert_allclose(loss(X, Y, near_x, near_y, losses.mse), [0.25, 4.0625])
    with pytest.raises(InputError, match="differ in shape"):
        loss(X, Y, X, Y[:, :3])
