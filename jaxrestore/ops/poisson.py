"""Poisson counts by inversion: one random number a count, no loop that waits for the last value to be accepted.

That makes them tens of times faster than `jax.random.poisson` where the means differ from pixel to pixel.
"""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.polynomial import Polynomial
from scipy.special import ndtri

from jaxrestore.typing import Key

# Below this mean the distribution is summed, from it on it is inverted by its asymptotic expansion.
_EXPANSION_FROM = 20.0
# A greater count has, below that mean, a probability under the resolution of a uniform number in single precision.
_MOST_BY_SUMMING = 52
# No normal number that is made of a uniform one in single precision lies further out.
_LARGEST_NORMAL = 5.42
# Where the normal quantile changes its polynomial, and where the second ends, in units of -log(1 - x**2).
_TAIL_FROM, _TAIL_END = 5.0, 17.0


@jax.jit
def poisson_counts(key: Key, mean: Float[Array | np.ndarray, "*shape"]) -> Float[Array, "*shape"]:
    """Independent Poisson counts: the inverse of the cumulative distribution at a uniform number.

    Means below 20: as many counts as the sum of the probabilities stays below the number. Others: by Temme's uniform expansion of the
    incomplete gamma function, inverted as in the reference, to order 1 / mean. The distribution that results is within 4e-5 of the Poisson
    distribution in total variation, for every mean: of a hundred thousand counts up to four are one too many or too few.

    Args:
      key: random key.
      mean: >= 0, in float32 up to 2**20, beyond which whole numbers get coarse.

    Returns:
      Whole numbers in the mean's dtype.

    Reference: Giles, "Algorithm 955: Approximation of the Inverse Poisson Cumulative Distribution Function", ACM TOMS 2016; Temme, "The
      Asymptotic Expansion of the Incomplete Gamma Functions", SIAM J. Math. Anal. 1979.
    """
    few = mean < _EXPANSION_FROM
    ends = jnp.nextafter(jnp.asarray(-1.0, mean.dtype), jnp.asarray(0.0, mean.dtype))
    number = jax.random.uniform(key, mean.shape, mean.dtype, minval=ends, maxval=1.0)
    by_sum = _sum_up_to(0.5 * (number + 1.0), jnp.where(few, mean, 0.0))
    by_expansion = _expand(_normal(number), jnp.where(few, _EXPANSION_FROM, mean))
    return jnp.where(few, by_sum, by_expansion)


def _sum_up_to(uniform: jax.Array, mean: jax.Array) -> jax.Array:
    term = jnp.exp(-mean)
    cumulative, counts = term, jnp.zeros_like(mean)
    for k in range(1, _MOST_BY_SUMMING + 1):
        counts += (uniform >= cumulative).astype(mean.dtype)
        term = term * (mean * (1.0 / k))
        cumulative += term
    return counts


def _normal(number: jax.Array) -> jax.Array:
    """A normal number from one that is uniform in (-1, 1), to single precision: sqrt(2) erfinv(number).

    `lax.erf_inv` would do, but what the compiler makes of it and the expansion together is five times slower on a CPU.
    """
    centre, tail = _quantile()
    w = -jnp.log((1.0 - number) * (1.0 + number))
    return number * jnp.where(w < _TAIL_FROM, _polynomial(centre, w), _polynomial(tail, jnp.sqrt(jnp.minimum(w, _TAIL_END))))


@cache
def _quantile() -> tuple[tuple[float, ...], tuple[float, ...]]:
    """sqrt(2) erfinv(x) / x as a polynomial of w = -log(1 - x**2), and as one of sqrt(w) in the tails."""

    def ratio(w: np.ndarray) -> np.ndarray:
        # Through the distance to 1, which in the tails is all that is left of x.
        x = np.sqrt(-np.expm1(-w))
        return -ndtri(0.5 * np.exp(-w) / (1.0 + x)) / x

    spread = 0.5 + 0.5 * np.cos((np.arange(300) + 0.5) * np.pi / 300)
    w = _TAIL_FROM * spread
    roots = np.sqrt(_TAIL_FROM) + (np.sqrt(_TAIL_END) - np.sqrt(_TAIL_FROM)) * spread
    return tuple(Polynomial.fit(w, ratio(w), 9).convert().coef), tuple(Polynomial.fit(roots, ratio(roots**2), 7).convert().coef)


def _expand(normal: jax.Array, mean: jax.Array) -> jax.Array:
    """The count at whose place the cumulative distribution is that of the normal number."""
    root = jnp.sqrt(mean)
    curvature, correction, low, high = _expansion()
    s = jnp.clip(normal / root, low, high)
    normal = s * root
    above = root * normal + jnp.square(normal) * _polynomial(curvature, s) + _polynomial(correction, s)
    above -= 0.0218 / (above + 1.065 * mean)
    # The whole part of the mean is added last: near 1000 single precision has no digits left for the place between two counts.
    whole = jnp.floor(mean)
    return jnp.maximum(whole + jnp.floor(mean - whole + above), 0.0)


@cache
def _expansion() -> tuple[tuple[float, ...], tuple[float, ...], float, float]:
    """The two functions of the expansion as polynomials of s = normal / sqrt(mean), and the interval on which they hold.

    r(s) solves s**2 / 2 = 1 - r + r log(r): the count is mean * r and, to the next order, c(s) = log(s sqrt(r) / (r - 1)) / log(r) more.
    The first polynomial is that of (r - 1 - s) / s**2, the second of c.
    """
    high = _LARGEST_NORMAL / np.sqrt(_EXPANSION_FROM)
    nodes = high * np.cos((np.arange(400) + 0.5) * np.pi / 400)
    nodes = nodes[np.abs(nodes) > 0.02]  # where both are differences of equal numbers
    r = np.maximum(1.0 + nodes + nodes**2 / 6, 0.05)
    for _ in range(50):
        f = np.copysign(np.sqrt(2 * np.maximum(1.0 - r + r * np.log(r), 0.0)), r - 1.0)
        r = np.maximum(r - (f - nodes) * f / np.log(r), 0.1 * r)
    curvature = Polynomial.fit(nodes, (r - 1.0 - nodes) / nodes**2, 18)
    correction = Polynomial.fit(nodes, np.log(np.sqrt(r) * nodes / (r - 1.0)) / np.log(r), 18)
    return tuple(curvature.convert().coef), tuple(correction.convert().coef), -high, high


def _polynomial(coefficients: tuple[float, ...], x: jax.Array) -> jax.Array:
    value = jnp.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        value = value * x + coefficient
    return value
