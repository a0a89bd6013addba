"""Rematerialised networks: the same numbers, gradients, statistics and sown images, from less memory."""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.models.super_resolution.edsr import EDSR
from jaxrestore.models.super_resolution.rcan import RCAN
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import initialise
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.nn.remat import rematerialised
from tests.compiled import compiled

IMAGE = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)


class Inner(nn.Module):
    """A convolution and a normalisation, whose result is sown, with dropout; `size` and `train` must not become arrays."""

    @nn.compact
    def __call__(self, x, size, train=False):
        x = BatchNorm(name="norm")(Conv(size[0], name="conv")(x), train)
        self.sow("intermediates", "image", x)
        return nn.Dropout(0.5, deterministic=not train, name="dropout")(nn.relu(x))


class Outer(nn.Module):
    """Two inner blocks."""

    @nn.compact
    def __call__(self, x, train=False):
        for i in range(2):
            x = x + Inner(name=f"inner_{i}")(x, (3,), train)
        return x


class Net(nn.Module):
    """Two blocks of blocks and a layer."""

    @nn.compact
    def __call__(self, x, train=False):
        for i in range(2):
            x = Outer(name=f"outer_{i}")(x, train=train)
        return Conv(3, name="tail")(x)


def gradients(model, variables, levels, train=True):
    names = []

    def loss(params):
        words = {"train": True, "rngs": {"dropout": jax.random.key(3)}, "mutable": ["batch_stats", "intermediates"]} if train else {}
        with rematerialised(levels) as found:
            output = model.apply({**variables, "params": params}, IMAGE, **words)
        result, kept = output if train else (output, {})
        names.extend(found)
        return jnp.mean(jnp.square(result)), (result, kept)

    gradient, (result, kept) = compiled(jax.grad(loss, has_aux=True))(variables["params"])
    return gradient, result, kept, names


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_everything_but_the_memory_stays_the_same(levels):
    variables = initialise(Net(), jax.random.key(0), IMAGE)
    *expected, nothing = gradients(Net(), variables, 0)
    *ours, found = gradients(Net(), variables, levels)
    chex.assert_trees_all_close(ours, expected, atol=1e-6)
    assert nothing == []
    outer, inner = {f"outer_{i}" for i in range(2)}, {f"outer_{i}/inner_{j}" for i in range(2) for j in range(2)}
    assert {*found} == (outer if levels == 1 else outer | inner)


def test_networks_find_their_blocks_and_keep_their_gradients():
    for model, blocks in ((EDSR(features=4, depth=2, scale=2), 2), (RCAN(features=4, groups=2, depth=2, scale=2, reduction=2), 2)):
        variables = initialise(model, jax.random.key(0), IMAGE)
        expected, *_ = gradients(model, variables, 0, train=False)
        ours, _, _, found = gradients(model, variables, 1, train=False)
        chex.assert_trees_all_close(ours, expected, atol=1e-6)
        assert len([path for path in found if "block" in path or "group" in path]) == blocks


def test_initialisation_is_left_alone():
    with rematerialised() as found:
        variables = initialise(Net(), jax.random.key(0), IMAGE)
    chex.assert_trees_all_equal(variables, initialise(Net(), jax.random.key(0), IMAGE))
    assert found == []


def test_a_deep_network_keeps_less_than_half():
    model = EDSR(features=8, depth=24, scale=2)
    image = jax.ShapeDtypeStruct((2, 32, 32, 3), jnp.float32)
    params = jax.eval_shape(lambda: model.init(jax.random.key(0), jnp.zeros((1, 8, 8, 3))))["params"]

    def kept(levels):
        """Bytes that the forward pass leaves for the backward pass."""

        def pull_back(params, image):
            with rematerialised(levels):
                return jax.vjp(lambda p: model.apply({"params": p}, image), params)[1]

        return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(jax.eval_shape(pull_back, params, image)))

    assert kept(1) < 0.5 * kept(0)


def test_levels_are_not_negative():
    with pytest.raises(InputError, match="levels is -1: it must be at least 0"), rematerialised(-1):
        pass
