"""Cross entropy against SciPy and hand arithmetic."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax

from jaxrestore.errors import InputError
from jaxrestore.losses.classification import softmax_cross_entropy


@pytest.fixture
def case():
    generator = np.random.default_rng(0)
    return generator.normal(size=(2, 3, 5, 4)).astype(np.float32), generator.integers(0, 4, (2, 3, 5))


def test_equals_scipy(case):
    logits, labels = case
    expected = -np.take_along_axis(log_softmax(logits, -1), labels[..., None], -1)[..., 0]
    np.testing.assert_allclose(softmax_cross_entropy(logits, labels), expected.mean((1, 2)), rtol=1e-6)
    counted = labels != 2
    without = (expected * counted).sum((1, 2)) / counted.sum((1, 2))
    np.testing.assert_allclose(softmax_cross_entropy(logits, labels, ignore=2), without, rtol=1e-6)


def test_equal_logits_give_the_logarithm_of_the_classes(case):
    np.testing.assert_allclose(softmax_cross_entropy(np.full((1, 3, 5, 4), 100.0, np.float32), case[1][:1]), np.log(4), rtol=1e-6)


def test_ignored_labels_may_lie_outside_the_classes(case):
    logits, labels = case
    labels = np.where(labels == 3, 255, labels)
    assert np.isfinite(softmax_cross_entropy(logits, labels, ignore=255)).all()
    assert np.isnan(softmax_cross_entropy(logits, labels)).all()
    np.testing.assert_array_equal(softmax_cross_entropy(logits, np.full_like(labels, 255), ignore=255), 0.0)


class Gradient(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True)
    def test_is_probability_minus_target(self):
        logits = jax.random.normal(jax.random.key(0), (1, 1, 2, 3))
        labels = jnp.array([[[0, 2]]])
        gradient = self.variant(jax.grad(lambda x: softmax_cross_entropy(x, labels)[0]))(logits)
        expected = (jax.nn.softmax(logits) - jax.nn.one_hot(labels, 3)) / 2
        chex.assert_trees_all_close(gradient, expected, atol=1e-6)


def test_one_class_is_refused():
    with pytest.raises(InputError, match="at least two"):
        softmax_cross_entropy(np.zeros((1, 1, 1, 1), np.float32), np.zeros((1, 1, 1), int))
