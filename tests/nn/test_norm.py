"""Normalisation layers by their definition."""

import jax
import numpy as np

from jaxrestore.nn.initialise import initialise
from jaxrestore.nn.norm import BatchNorm


def test_statistics_of_a_batch_keep_their_digits_beside_a_large_mean():
    x = (1000.0 + np.random.default_rng(0).standard_normal((4, 5, 6, 3))).astype(np.float32)
    norm = BatchNorm(momentum=0.25)
    result, new = norm.apply(initialise(norm, jax.random.key(0), x), x, train=True, mutable="batch_stats")
    exact = x.astype(np.float64)
    mean, var = exact.mean((0, 1, 2)), exact.var((0, 1, 2))
    np.testing.assert_allclose(new["batch_stats"]["mean"], 0.25 * mean, rtol=1e-6)
    np.testing.assert_allclose(new["batch_stats"]["var"], 0.75 + 0.25 * var, rtol=1e-5)
    np.testing.assert_allclose(result, (exact - mean) / np.sqrt(var + 1e-5), atol=2e-3)
