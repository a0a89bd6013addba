"""Checksums: the same for the same values wherever they live, different for any bit, and a clear message."""

import hashlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxrestore.errors import InputError
from jaxrestore.weights.checksum import checksums, verify


def test_is_the_hash_of_type_shape_and_bytes():
    value = np.arange(6, dtype=np.float32).reshape(2, 3)
    by_hand = hashlib.sha256(b"float32(2, 3)" + value.tobytes()).hexdigest()[:32]
    assert checksums({"a": value}) == {"['a']": by_hand}
    assert checksums({"a": jnp.asarray(value)}) == {"['a']": by_hand}
    assert checksums({"a": np.asfortranarray(value)}) == {"['a']": by_hand}


def test_takes_any_tree_of_training():
    params = {"layer": {"kernel": jnp.ones((3, 2), jnp.bfloat16), "empty": jnp.zeros((0, 4))}}
    tree = {"params": params, "optimiser": optax.adam(1e-3).init(params), "key": jax.random.key(3), "step": 7, "ema": None}
    found = checksums(tree)
    assert "['key']" in found
    assert "['optimiser'][0].mu['layer']['kernel']" in found
    assert len(found) == len(jax.tree.leaves(tree))
    verify(tree, found, "here")
    assert checksums({"key": jax.random.key(4)})["['key']"] != found["['key']"]


def test_does_not_depend_on_the_sharding():
    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("data",))
    split = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("data"))
    value = jnp.arange(16.0)
    assert checksums(jax.device_put(value, split)) == checksums(value)


def test_every_bit_counts():
    value = np.linspace(0, 1, 9, dtype=np.float32)
    expected = checksums({"w": value})
    for bit in (0, 7, 31, 9 * 32 - 1):
        damaged = value.copy()
        damaged.view(np.uint8)[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(InputError, match=r"folder/file: leaf \['w'\] differs from its checksum"):
            verify({"w": damaged}, expected, "folder/file")


def test_shape_and_type_count():
    expected = checksums({"w": np.zeros((2, 3), np.float32)})
    for other in (np.zeros((3, 2), np.float32), np.zeros((2, 3), np.int32)):
        with pytest.raises(InputError, match="differs"):
            verify({"w": other}, expected, "x")


def test_a_leaf_that_was_never_written():
    with pytest.raises(InputError, match=r"leaf \['new'\] has no checksum"):
        verify({"new": np.zeros(1)}, {}, "x")
