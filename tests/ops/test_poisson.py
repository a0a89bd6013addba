"""Poisson counts against SciPy's distribution: not samples only, but the whole inverse."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
from scipy import stats

from jaxrestore.ops.poisson import _expand, _normal, _sum_up_to, poisson_counts

PLACES = (np.arange(100_000) + 0.5) / 100_000


@pytest.mark.parametrize("mean", [20.0, 23.0, 50.0, 300.0, 5000.0, 1e5])
def test_expansion_is_within_its_bound(mean: float):
    normal = scipy.special.ndtri(PLACES).astype(np.float32)
    counts = np.asarray(jax.jit(_expand)(normal, np.full(normal.shape, mean, np.float32)))
    wrong = np.abs(counts - stats.poisson.ppf(scipy.special.ndtr(normal.astype(np.float64)), mean))
    assert wrong.max() <= 1.0
    # Evenly spaced places: the share of wrong ones is the total variation.
    assert wrong.mean() <= 4e-5


@pytest.mark.parametrize("mean", [0.0, 0.01, 3.0, 19.99])
def test_sum_inverts(mean: float):
    uniform = PLACES.astype(np.float32)
    counts = np.asarray(jax.jit(_sum_up_to)(uniform, np.full(uniform.shape, mean, np.float32)))
    wrong = np.abs(counts - stats.poisson.ppf(uniform.astype(np.float64), mean))
    assert wrong.max() <= 1.0
    # What single precision rounds in a sum of twenty terms, and no more.
    assert wrong.mean() < 4e-5


def test_normal_quantile():
    ends = np.float32([-1 + 2**-24, 1 - 2**-23, 0.0])
    number = np.concatenate([2 * PLACES - 1, ends]).astype(np.float32)
    expected = np.sqrt(2) * scipy.special.erfinv(number.astype(np.float64))
    np.testing.assert_allclose(jax.jit(_normal)(number), expected, rtol=3e-6, atol=1e-6)


def test_mixed_means_have_the_distribution():
    means = np.array([0.0, 0.3, 7.0, 19.0, 21.0, 90.0, 2500.0], np.float32)
    counts = np.asarray(jax.jit(poisson_counts)(jax.random.key(0), jnp.broadcast_to(means[:, None], (len(means), 20_000))), np.float64)
    assert (counts == np.round(counts)).all()
    assert (counts[0] == 0).all()
    for mean, sample in zip(means[1:].astype(np.float64), counts[1:], strict=True):
        low, high = stats.poisson.ppf([0.001, 0.999], mean)
        places = np.unique(np.linspace(low, high, 12).astype(int))
        share = np.diff(stats.poisson.cdf(places, mean))
        seen = np.array([((sample > a) & (sample <= b)).sum() for a, b in itertools.pairwise(places)])
        assert (np.abs(seen - share * sample.size) < 5 * np.sqrt(share * sample.size) + 1).all()
