"""The U shape: which level sees what, and how far."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.nn.conv_block import ConvBlock
from jaxrestore.nn.encoder_decoder import EncoderDecoder
from jaxrestore.nn.initialise import initialise


def network(**fields) -> EncoderDecoder:
    return EncoderDecoder(partial(ConvBlock, depth=1), **{"features": 4, "levels": 2, **fields})


def shapes(model: EncoderDecoder, size: int = 8) -> dict:
    return jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, size, size, 3)))["params"]


def test_channels_double_and_skips_are_concatenated():
    tree = shapes(network())
    into_out = {name: tree[name]["unit_0"]["conv"]["kernel"].shape[2:] for name in tree if "coder" in name}
    assert into_out == {"encoder_0": (3, 4), "encoder_1": (4, 8), "encoder_2": (8, 16), "decoder_1": (16, 8), "decoder_0": (8, 4)}
    tree = shapes(network(skips=False))
    assert tree["decoder_1"]["unit_0"]["conv"]["kernel"].shape[2:] == (8, 8)
    assert tree["upsample_1"]["conv"]["kernel"].shape == (1, 1, 16, 8)


def test_each_unpooling_uses_the_places_of_its_own_level():
    """Where a level's features have their maxima, there and only there its upsampled values lie."""
    model = network(skips=False, upsampling="unpooling", activation=lambda x: x, levels=1)
    image = jax.random.normal(jax.random.key(0), (1, 4, 4, 3))
    variables = initialise(model, jax.random.key(1), image)
    _, state = jax.jit(lambda v, x: model.apply(v, x, capture_intermediates=True, mutable="intermediates"))(variables, image)
    seen = state["intermediates"]
    features, upsampled = seen["encoder_0"]["__call__"][0], seen["upsample_0"]["__call__"][0]
    squares = np.asarray(features).reshape(1, 2, 2, 2, 2, 4)
    filled = np.asarray(upsampled).reshape(squares.shape) != 0
    np.testing.assert_array_equal(filled, squares == squares.max((2, 4), keepdims=True))


def test_sizes_that_do_not_divide_are_said():
    with pytest.raises(InputError, match="multiples of 4"):
        shapes(network(), size=6)
