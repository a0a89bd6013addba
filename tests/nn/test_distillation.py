"""The distillation block against IDN's published network, of which the goldens hold the first block's output."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.nn.activation import activation
from jaxrestore.nn.conv_block import ConvUnit
from jaxrestore.nn.distillation import DistillationBlock, EnhancementUnit
from jaxrestore.nn.initialise import initialise
from tests.parity.golden import Golden, goldens


def unit(state: dict, name: str) -> dict:
    return {"conv": {"kernel": np.transpose(state[f"{name}.weight"], (2, 3, 1, 0)), "bias": state[f"{name}.bias"]}}


@pytest.mark.parametrize("golden", goldens("sr/idn-x2"), ids=str)
def test_equals_the_first_block_of_idn(golden: Golden):
    state = golden.state
    x = golden.input
    leaky = activation("leaky_relu", slope=0.05)
    for name in ("conv1", "conv2"):
        x = ConvUnit(16, leaky, norm=False, use_bias=True).apply({"params": unit(state, name)}, x)
    enhance = {f"unit_{i}": unit(state, f"conv3_{i + 1}") for i in range(6)}
    params = {"enhance": enhance, "compress": unit(state, "down1")}
    result = DistillationBlock(16).apply({"params": params}, x)
    np.testing.assert_allclose(np.moveaxis(result, -1, 1), golden.tensors["down1"], atol=golden.tolerance)


def test_published_block_has_the_parameters_of_hand_arithmetic():
    block = DistillationBlock(64)
    params = jax.eval_shape(block.init, jax.random.key(0), jnp.zeros((1, 4, 4, 64)))
    widths = ((64, 48), (12, 32), (32, 64), (48, 64), (16, 48), (48, 80))
    convolutions = sum(9 * a * b + out for (a, b), out in zip(widths, (48, 32, 64, 64, 48, 80), strict=True))
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == convolutions + 80 * 64 + 64


def test_the_short_way_is_the_input_and_the_kept_slice():
    image = jax.random.normal(jax.random.key(0), (1, 4, 4, 6))
    block = EnhancementUnit(16, 4)
    variables = initialise(block, jax.random.key(1), image)
    variables["params"]["unit_5"] = jax.tree.map(jnp.zeros_like, variables["params"]["unit_5"])
    result = block.apply(variables, image)
    chex.assert_shape(result, (1, 4, 4, 10))
    chex.assert_trees_all_equal(result[..., :6], image)
    assert jnp.any(result[..., 6:] != 0)


def test_features_that_cannot_be_divided_are_said():
    with pytest.raises(InputError, match="multiple of 16"):
        DistillationBlock(8).init(jax.random.key(0), jnp.zeros((1, 4, 4, 8)))
