"""Shapes found by tracing each distinct block once are those of the whole network's initialisation."""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.models.restoration.edcnn import EDCNN
from jaxrestore.models.super_resolution.drcn import DRCN
from jaxrestore.models.super_resolution.srresnet import SRResNet
from jaxrestore.models.super_resolution.swinir import SwinIR
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import Constant, initialise
from jaxrestore.nn.shapes import variable_shapes

IMAGE = jax.ShapeDtypeStruct((1, 12, 8, 3), jnp.float32)
KEY = jax.random.key(0)


@pytest.mark.parametrize(
    "model",
    [
        SRResNet(features=4, depth=3),
        SwinIR(features=8, depths=(2, 2), heads=(2, 2), window=4, tail_features=4),
        DRCN(recursions=3, features=4, channels=3),
        EDCNN(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_are_those_of_the_whole_network(model):
    chex.assert_trees_all_equal_shapes_and_dtypes(variable_shapes(model, KEY, IMAGE), jax.eval_shape(model.init, KEY, IMAGE))


class Block(nn.Module):
    """Counts how often it is traced, and keeps what depends on its fields and on what goes in."""

    features: int
    start: float = 1.0

    @nn.compact
    def __call__(self, x, scale: int = 1):
        traced.append(self.path)
        self.variable("batch_stats", "mean", jnp.zeros, (x.shape[-1],))
        return scale * Conv(self.features, bias_init=Constant(self.start), name="conv")(x)


traced: list = []


class Stack(nn.Module):
    @nn.compact
    def __call__(self, x):
        for i, block in enumerate([Block(3), Block(3), Block(3, 2.0), Block(4), Block(3), Block(3), Block(3)]):
            x = block.clone(name=f"block_{i}", parent=self)(x, scale=1 + (i == 6))
        return x


def test_each_distinct_block_is_traced_once_and_keeps_its_own_initial_values():
    traced.clear()
    variables = initialise(Stack(), KEY, IMAGE)
    # The second, and the sixth, are the first again; the fifth has four channels going in, and the last is called otherwise.
    assert [path[0] for path in traced] == ["block_0", "block_2", "block_3", "block_4", "block_6"]
    chex.assert_trees_all_equal_shapes_and_dtypes(variables, jax.eval_shape(Stack().init, KEY, IMAGE))
    assert [float(variables["params"][f"block_{i}"]["conv"]["bias"][0]) for i in range(4)] == [1.0, 1.0, 2.0, 1.0]
    kernels = [variables["params"][f"block_{i}"]["conv"]["kernel"] for i in (0, 1)]
    assert not np.array_equal(*kernels)
