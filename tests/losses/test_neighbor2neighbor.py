"""Neighbor2Neighbor's loss against the authors'."""

import jax
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.losses.neighbor2neighbor import neighbor2neighbor
from tests.parity.golden import Golden
from tests.shared import needs_parity


@needs_parity
def test_equals_the_authors():
    golden = Golden("ops/neighbor2neighbor").tensors
    prediction, target, *denoised = (np.moveaxis(golden[k], 1, -1) for k in ("out1", "sub2", "den_sub1", "den_sub2"))
    with_weight = {w: np.mean(neighbor2neighbor(prediction, target, tuple(denoised), w)) for w in (0.0, 0.5)}
    np.testing.assert_allclose(with_weight[0.0], golden["loss1"], rtol=1e-6)
    np.testing.assert_allclose(with_weight[0.5], golden["loss1"] + golden["loss2"], rtol=1e-6)


def test_a_difference_without_noise_costs_nothing_more():
    prediction, target, offset = np.random.default_rng(0).random((3, 2, 4, 4, 1), np.float32)
    loss = neighbor2neighbor(target + offset, target, (offset, np.zeros_like(offset)), 3.0)
    np.testing.assert_allclose(loss, np.mean(offset**2, (1, 2, 3)), rtol=1e-5)
    gradient = jax.grad(lambda x: neighbor2neighbor(x, target, (offset, offset), 1.0).sum())(prediction)
    np.testing.assert_allclose(gradient, 4 * (prediction - target) / 16, rtol=1e-5, atol=1e-7)


def test_bad_input_is_said():
    image = np.zeros((4, 4, 1), np.float32)
    with pytest.raises(InputError, match="weight is -1"):
        neighbor2neighbor(image, image, (image, image), -1.0)
    with pytest.raises(InputError, match="differ in shape"):
        neighbor2neighbor(image, image, (image, image[:2]))
