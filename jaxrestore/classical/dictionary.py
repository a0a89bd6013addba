"""Dictionaries learnt from examples, whose every sample is a sum of few atoms: K-SVD with orthogonal matching pursuit.

Learning is host work in NumPy: it happens once, over a few hundred thousand samples.
"""

import numpy as np
from jaxtyping import Float, Int

from jaxrestore.errors import InputError

_CHUNK = 16384  # samples whose correlations with all atoms are held at a time


def ksvd(
    samples: Float[np.ndarray, "samples dimensions"], atoms: int, sparsity: int = 3, iterations: int = 20, seed: int = 0
) -> Float[np.ndarray, "atoms dimensions"]:
    """Learn a dictionary.

    Args:
      samples: (N, D), N at least `atoms`.
      atoms: K, how many to learn.
      sparsity: most atoms a sample is made of, 1..D.
      iterations: of coding all samples and then renewing every atom with its coefficients, > 0.
      seed: of the samples that the dictionary begins with, and of those that replace atoms nobody uses.

    Returns:
      (K, D), atoms of length one.

    Raises:
      InputError: fewer samples than atoms, or a number out of its range.

    Reference: Aharon, Elad and Bruckstein, "K-SVD: An Algorithm for Designing Overcomplete Dictionaries for Sparse Representation", TSP
    2006, figure 2; the renewal of an atom is one step of the power method in place of an SVD (Rubinstein et al., "Efficient Implementation
    of the K-SVD Algorithm", 2008, section 4).
    """
    lengths = np.linalg.norm(samples, axis=1)
    usable = np.flatnonzero(lengths > 1e-6 * lengths.max(initial=0.0))
    if not 0 < atoms <= usable.size:
        raise InputError(f"atoms is {atoms}: it must be in 1..{usable.size}, the number of samples that are not zero")
    if iterations < 1:
        raise InputError(f"iterations is {iterations}: it must be at least 1")
    random = np.random.default_rng(seed)
    dictionary = _unit(samples[random.choice(usable, atoms, replace=False)])
    for _ in range(iterations):
        places, coefficients = matching_pursuit(samples, dictionary, sparsity)
        _renew(samples, dictionary, places, coefficients, random.choice(usable, atoms, replace=False))
    return dictionary


def matching_pursuit(
    samples: Float[np.ndarray, "samples dimensions"], dictionary: Float[np.ndarray, "atoms dimensions"], sparsity: int
) -> tuple[Int[np.ndarray, "samples sparsity"], Float[np.ndarray, "samples sparsity"]]:
    """Orthogonal matching pursuit: the atoms of each sample one after the other, their coefficients always by least squares.

    Args:
      samples: (N, D).
      dictionary: (K, D), of length one.
      sparsity: how many atoms each sample gets, 1..min(D, K).

    Returns:
      Which atoms (N, S), and their coefficients (N, S).

    Raises:
      InputError: sparsity is out of its range.
    """
    if not 1 <= sparsity <= min(dictionary.shape):
        raise InputError(f"sparsity is {sparsity}: it must be in 1..{min(dictionary.shape)}")
    places = np.zeros((len(samples), sparsity), np.int64)
    coefficients = np.zeros((len(samples), sparsity), samples.dtype)
    for start in range(0, len(samples), _CHUNK):
        part = slice(start, start + _CHUNK)
        places[part], coefficients[part] = _pursue(samples[part], dictionary, sparsity)
    return places, coefficients


def _pursue(samples: np.ndarray, dictionary: np.ndarray, sparsity: int) -> tuple[np.ndarray, np.ndarray]:
    residual, rows = samples, np.arange(len(samples))
    places = np.zeros((len(samples), 0), np.int64)
    for _ in range(sparsity):
        correlation = np.abs(residual @ dictionary.T)
        np.put_along_axis(correlation, places, -1.0, axis=1)
        places = np.concatenate([places, correlation.argmax(axis=1)[:, None]], axis=1)
        chosen = dictionary[places]
        gram = chosen @ chosen.transpose(0, 2, 1)
        # Two atoms may be all but parallel: the ridge keeps their coefficients finite.
        gram[:, range(gram.shape[1]), range(gram.shape[1])] += 1e-6
        coefficients = np.linalg.solve(gram, chosen @ samples[rows][:, :, None])[..., 0]
        residual = samples - np.einsum("ns,nsd->nd", coefficients, chosen)
    return places, coefficients


def _renew(samples: np.ndarray, dictionary: np.ndarray, places: np.ndarray, coefficients: np.ndarray, spare: np.ndarray) -> None:
    """Fit every atom, and the coefficients of its users, to what the other atoms leave over."""
    residual = samples - np.einsum("ns,nsd->nd", coefficients, dictionary[places])
    order = np.argsort(places, axis=None, kind="stable")
    bounds = np.searchsorted(places.ravel()[order], np.arange(len(dictionary) + 1))
    for k in range(len(dictionary)):
        users, slots = np.divmod(order[bounds[k] : bounds[k + 1]], places.shape[1])
        if not users.size:
            dictionary[k] = _unit(samples[spare[k]])
            continue
        wanted = residual[users] + coefficients[users, slots][:, None] * dictionary[k]
        direction = wanted.T @ coefficients[users, slots]
        if np.linalg.norm(direction) > 0.0:
            dictionary[k] = _unit(direction)
        coefficients[users, slots] = wanted @ dictionary[k]
        residual[users] = wanted - coefficients[users, slots][:, None] * dictionary[k]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
