"""Collaborative filtering: like blocks are stacked, transformed in three dimensions, shrunk, and transformed back.

A group is a stack of up to K spectra of blocks of which the first `size` count, a power of two; the others are zero. Across the stack goes
the Haar transform of that length: as many of its log2(K) scales as the size has, while the zeros stay zeros.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

SIDE = 8
"""Side of the blocks."""

Groups = Float[Array, "K G P"]
"""K blocks in each of G groups, P coefficients a block: the first is the block's mean."""

Sizes = Int[Array, " G"]
Weights = Float[Array, " G"]


def bior_1_5() -> np.ndarray:
    """The (8, 8) matrix of the biorthogonal spline wavelet 1.5 over three scales on a circle, with rows of unit length.

    Reference: Cohen, Daubechies and Feauveau, "Biorthogonal Bases of Compactly Supported Wavelets", 1992, table 6.1.
    """
    low = np.array([3, -3, -22, 22, 128, 128, 22, -22, -3, 3]) / (128 * np.sqrt(2))
    coarse, rows = np.eye(SIDE), []
    while len(coarse) > 1:
        count = len(coarse)
        pairs = np.arange(0, count, 2)
        rows.insert(0, (coarse[pairs] - coarse[pairs + 1]) / np.sqrt(2))
        coarse = sum(tap * coarse[(pairs - 4 + i) % count] for i, tap in enumerate(low))
    matrix = np.concatenate([coarse, *rows])
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def group_sizes(distances: Float[Array, "G K"], most: jax.Array) -> Sizes:
    """How many blocks of each group lie no further than `most`, rounded down to a power of two; at least the block itself."""
    near = jnp.maximum(jnp.sum(distances <= most, axis=-1), 1)
    powers = jnp.asarray([[2**i for i in range(distances.shape[-1].bit_length())]], jnp.int32)
    return jnp.max(jnp.where(powers <= near[:, None], powers, 1), axis=-1)


def haar_across(groups: Groups, sizes: Sizes) -> Groups:
    """The orthonormal Haar transform across each group; the first is sqrt(size) times the mean of its blocks."""
    count = groups.shape[0]
    rest = jnp.where(jnp.arange(count)[:, None, None] < sizes[None, :, None], groups, 0.0)
    details, length = [], 1
    while length < count:
        length *= 2
        deep = (sizes >= length)[None, :, None]
        first, second = rest[0::2], rest[1::2]
        details.insert(0, jnp.where(deep, (first - second) * np.sqrt(0.5), 0.0))
        rest = jnp.where(deep, (first + second) * np.sqrt(0.5), first)
    return jnp.concatenate([rest, *details])


def inverse_haar_across(coefficients: Groups, sizes: Sizes) -> Groups:
    """The inverse of `haar_across`."""
    count = coefficients.shape[0]
    rest = coefficients[:1]
    while len(rest) < count:
        deep = (sizes >= count // len(rest))[None, :, None]
        detail = coefficients[len(rest) : 2 * len(rest)]
        first = jnp.where(deep, (rest + detail) * np.sqrt(0.5), rest)
        second = jnp.where(deep, (rest - detail) * np.sqrt(0.5), 0.0)
        rest = jnp.stack([first, second], axis=1).reshape(-1, *rest.shape[1:])
    return rest


def hard_threshold(groups: Groups, sizes: Sizes, limit: jax.Array) -> tuple[Groups, Weights]:
    """Drop the coefficients whose magnitude is not above `limit`, the group's mean excepted.

    Returns:
      The filtered groups, and their weights: one over the number of coefficients that were kept, to which the noise left is proportional.
    """
    coefficients = haar_across(groups, sizes)
    kept = (jnp.abs(coefficients) > limit) | _is_mean(coefficients)
    filtered = inverse_haar_across(jnp.where(kept, coefficients, 0.0), sizes)
    return filtered, 1.0 / jnp.sum(kept, axis=(0, 2)).astype(groups.dtype)


def wiener_shrinkage(groups: Groups, guides: Groups, sizes: Sizes, sigma: jax.Array) -> tuple[Groups, Weights]:
    """Shrink coefficients as the Wiener filter does where the signal's energies are those of `guides`, the group's mean excepted.

    Returns:
      The filtered groups, and their weights: one over the sum of squares of the factors.
    """
    coefficients, signal = haar_across(groups, sizes), jnp.square(haar_across(guides, sizes))
    tiny = jnp.finfo(groups.dtype).tiny
    factors = jnp.where(_is_mean(coefficients), 1.0, signal / jnp.maximum(signal + jnp.square(sigma), tiny))
    filtered = inverse_haar_across(factors * coefficients, sizes)
    return filtered, 1.0 / jnp.sum(jnp.square(factors), axis=(0, 2))


def _is_mean(coefficients: jax.Array) -> jax.Array:
    count, _, pixels = coefficients.shape
    return (jnp.arange(count)[:, None, None] == 0) & (jnp.arange(pixels)[None, None] == 0)
