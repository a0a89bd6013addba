"""Checksums of the leaves of a pytree, because storage returns a flipped bit without a word.

A checksum covers a leaf's dtype, shape and bytes, so it is a property of the values alone: the same on every device and for every sharding.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from jaxrestore.errors import InputError


def checksums(tree: Any) -> dict[str, str]:
    """The checksum of every leaf, by its path.

    Args:
      tree: any pytree of arrays: JAX or NumPy arrays, numbers, typed random keys. A leaf that is spread over several hosts must be gathered
        first.

    Returns:
      {jax.tree_util.keystr(path): 32 hexadecimal digits}, empty for an empty tree.
    """
    return {jax.tree_util.keystr(path): checksum(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def checksum(leaf: Any) -> str:
    """The first half of a SHA-256 over one array's dtype, shape and bytes (in C order)."""
    if isinstance(leaf, jax.Array) and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    value = np.asarray(leaf)
    digest = hashlib.sha256(f"{value.dtype.name}{value.shape}".encode())
    # Extension types such as bfloat16 have no buffer of their own; their bytes do.
    digest.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8))
    return digest.hexdigest()[:32]


def verify(tree: Any, expected: Mapping[str, str], where: object) -> None:
    """Compare a tree that was read with the checksums it was written with.

    Args:
      tree: the tree as read; its paths must all be in `expected` (a part of what was written may be verified alone).
      expected: what `checksums` gave at the time of writing.
      where: the file or folder, for the message.

    Raises:
      InputError: a leaf differs, or was never written; the message names the first such leaf and `where`.
    """
    found = checksums(tree)
    damaged = [path for path, value in found.items() if expected.get(path) != value]
    if damaged:
        more = f" (and {len(damaged) - 1} more)" if len(damaged) > 1 else ""
        why = "has no checksum" if damaged[0] not in expected else "differs from its checksum"
        raise InputError(f"{where}: leaf {damaged[0]}{more} {why}: the data is damaged, use another checkpoint or copy it again")
