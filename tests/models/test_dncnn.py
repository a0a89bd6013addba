"""DnCNN against its references' golden vectors, its published counts, and the invariants every network must keep."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.models.restoration import dncnn
from jaxrestore.nn.initialise import initialise
from jaxrestore.weights import from_reference, to_reference
from tests.parity.golden import Golden, goldens


def model_of(golden: Golden) -> dncnn.DnCNN:
    theirs = golden.constructor
    if "num_of_layers" in theirs:  # SaoYan's form
        return dncnn.DnCNN(depth=theirs["num_of_layers"], features=8, channels=theirs["channels"], use_bias=False, norm_epsilon=1e-5)
    return dncnn.DnCNN(depth=theirs["nb"], features=theirs["nc"], channels=theirs["in_nc"], norm="B" in theirs["act_mode"])


@pytest.mark.parametrize("golden", goldens("restoration/dncnn-*"), ids=str)
def test_equals_reference(golden: Golden):
    model = model_of(golden)
    clean = model.apply(from_reference(model, golden.state), golden.input)
    expected = golden.output if model.use_bias else golden.input - golden.output  # SaoYan's gives the noise
    np.testing.assert_allclose(clean, expected, atol=golden.tolerance, rtol=0)


@pytest.mark.parametrize("golden", goldens("restoration/dncnn-*"), ids=str)
def test_weights_go_back_to_the_reference(golden: Golden):
    model = model_of(golden)
    state = to_reference(model, from_reference(model, golden.state))
    for name, value in state.items():
        np.testing.assert_array_equal(value, golden.state[name])
    assert {k for k in golden.state if not k.endswith("num_batches_tracked")} == set(state)


def parameters(model) -> int:
    variables = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 16, 16, model.channels)))
    return sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


@pytest.mark.parametrize("card", dncnn.CARDS, ids=lambda card: card.name)
def test_has_the_published_number_of_parameters(card):
    assert parameters(card.create()) == card.parameters
    for name, form in card.forms.items():
        assert parameters(card.create(form=name)) == form.parameters


class Invariants(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True)
    def test_any_size_and_batch_independence(self):
        model = dncnn.DnCNN(features=8, depth=4, channels=3, unshuffle=2)
        images = jax.random.uniform(jax.random.key(1), (2, 7, 11, 3))
        variables = initialise(model, jax.random.key(0), images)
        together = self.variant(model.apply)(variables, images)
        chex.assert_shape(together, (2, 7, 11, 3))
        chex.assert_trees_all_close(together[1:], model.apply(variables, images[1:]), atol=1e-5)

    def test_one_pixel(self):
        model = dncnn.DnCNN(features=4, depth=3, unshuffle=2)
        image = jnp.full((1, 1, 1, 1), 0.5)
        chex.assert_shape(model.apply(initialise(model, jax.random.key(0), image), image), (1, 1, 1, 1))

    def test_every_parameter_learns(self):
        model = dncnn.DnCNN(features=4, depth=4)
        image = jax.random.uniform(jax.random.key(1), (2, 8, 9, 1))
        variables = initialise(model, jax.random.key(0), image)

        def loss(params):
            restored, _ = model.apply({**variables, "params": params}, image, train=True, mutable="batch_stats")
            return jnp.mean(jnp.square(restored - 0.5))

        gradient = jax.grad(loss)(variables["params"])
        chex.assert_tree_all_finite(gradient)
        # A bias before a normalisation has no effect, by construction; every other parameter must have some.
        dead = {f"conv_{i}" for i in range(1, model.depth - 1)}
        for layer, leaves in gradient.items():
            for name, leaf in leaves.items():
                assert jnp.any(jnp.abs(leaf) > 1e-7) or (name == "bias" and layer in dead), f"{layer}/{name}"

    def test_bfloat16_is_close(self):
        image = jax.random.uniform(jax.random.key(1), (1, 12, 12, 1))
        full = dncnn.DnCNN(features=8, depth=5)
        variables = initialise(full, jax.random.key(0), image)
        half = full.clone(dtype=jnp.bfloat16).apply(variables, image)
        assert half.dtype == jnp.float32
        chex.assert_trees_all_close(half, full.apply(variables, image), atol=0.05)
