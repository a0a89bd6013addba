"""Pixel losses against golden values, hand arithmetic and their own definitions."""

from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.losses import pixel
from tests.parity.golden import Golden
from tests.shared import needs_parity

LOSSES = {
    "l1": pixel.l1,
    "mse": pixel.mse,
    "charbonnier.eps1e-12": partial(pixel.charbonnier, epsilon=1e-6),  # BasicSR's number is epsilon squared
    "charbonnier.eps1e-3": pixel.charbonnier,
    "huber": pixel.huber,
}


@needs_parity
@pytest.mark.parametrize("name", LOSSES)
def test_equals_golden(name):
    golden = Golden("ops/losses").tensors
    prediction, target = (np.moveaxis(golden[k], 1, -1) for k in ("pred", "target"))
    values = LOSSES[name](prediction, target)
    chex.assert_shape(values, (2,))
    np.testing.assert_allclose(jnp.mean(values), golden[name], rtol=2e-6)


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
    @chex.variants(with_jit=True, without_jit=True)
    def test_float32_from_bfloat16_and_batch_of_any_rank(self):
        x = jnp.ones((2, 3, 4, 5, 1), jnp.bfloat16)
        for loss in (pixel.l1, pixel.mse, pixel.charbonnier, pixel.huber):
            value = self.variant(loss)(x, 0 * x)
            chex.assert_shape(value, (2, 3))
            chex.assert_type(value, jnp.float32)

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

    def test_gradient_is_finite_where_the_images_agree(self):
        x = jnp.full((1, 2, 2, 1), 0.5)
        for loss in (pixel.l1, pixel.mse, pixel.charbonnier, pixel.huber):
            np.testing.assert_array_equal(jax.grad(lambda a, loss=loss: loss(a, x)[0])(x), 0.0)


def test_bad_input_is_said():
    x = np.zeros((1, 2, 2, 1), np.float32)
    with pytest.raises(InputError, match="differ in shape"):
        pixel.mse(x, x[:, :1])
    with pytest.raises(InputError, match="epsilon"):
        pixel.charbonnier(x, x, epsilon=0.0)
    with pytest.raises(InputError, match="delta"):
        pixel.huber(x, x, delta=-1.0)
