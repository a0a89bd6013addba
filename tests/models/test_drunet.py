"""DRUNet against its reference's golden vector, and the invariants every network must keep."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.models.restoration import drunet
from jaxrestore.nn.initialise import initialise
from jaxrestore.weights import from_reference, to_reference
from tests.parity.golden import Golden, goldens

LIGHT = dict(features=(4, 6, 8), blocks=1, blind=True, residual=True, unshuffle=2)


@pytest.mark.parametrize("golden", goldens("restoration/drunet-colour"), ids=str)
def test_equals_reference(golden: Golden):
    theirs = golden.constructor
    model = drunet.DRUNet(features=tuple(theirs["nc"]), blocks=theirs["nb"])
    variables = from_reference(model, golden.state)
    # The reference takes the map of the noise level as the last channel of its input.
    clean = model.apply(variables, golden.input[..., :3], golden.input[..., 3:])
    np.testing.assert_allclose(clean, golden.output, atol=golden.tolerance, rtol=0)
    for name, value in to_reference(model, variables).items():
        np.testing.assert_array_equal(value, golden.state[name])


def parameters(model) -> int:
    image = jax.ShapeDtypeStruct((1, 16, 16, model.channels), np.float32)
    return sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(model.init, jax.random.key(0), image)))


@pytest.mark.parametrize("card", drunet.CARDS, ids=lambda card: card.name)
def test_cards_say_the_number_of_parameters(card):
    assert parameters(card.create()) == card.parameters
    assert card.create().multiple == card.multiple


def test_without_biases_it_scales_with_its_input():
    model = drunet.DRUNet(**LIGHT)
    image = jax.random.uniform(jax.random.key(1), (1, 16, 16, 3))
    variables = initialise(model, jax.random.key(0), image)
    chex.assert_trees_all_close(model.apply(variables, 3.0 * image), 3.0 * model.apply(variables, image), rtol=1e-4, atol=1e-5)


def test_needs_its_noise_level():
    with pytest.raises(ValueError, match="noise_level is missing"):
        drunet.DRUNet(features=(4, 8), blocks=1).apply({}, jnp.zeros((1, 8, 8, 3)))


class Invariants(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True)
    def test_any_size_and_batch_independence(self):
        model = drunet.DRUNet(**LIGHT)
        images = jax.random.uniform(jax.random.key(1), (2, 9, 13, 3))
        variables = initialise(model, jax.random.key(0), images)
        together = self.variant(model.apply)(variables, images)
        chex.assert_equal_shape([together, images])
        chex.assert_trees_all_close(together[1:], model.apply(variables, images[1:]), atol=1e-5)

    def test_every_parameter_learns(self):
        model = drunet.DRUNet(**LIGHT)
        image = jax.random.uniform(jax.random.key(1), (1, 16, 16, 3))
        variables = initialise(model, jax.random.key(0), image)
        gradient = jax.grad(lambda v: jnp.mean(jnp.square(model.apply(v, image))))(variables)
        chex.assert_tree_all_finite(gradient)
        assert all(jnp.any(leaf != 0) for leaf in jax.tree.leaves(gradient))
