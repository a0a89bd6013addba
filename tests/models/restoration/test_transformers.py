"""Restormer and CvT against their references, and what every network must keep."""

from functools import partial

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.models.restoration.cvt import CvT
from jaxrestore.models.restoration.cvt_restorer import CvTRestorer
from jaxrestore.models.restoration.restormer import Restormer
from jaxrestore.nn.imagenet import DEVIATION, MEAN
from jaxrestore.nn.initialise import initialise
from jaxrestore.weights import from_reference
from jaxrestore.weights.reference import variable_shapes
from tests.compiled import compiled
from tests.models.zoo import check_alone_as_together, check_equals_reference, check_every_parameter_learns, random_inputs
from tests.parity.golden import Golden, goldens

SMALL: dict[str, nn.Module] = {
    "restormer": Restormer(4, (1, 1), 1, (1, 2), channels=1),
    "restormer, two views": Restormer(4, (1, 1), 1, (1, 2), use_bias=True, centred=True, channels=6, out_channels=3, dual_pixel=True),
    "cvt": CvT(5, (4, 8), (1, 1), (1, 2), (7, 3), (4, 2), (2, 1)),
    "cvt, no token": CvT(5, (4, 6), (0, 1), (1, 2), (7, 3), (4, 2), (2, 1), class_token=False, channels=1),
    "cvt restorer": CvTRestorer((4, 8), (1, 1), (1, 2), (1,), 4),
}
# Only the token is read in the end: the last queries of the pixels are for nothing.
UNUSED = {"cvt": ("stage_1/block_0/attention/query_conv", "stage_1/block_0/attention/query_norm")}
# The reference's float noise was not measured for CvT; this is 20 times that of Restormer's.
CVT_TOLERANCE = 4e-5


def restormer(theirs: dict) -> Restormer:
    return Restormer(
        theirs["dim"],
        tuple(theirs["num_blocks"]),
        theirs["num_refinement_blocks"],
        tuple(theirs["heads"]),
        theirs["ffn_expansion_factor"],
        theirs["bias"],
        theirs["LayerNorm_type"] == "WithBias",
        theirs["inp_channels"],
        theirs["out_channels"],
        theirs["dual_pixel_task"],
    )


@pytest.mark.parametrize("golden", goldens("restoration/restormer-*"), ids=str)
def test_restormer_equals_reference(golden: Golden):
    check_equals_reference(restormer(golden.constructor), golden)


@pytest.mark.parametrize("golden", goldens("restoration/cvt"), ids=str)
def test_cvt_equals_reference(golden: Golden):
    theirs = golden.constructor
    lists = {"features": "DIM_EMBED", "depths": "DEPTH", "heads": "NUM_HEADS", "patches": "PATCH_SIZE", "strides": "PATCH_STRIDE"}
    fields = {ours: tuple(theirs[name]) for ours, name in {**lists, "paddings": "PATCH_PADDING"}.items()}
    model = CvT(theirs["num_classes"], **fields, drop_path=theirs["DROP_PATH_RATE"][-1])
    # The reference takes an image that is standardised already.
    image = golden.input * np.float32(DEVIATION) + np.float32(MEAN)
    expected = golden.tensors["output"][None]
    check_equals_reference(model, golden, image, expected=expected, tolerance=CVT_TOLERANCE)
    variables = from_reference(model, golden.state)
    _, found = compiled(partial(model.apply, mutable="intermediates"))(variables, image)
    for i in range(3):
        ours = np.moveaxis(found["intermediates"][f"map_{i}"][0], -1, 1)
        np.testing.assert_allclose(ours, golden.tensors[f"features.stage{i}"], atol=CVT_TOLERANCE, rtol=0)
    np.testing.assert_allclose(found["intermediates"]["class_token"][0], golden.tensors["cls_token"], atol=CVT_TOLERANCE, rtol=0)


@pytest.mark.parametrize("name", SMALL)
def test_any_size_batch_and_precision(name: str):
    model = SMALL[name]
    result = check_alone_as_together(model, random_inputs(model))
    chex.assert_shape(result, (2, 5) if isinstance(model, CvT) else (2, 7, 9, 3 if model.channels == 6 else model.channels))


@pytest.mark.parametrize("name", SMALL)
def test_every_parameter_learns(name: str):
    model = SMALL[name]  # attention to a single key cannot matter: the last stage must have several
    check_every_parameter_learns(model, random_inputs(model, 2, 20, 20), UNUSED.get(name, ()))


def test_branches_are_left_out_in_training_alone():
    model = CvT(5, (4, 8), (1, 3), (1, 2), (7, 3), (4, 2), (2, 1), drop_path=0.6)
    images = np.random.default_rng(0).random((8, 16, 16, 3), np.float32)
    variables = initialise(model, jax.random.key(0), images)
    variables = jax.tree.map(lambda x: x + 0.1, variables)

    @partial(compiled, static_argnames="train")
    def apply(train: bool, key: jax.Array):
        return model.apply(variables, images, train=train, mutable="batch_stats", rngs={"dropout": key})[0]

    first, second = (apply(True, jax.random.key(seed)) for seed in (1, 2))
    assert jnp.any(first != second)
    chex.assert_trees_all_equal(apply(True, jax.random.key(1)), first)
    chex.assert_trees_all_equal(apply(False, jax.random.key(1)), apply(False, jax.random.key(2)))


def test_restorer_has_the_encoder_of_the_classifier():
    classifier = variable_shapes(CvT(features=(4, 8, 12), depths=(1, 1, 2), heads=(1, 2, 3), class_token=False))
    restorer = variable_shapes(CvTRestorer((4, 8, 12), (1, 1, 2), (1, 2, 3)))
    for collection in ("params", "batch_stats"):
        for i in range(3):
            chex.assert_trees_all_equal_shapes(classifier[collection][f"stage_{i}"], restorer[collection][f"stage_{i}"])


def test_restorer_begins_near_the_identity():
    model = SMALL["cvt restorer"]
    image = np.random.default_rng(0).random((1, 16, 21, 3), np.float32)
    difference = compiled(model.apply)(initialise(model, jax.random.key(0), image), image) - image
    assert 1e-4 < float(jnp.std(difference)) < 0.25


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Restormer(4, (1, 1), 1, (1,)), "heads is"),
        (Restormer(4, (1,), 1, (1,)), "at least 2 levels"),
        (Restormer(4, (1, 1), 1, (1, 3)), "must divide"),
        (Restormer(4, (1, 1), 1, (1, 1), out_channels=1), "out_channels is 1"),
        (CvT(depths=(1, 2)), "depths is"),
        (CvT(heads=(1, 3, 5)), "must divide"),
        (CvTRestorer(decoder_depths=(1,)), "decoder_depths is"),
        (CvTRestorer(heads=(1, 5, 6)), "must divide"),
    ],
)
def test_refuses_fields_that_do_not_fit(model: nn.Module, message: str):
    with pytest.raises(ValueError, match=message):
        variable_shapes(model)
