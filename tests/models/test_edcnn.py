"""EDCNN against the counts of its specification, its invariants, and what its skips and upsamplings let through."""

import chex
import flax.traverse_util
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.models.catalogue import list_models
from jaxrestore.models.restoration import edcnn
from jaxrestore.nn.initialise import initialise


def shapes(model: edcnn.EDCNN) -> dict:
    image = jax.ShapeDtypeStruct((1, 16, 16, model.channels), jnp.float32)
    return jax.eval_shape(model.init, jax.random.key(0), image)["params"]


def count(tree) -> int:
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def small(**fields) -> edcnn.EDCNN:
    return edcnn.EDCNN(**{"features": 4, "levels": 1, **fields})


def with_variables(model: edcnn.EDCNN) -> dict:
    """Initial parameters, and statistics that are not the initial ones, as after some training."""
    variables = initialise(model, jax.random.key(0), jax.ShapeDtypeStruct((1, 16, 16, 3), jnp.float32))
    generator = np.random.default_rng(0)
    stats = jax.tree.map(lambda leaf: jnp.asarray(generator.uniform(0.2, 0.6, leaf.shape), leaf.dtype), variables["batch_stats"])
    return {**variables, "batch_stats": stats}


@pytest.mark.parametrize("card", edcnn.CARDS, ids=lambda card: card.name)
def test_has_the_published_number_of_parameters(card):
    assert count(shapes(card.create())) == card.parameters


def test_every_card_is_in_the_catalogue():
    assert [card.name for card in edcnn.CARDS] == [name for name in list_models() if name.startswith("edcnn")]


def test_each_block_has_the_parameters_of_the_specification():
    tree = shapes(edcnn.EDCNN())
    body = tree["body"]
    assert count(tree["first"]) == 192
    assert count(body["encoder_0"]) == 73_984
    assert sum(count(body[f"encoder_{i}"]) for i in range(1, 5)) == 18_808_320
    decoder = [k for k in body if k.startswith(("decoder", "upsample"))]
    assert sum(count(body[k]) for k in decoder) == 10_102_400
    assert count(tree["last"]) == 192
    assert count(shapes(edcnn.EDCNN(upsampling="nearest"))) == count(shapes(edcnn.EDCNN(upsampling="bicubic"))) == 28_985_088
    assert not [path for path in flax.traverse_util.flatten_dict(tree) if path[-1] == "bias" and "norm" not in path[-2]]


def test_enhancement_units_have_the_count_of_hand_arithmetic():
    def block(inside: int, out: int) -> int:
        quarter, most, half, norms = out // 4, out * 3 // 4, out // 2, 0
        sizes = ((inside, most), (most / 4, half), (half, out), (most, out), (out / 4, most), (most, inside + quarter))
        norms = 2 * (most + half + out + out + most + inside + quarter + out)
        return int(sum(9 * a * b for a, b in sizes)) + (inside + quarter) * out + norms

    tree = shapes(edcnn.EDCNN(block="enhancement"))
    assert count(tree["body"]["encoder_0"]) == block(64, 64)
    assert count(tree["body"]["encoder_2"]) == block(128, 256)
    assert count(tree["body"]["decoder_1"]) == block(256, 128)


class Invariants(chex.TestCase):
    @chex.variants(with_jit=True)
    def test_any_size_batch_independence_and_jit(self):
        model = small()
        variables = with_variables(model)
        images = jax.random.uniform(jax.random.key(2), (2, 7, 11, 3))
        together = self.variant(model.apply)(variables, images)
        chex.assert_shape(together, (2, 7, 11, 3))
        assert float(together.min()) >= 0.0
        assert float(together.max()) <= 1.0
        chex.assert_trees_all_close(together[1:], model.apply(variables, images[1:]), atol=1e-5)  # without jit

    def test_one_pixel_through_four_levels(self):
        model = small(levels=4)
        image = jnp.full((1, 1, 1, 3), 0.5)
        restored = jax.jit(model.apply)(initialise(model, jax.random.key(0), image), image)
        chex.assert_shape(restored, (1, 1, 1, 3))
        chex.assert_tree_all_finite(restored)

    def test_enlarges_first_for_super_resolution(self):
        model = small(scale=4)
        variables = with_variables(model)
        image = jax.random.uniform(jax.random.key(2), (1, 3, 5, 3))
        enlarged = jax.image.resize(image, (1, 12, 20, 3), "bilinear")
        restored = model.apply(variables, image)
        chex.assert_shape(restored, (1, 12, 20, 3))
        chex.assert_trees_all_close(restored, model.clone(scale=1).apply(variables, enlarged), atol=1e-5)

    def test_segmentation_gives_logits(self):
        model = small(classes=5)
        variables = with_variables(model)
        variables["params"]["last"]["kernel"] = 100.0 * variables["params"]["last"]["kernel"]
        logits = model.apply(variables, jnp.linspace(0, 1, 7 * 6 * 3).reshape(1, 7, 6, 3))
        chex.assert_shape(logits, (1, 7, 6, 5))
        assert float(jnp.abs(logits).max()) > 2.0

    def test_bfloat16_is_close(self):
        model = small()
        variables = with_variables(model)
        image = jax.random.uniform(jax.random.key(2), (1, 12, 12, 3))
        half = jax.jit(model.clone(dtype=jnp.bfloat16).apply)(variables, image)
        chex.assert_type(half, jnp.float32)
        chex.assert_trees_all_close(half, model.apply(variables, image), atol=0.06)


@pytest.mark.parametrize(
    "fields",
    [
        {"upsampling": "bilinear"},
        {"upsampling": "reshape", "classes": 3},
        {"upsampling": "unpooling", "skips": False, "activation": "leaky_relu"},
        {"block": "enhancement", "features": 16, "levels": 0},
    ],
    ids=lambda fields: "-".join(map(str, fields.values())),
)
def test_every_parameter_learns(fields):
    model = small(**fields)
    image = jax.random.uniform(jax.random.key(1), (2, 6, 6, 3))
    variables = initialise(model, jax.random.key(0), image)

    @jax.jit
    @jax.grad
    def gradient(params):
        restored, _ = model.apply({**variables, "params": params}, image, train=True, mutable="batch_stats")
        weights = jnp.arange(restored.size).reshape(restored.shape) % 7 - 3.0
        return jnp.mean(weights * restored)

    leaves = flax.traverse_util.flatten_dict(gradient(variables["params"]), sep="/")
    chex.assert_tree_all_finite(leaves)
    dead = [name for name, leaf in leaves.items() if not jnp.any(jnp.abs(leaf) > 1e-8)]
    assert not dead


@pytest.mark.parametrize(
    ("skips", "upsampling", "sees"), [(True, "bilinear", True), (False, "bilinear", False), (False, "unpooling", True)]
)
def test_only_skips_and_places_pass_by_the_deepest_level(skips, upsampling, sees):
    model = small(skips=skips, upsampling=upsampling)
    variables = with_variables(model)
    last = variables["params"]["body"]["encoder_1"]["unit_1"]["norm"]
    last["scale"] = jnp.zeros_like(last["scale"])  # the deepest features no longer depend on the image
    last["bias"] = jnp.ones_like(last["bias"])
    first, second = (model.apply(variables, jax.random.uniform(jax.random.key(k), (1, 8, 8, 3))) for k in (3, 4))
    assert bool(jnp.any(jnp.abs(first - second) > 1e-4)) == sees
    if not sees:
        np.testing.assert_array_equal(first, second)


def test_upsamplings_and_activations_differ():
    variables = with_variables(small())
    image = jax.random.uniform(jax.random.key(2), (1, 8, 8, 3))
    results = [small(upsampling=name).apply(variables, image) for name in ("bilinear", "nearest", "bicubic", "unpooling")]
    results += [small(activation=name).apply(variables, image) for name in ("relu", "leaky_relu")]
    for i, one in enumerate(results):
        assert all(float(jnp.abs(one - other).max()) > 1e-5 for other in results[:i])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"upsampling": "magic"}, "upsampling is 'magic'"),
        ({"activation": "step"}, "activation is 'step'"),
        ({"block": "dense"}, "block is 'dense'"),
        ({"block": "enhancement"}, "multiple of 16"),
        ({"features": 3, "levels": 0, "upsampling": "reshape"}, None),
        ({"features": 1, "levels": 1, "upsampling": "reshape"}, "multiple of 4"),
    ],
)
def test_bad_fields_are_said(fields, message):
    model = small(**fields)
    if message is None:
        shapes(model)
    else:
        with pytest.raises(InputError, match=message):
            shapes(model)
