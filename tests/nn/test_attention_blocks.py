"""Blocks of attention, depthwise convolutions and transformers: against references' golden vectors, by hand, and by their properties."""

from functools import partial

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.nn.cbam import BAM, CBAM
from jaxrestore.nn.depthwise import DepthwiseSeparable, DepthwiseSeparableBlock
from jaxrestore.nn.drop_path import DropPath
from jaxrestore.nn.initialise import initialise
from jaxrestore.nn.positional_encoding import LearnedPositions, sinusoidal, sinusoidal_2d
from jaxrestore.nn.pre_norm import PreActivationBlock, PreNorm
from jaxrestore.nn.transformer import FeedForward, MultiHeadAttention, Transformer
from tests.compiled import compiled
from tests.models.zoo import check_alone_as_together, check_equals_reference, check_every_parameter_learns
from tests.parity.golden import Golden, goldens


class GoldenCBAM(CBAM):
    channels: int = 16


class GoldenBAM(BAM):
    channels: int = 32


class GoldenSeparable(DepthwiseSeparableBlock):
    channels: int = 8


NAMES: dict[type, dict[str, str]] = {
    GoldenCBAM: {
        "channel/squeeze": "ChannelGate.mlp.1",
        "channel/excite": "ChannelGate.mlp.3",
        "spatial/conv": "SpatialGate.spatial.conv",
        "spatial/norm": "SpatialGate.spatial.bn",
    },
    GoldenBAM: {
        "channel_squeeze": "channel_att.gate_c.gate_c_fc_0",
        "channel_norm": "channel_att.gate_c.gate_c_bn_1",
        "channel_excite": "channel_att.gate_c.gate_c_fc_final",
        "spatial_squeeze": "spatial_att.gate_s.gate_s_conv_reduce0",
        "spatial_norm": "spatial_att.gate_s.gate_s_bn_reduce0",
        "spatial_conv_0": "spatial_att.gate_s.gate_s_conv_di_0",
        "spatial_norm_0": "spatial_att.gate_s.gate_s_bn_di_0",
        "spatial_conv_1": "spatial_att.gate_s.gate_s_conv_di_1",
        "spatial_norm_1": "spatial_att.gate_s.gate_s_bn_di_1",
        "spatial_excite": "spatial_att.gate_s.gate_s_conv_final",
    },
    GoldenSeparable: {
        f"conv_{i}/{ours}": f"body.{4 * i + place}" for i in range(2) for place, ours in enumerate(("depthwise", "pointwise"))
    }
    | {f"norm_{i}": f"body.{4 * i + 2}" for i in range(2)},
}


def reference_names(model: nn.Module) -> dict[str, str]:
    """What `from_reference` asks the file of a module for."""
    return NAMES[type(model)]


BLOCKS = {
    "block-cbam": lambda c: GoldenCBAM(c["reduction_ratio"]),
    "block-bam": lambda c: GoldenBAM(mean_over_square=True),  # the golden is not square
    "block-depthwise-separable": lambda c: GoldenSeparable(c["n_feats"], c["kernel_size"]),
}


@pytest.mark.parametrize("golden", goldens("restoration/block-[cbd]*"), ids=str)
def test_equals_reference(golden: Golden):
    if str(golden) == "block-[cbd]*":  # the goldens are absent: the parameter is a skipped one
        return
    check_equals_reference(BLOCKS[str(golden)](golden.constructor), golden)


def test_means_of_bam_are_over_the_whole_image():
    model, square = BAM(2), BAM(2, mean_over_square=True)
    wide = jax.random.uniform(jax.random.key(0), (1, 4, 6, 32))
    variables = initialise(model, jax.random.key(1), wide)
    chex.assert_trees_all_equal(model.apply(variables, wide[:, :, :4]), square.apply(variables, wide[:, :, :4]))
    assert jnp.any(model.apply(variables, wide) != square.apply(variables, wide))


def test_published_number_of_parameters_of_cbam():
    shapes = jax.eval_shape(CBAM(16).init, jax.random.key(0), jax.ShapeDtypeStruct((1, 8, 8, 64), np.float32))
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes["params"])) == 680


SMALL = {
    "cbam": CBAM(4),
    "bam": BAM(4, dilation=2),
    "separable": DepthwiseSeparableBlock(8, 3),
    "pre-activation": PreActivationBlock(6),
    "pre-norm": PreNorm(FeedForward(5), layer_scale=0.5),
}


@pytest.mark.parametrize("name", SMALL)
def test_alone_as_together_and_every_parameter_learns(name: str):
    images = jax.random.uniform(jax.random.key(0), (2, 6, 7, 8))
    check_alone_as_together(SMALL[name], (images,))
    check_every_parameter_learns(SMALL[name], (images,))


def test_separable_convolution_is_a_convolution():
    image = np.random.default_rng(0).random((1, 5, 6, 3), np.float32)
    block = DepthwiseSeparable(4, 3, use_bias=False)
    variables = initialise(block, jax.random.key(0), image)
    depthwise, pointwise = (np.asarray(variables["params"][name]["kernel"], np.float64) for name in ("depthwise", "pointwise"))
    kernel = np.einsum("hwic,ico->hwco", depthwise, np.einsum("abio->iao", pointwise)[:, :, None].reshape(1, 3, 4))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0))), (3, 3), axis=(1, 2))
    np.testing.assert_allclose(block.apply(variables, image), np.einsum("nyxchw,hwco->nyxo", windows, kernel), atol=1e-5)


def test_attention_by_hand():
    """Two heads of one channel each: softmax of products, weighted sum, projection."""
    attention = MultiHeadAttention(2)
    x = jnp.asarray([[[1.0, 2.0], [3.0, -1.0], [0.5, 0.0]]])
    identity = np.eye(2, dtype=np.float32)
    variables = {"params": {"kernel": np.concatenate([identity] * 3, 1), "out_proj": {"kernel": identity}}}
    expected = np.empty((3, 2))
    for head in range(2):
        values = np.asarray(x[0, :, head], np.float64)
        weights = np.exp(np.outer(values, values))
        expected[:, head] = weights @ values / weights.sum(1)
    np.testing.assert_allclose(attention.apply(variables, x, x, x)[0], expected, rtol=1e-5)


def test_attention_does_not_know_the_order_of_its_keys():
    random = np.random.default_rng(0)
    query, memory = (jnp.asarray(random.standard_normal((1, n, 4), np.float32)) for n in (3, 5))
    attention = MultiHeadAttention(2)
    variables = initialise(attention, jax.random.key(0), query, memory, memory)
    shuffled = memory[:, jnp.asarray([3, 0, 4, 1, 2])]
    chex.assert_trees_all_close(
        attention.apply(variables, query, memory, memory), attention.apply(variables, query, shuffled, shuffled), atol=1e-6
    )


def transformer(**fields) -> tuple[Transformer, jax.Array, jax.Array, dict]:
    model = Transformer(2, 8, 1, 1, **fields)
    source, target = (jax.random.normal(jax.random.key(seed), (2, n, 4)) for seed, n in ((1, 3), (2, 5)))
    return model, source, target, initialise(model, jax.random.key(0), source, target)


def test_a_causal_decoder_sees_no_later_place():
    model, source, target, variables = transformer(causal=True)
    apply = compiled(model.apply)
    result = apply(variables, source, target)
    chex.assert_shape(result, (2, 5, 4))
    for place in range(5):
        changed = apply(variables, source, target.at[:, place, 0].add(1.0)) != result
        assert not changed[:, :place].any()
        assert changed[:, place:].any((0, 2)).all()
    assert (apply(variables, source.at[:, 0, 0].add(1.0), target) != result).any((0, 2)).all()  # every place attends to the source


@pytest.mark.parametrize("positions", ["sinusoidal", "learned", "none"])
def test_positions_tell_places_apart(positions: str):
    model, source, target, variables = transformer(positions=positions, longest=6)
    apply = compiled(model.apply)
    backwards = apply(variables, source, target[:, ::-1])[:, ::-1]
    same = np.allclose(backwards, apply(variables, source, target), atol=1e-5)
    assert same == (positions == "none")


def test_a_transformer_learns():
    model, source, target, _ = transformer(positions="learned", longest=5)
    check_every_parameter_learns(model, (source, target))


def test_sinusoidal_by_hand():
    encoding = sinusoidal(3, 4)
    expected = [[np.sin(p), np.cos(p), np.sin(p / 100), np.cos(p / 100)] for p in range(3)]
    np.testing.assert_allclose(encoding, expected, atol=1e-6)


def test_a_shift_of_sinusoidal_positions_is_a_rotation():
    encoding = sinusoidal(40, 8)
    rotation = np.linalg.lstsq(encoding[:-5], encoding[5:], rcond=None)[0]
    np.testing.assert_allclose(encoding[:-5] @ rotation, encoding[5:], atol=1e-3)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(8), atol=0.05)


def test_sinusoidal_positions_of_a_map():
    encoding = sinusoidal_2d(3, 5, 8)
    np.testing.assert_array_equal(encoding[:, 2, :4], sinusoidal(3, 4))
    np.testing.assert_array_equal(encoding[1, :, 4:], sinusoidal(5, 4))


def test_learned_positions_of_another_size():
    model = LearnedPositions((4, 6), resize=True)
    zeros = jnp.zeros((1, 4, 6, 2))
    variables = initialise(model, jax.random.key(0), zeros)
    chex.assert_trees_all_equal(model.apply(variables, zeros), variables["params"]["positions"])
    larger = model.apply(variables, jnp.zeros((1, 8, 12, 2)))
    chex.assert_trees_all_close(larger.mean(), variables["params"]["positions"].mean(), atol=5e-3)


def test_a_path_is_dropped_for_whole_images_and_kept_in_the_mean():
    branch = jnp.ones((1000, 2, 3))
    drop = DropPath(0.25)
    dropped = drop.apply({}, branch, train=True, rngs={"dropout": jax.random.key(0)})
    chex.assert_trees_all_close(dropped, jnp.broadcast_to(dropped[:, :1, :1], dropped.shape))
    assert set(np.unique(dropped).round(4)) == {0.0, np.float32(4 / 3).round(4)}
    assert abs(float(dropped.mean()) - 1.0) < 0.05
    chex.assert_trees_all_equal(drop.apply({}, branch), branch)
    chex.assert_trees_all_equal(drop.apply({}, branch, train=True), branch)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (partial(MultiHeadAttention(3).init, jax.random.key(0), *[jnp.zeros((1, 2, 4))] * 3), "must divide"),
        (partial(CBAM(16).init, jax.random.key(0), jnp.zeros((1, 2, 2, 4))), "reduction is 16"),
        (partial(BAM(0).init, jax.random.key(0), jnp.zeros((1, 2, 2, 4))), "reduction is 0"),
        (partial(DropPath(1.0).apply, {}, jnp.zeros((1, 2))), "less than 1"),
        (partial(sinusoidal, 4, 3), "even number"),
        (partial(sinusoidal, -1, 4), "negative"),
        (partial(sinusoidal_2d, 4, 4, 6), "multiple of 4"),
        (partial(LearnedPositions((4,)).init, jax.random.key(0), jnp.zeros((1, 5, 2))), "vectors for"),
        (partial(LearnedPositions((4, 4)).init, jax.random.key(0), jnp.zeros((1, 5, 2))), "sides"),
        (partial(Transformer(2, 4, positions="fourier").init, jax.random.key(0), *[jnp.zeros((1, 2, 4))] * 2), "'sinusoidal'"),
    ],
)
def test_refuses_what_makes_no_sense(call, message: str):
    with pytest.raises(ValueError, match=message):
        call()
