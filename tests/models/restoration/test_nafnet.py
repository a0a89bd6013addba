"""NAFNet against its reference, its local means, and what every network must keep."""

import chex
import jax
import numpy as np
import pytest

from jaxrestore.models.restoration.nafnet import NAFBlock, NAFNet, gate
from jaxrestore.nn.initialise import initialise
from jaxrestore.weights.reference import variable_shapes
from tests.compiled import compiled
from tests.models.zoo import check_alone_as_together, check_equals_reference, check_every_parameter_learns, random_inputs
from tests.parity.golden import Golden, goldens

FIELDS = dict(features=4, encoder=(1,), middle=1, decoder=(1,))
SMALL = {"nafnet": NAFNet(**FIELDS, channels=1), "nafnet, local": NAFNet(**FIELDS, patch=4)}


@pytest.mark.parametrize("golden", goldens("restoration/nafnet*"), ids=str)
def test_equals_reference(golden: Golden):
    theirs = golden.constructor
    fields = dict(features=theirs["width"], encoder=tuple(theirs["enc_blk_nums"]), middle=theirs["middle_blk_num"])
    patch = theirs["train_size"][2] if "train_size" in theirs else None
    check_equals_reference(NAFNet(**fields, decoder=tuple(theirs["dec_blk_nums"]), patch=patch), golden)


@pytest.mark.parametrize("name", SMALL)
def test_any_size_batch_and_precision(name: str):
    images = random_inputs(SMALL[name])
    chex.assert_equal_shape([check_alone_as_together(SMALL[name], images, variables=lively(SMALL[name]), uncompiled=True), *images])


@pytest.mark.parametrize("name", SMALL)
def test_every_parameter_learns(name: str):
    check_every_parameter_learns(SMALL[name], random_inputs(SMALL[name], 1, 8, 12))


def lively(model: NAFNet):
    """Initial variables, but blocks that do something."""
    image = jax.ShapeDtypeStruct((1, 8, 8, model.channels), np.float32)
    return jax.tree.map(lambda x: x + 0.5 * (x.ndim == 4 and x.shape[0] == 1), initialise(model, jax.random.key(0), image))


def test_a_block_begins_as_the_identity():
    image = jax.random.normal(jax.random.key(0), (1, 5, 6, 4))
    block = NAFBlock()
    chex.assert_trees_all_equal(block.apply(initialise(block, jax.random.key(0), image), image), image)


def test_a_gate_multiplies_the_halves():
    np.testing.assert_array_equal(gate(np.float32([[[1, 2, 3, 4]]])), [[[3, 8]]])


def test_local_means_matter_beyond_a_patch_alone():
    """Up to the size of the windows, 1.5 patches, the means are the whole image's."""
    local, whole = NAFNet(**FIELDS, patch=16), NAFNet(**FIELDS)
    variables = lively(local)
    small, large = (np.random.default_rng(0).random((1, side, side, 3), np.float32) for side in (24, 48))
    large[:, :24] = 0.0  # so that means over windows differ from the whole image's
    chex.assert_trees_all_close(compiled(local.apply)(variables, small), compiled(whole.apply)(variables, small), atol=2e-6)
    difference = compiled(local.apply)(variables, large) - compiled(whole.apply)(variables, large)
    assert np.abs(difference).max() > 1e-4


@pytest.mark.parametrize(
    ("model", "message"),
    [(NAFNet(encoder=(1, 1), decoder=(1,)), "as many levels"), (NAFNet(patch=8), "patch is 8: it must be at least 16")],
)
def test_refuses_fields_that_do_not_fit(model: NAFNet, message: str):
    with pytest.raises(ValueError, match=message):
        variable_shapes(model)
