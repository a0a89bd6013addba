"""Pixel losses against hand arithmetic and their own definitions."""

from functools import partial

import chex
import jax
import numpy as np

from jaxrestore.losses import pixel


def test_one_value_for_each_image_by_hand():
    target = np.zeros((2, 1, 2, 1), np.float32)
    prediction = np.array([[[[0.5], [-0.5]]], [[[2.0], [0.0]]]], np.float32)
    np.testing.assert_allclose(pixel.l1(prediction, target), [0.5, 1.0])
    np.testing.assert_allclose(pixel.mse(prediction, target), [0.25, 2.0])
    np.testing.assert_allclose(pixel.huber(prediction, target), [0.125, 0.75])
    np.testing.assert_allclose(pixel.huber(prediction, target, delta=0.25), [0.09375, 0.234375])
    np.testing.assert_allclose(pixel.charbonnier(prediction, target, epsilon=1.0), [1.25**0.5, (5**0.5 + 1) / 2], rtol=1e-6)
    np.testing.assert_allclose(pixel.l1(prediction[1], target[1]), 1.0)


class Properties(chex.TestCase):
    def test_gradients_by_hand(self):
        d = np.linspace(-1.1, 1.3, 6, dtype=np.float32).reshape(1, 2, 3, 1)
        cases = (
            (pixel.l1, np.sign(d)),
            (pixel.mse, 2 * d),
            (partial(pixel.charbonnier, epsilon=0.1), d / np.sqrt(d**2 + 0.01)),
            (partial(pixel.huber, delta=0.5), np.clip(d, -0.5, 0.5)),
        )
        for loss, slope in cases:
            gradient = jax.grad(lambda a, loss=loss: loss(a, np.zeros_like(d))[0])(d)
            np.testing.assert_allclose(gradient, slope / d.size, rtol=1e-5)
