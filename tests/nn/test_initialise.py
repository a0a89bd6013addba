"""Initial values: the right distributions, from the key alone, the same tree as `model.init`."""

import math

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.nn.initialise import Constant, Uniform, VarianceScaling, he_normal, initialise, torch_default

IMAGE = jax.ShapeDtypeStruct((1, 8, 8, 1), jnp.float32)


def test_same_tree_as_init_and_a_function_of_the_key():
    model = DnCNN(depth=4, features=8)
    ours = initialise(model, jax.random.key(0), IMAGE)
    chex.assert_trees_all_equal_shapes_and_dtypes(ours, jax.eval_shape(model.init, jax.random.key(0), IMAGE))
    chex.assert_trees_all_equal(ours, initialise(model, jax.random.key(0), IMAGE))
    other = initialise(model, jax.random.key(1), IMAGE)
    assert not np.array_equal(ours["params"]["conv_0"]["kernel"], other["params"]["conv_0"]["kernel"])
    kernels = [ours["params"][f"conv_{i}"]["kernel"] for i in (1, 2)]
    assert not np.array_equal(*kernels)
    np.testing.assert_array_equal(ours["batch_stats"]["norm_1"]["var"], 1.0)
    np.testing.assert_array_equal(ours["batch_stats"]["norm_1"]["mean"], 0.0)
    np.testing.assert_array_equal(ours["params"]["norm_1"]["scale"], 1.0)


@pytest.mark.parametrize(
    ("initialiser", "deviation"),
    [
        (he_normal, math.sqrt(2 / (9 * 64))),
        (torch_default, math.sqrt(1 / 3 / (9 * 64))),  # torch: uniform within 1 / sqrt(fan in)
        (VarianceScaling(gain=1.0, fan="out"), math.sqrt(1 / (9 * 32))),
        (Uniform(0.3), 0.3 / math.sqrt(3)),
    ],
)
def test_both_ways_of_drawing_have_the_distribution(initialiser, deviation):
    shape = (3, 3, 64, 32)
    for values in (initialiser(jax.random.key(0), shape), initialiser.draw(np.random.default_rng(0), shape)):
        values = np.asarray(values)
        count = values.size
        assert abs(values.mean()) < 5 * deviation / math.sqrt(count)
        assert abs(values.std() / deviation - 1) < 5 / math.sqrt(count)
    assert np.abs(torch_default.draw(np.random.default_rng(0), shape)).max() <= 1 / math.sqrt(9 * 64)


def test_constants():
    np.testing.assert_array_equal(Constant(2.0)(jax.random.key(0), (3,)), 2.0)
    np.testing.assert_array_equal(Constant(2.0).draw(np.random.default_rng(0), (3,)), 2.0)


def test_a_foreign_layer_is_named():
    class Foreign(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(3, name="dense")(x)

    with pytest.raises(ValueError, match=r"params/dense/(kernel|bias) does not come from a layer"):
        initialise(Foreign(), jax.random.key(0), IMAGE)
