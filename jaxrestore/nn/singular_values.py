"""Singular value clipping: a critic is held Lipschitz by cutting what its layers enlarge.

Saito, Matsumoto and Saito, "Temporal Generative Adversarial Nets with Singular Value Clipping", ICCV 2017, section 4.2, as its public code.
"""

import flax.traverse_util
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.typing import Tree

_KERNELS = ("kernel", "kernel_transposed")
_LEAST_SCALE = 0.01


def clip_singular_values(kernel: jax.Array, limit: float = 1.0) -> jax.Array:
    """A kernel whose singular values above `limit` are set to it, as a matrix (out, everything else).

    Args:
      kernel: (..., in, out), any number of axes from two on.
      limit: greater than 0.

    Raises:
      InputError: the limit is not positive.
    """
    if not limit > 0:
        raise InputError(f"limit is {limit}: it must be greater than 0")
    matrix = kernel.reshape(-1, kernel.shape[-1]).astype(jnp.float32)
    wide = matrix.shape[0] < matrix.shape[1]
    matrix = matrix.T if wide else matrix
    # The eigenvectors of the smaller Gram matrix are the singular vectors; what is cut is taken off, so that all else keeps its digits.
    squares, vectors = jnp.linalg.eigh(matrix.T @ matrix)
    excess = 1.0 - limit / jnp.maximum(jnp.sqrt(jnp.maximum(squares, 0.0)), limit)
    matrix = matrix - (matrix @ vectors) @ (excess[:, None] * vectors.T)
    return (matrix.T if wide else matrix).reshape(kernel.shape).astype(kernel.dtype)


def clip_critic(params: Tree, batch_stats: Tree, limit: float = 1.0) -> Tree:
    """All layers of a critic: kernels by their singular values, the scales of batch normalisations to 0.01 to 1 times the deviation.

    Args:
      params: of a network; kernels of convolutions and dense layers, and scales beside which `batch_stats` holds a "var".
      batch_stats: its running statistics.
      limit: of the singular values.

    Returns:
      New parameters; biases and shifts are left alone.
    """
    flat, statistics = flax.traverse_util.flatten_dict(params), flax.traverse_util.flatten_dict(batch_stats)
    new = dict(flat)
    for path, leaf in flat.items():
        if path[-1] in _KERNELS:
            new[path] = clip_singular_values(leaf, limit)
        elif path[-1] == "scale" and (*path[:-1], "var") in statistics:
            deviation = jnp.sqrt(statistics[(*path[:-1], "var")])
            new[path] = jnp.clip(leaf, _LEAST_SCALE * deviation, deviation).astype(leaf.dtype)
    return flax.traverse_util.unflatten_dict(new)
