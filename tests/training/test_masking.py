"""Training of networks that take a mask: what they see, what a discriminator with a mask sees, and that the mask is the recipe's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.degradations import recipes
from jaxrestore.degradations.erase import erase_mask
from jaxrestore.errors import InputError
from jaxrestore.models.generative.deepfill import DeepFill
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation
from jaxrestore.training.masking import Masking, parted, with_mask
from jaxrestore.training.objectives.run import Run, build_objective
from jaxrestore.training.optimizers import make_optimizer
from tests.compiled import compiled

RECIPE = recipes.parse("erase:count=2:fill=0.5")


def test_a_recipe_says_what_it_erased():
    image = np.random.default_rng(0).random((12, 10, 3), np.float32)
    both = np.asarray(Masking(RECIPE)(jax.random.key(4), image))
    np.testing.assert_array_equal(both[..., :3], RECIPE(jax.random.key(4), image))
    missing = both[..., 3:] > 0
    np.testing.assert_array_equal(missing, erase_mask(jax.random.fold_in(jax.random.key(4), 0), image, count=2))
    np.testing.assert_array_equal(both[..., :3][~missing[..., 0]], image[~missing[..., 0]])


def test_only_networks_that_take_a_mask_get_one():
    assert with_mask(DnCNN(), RECIPE) is RECIPE
    assert with_mask(DeepFill(), RECIPE) == Masking(RECIPE)
    assert with_mask(DeepFill(), None) is None
    shape = jax.ShapeDtypeStruct((2, 8, 8, 4), jnp.float32)
    assert parted(DnCNN(), shape) == (shape,)
    image, mask = parted(DeepFill(), shape)
    assert (image.shape, mask.shape, mask.dtype) == ((2, 8, 8, 3), (2, 8, 8, 1), bool)
    both = np.random.default_rng(0).random((1, 4, 4, 4), np.float32)
    both[..., 3] = both[..., 3] > 0.5
    image, mask = parted(DeepFill(), both)
    np.testing.assert_array_equal(image, both[..., :3])
    np.testing.assert_array_equal(mask, both[..., 3:] == 1)


def experiment(**changes) -> Experiment:
    arguments = {"discriminator": "deepfill_v2_discriminator", "fields": {"features": 2}, "game": "hinge", "weight": 1.0}
    settings = dict(
        model=Model("deepfill_v2", {"features": 4}),
        data=Data("dead_leaves", source="dead_leaves", patch=16, batch=2),
        degradation="erase:count=1:size=0.4..0.6",
        objective=Objective("adversarial", {**arguments, "discriminator_weight": 0.5}),
        supervision=0.5,
        optimizer=Optimizer(name="adam", rate=1e-3, ema=None),
        validation=Validation(path=None),
        run="unused",
    )
    return Experiment(**{**settings, **changes})


def objective(config: Experiment):
    from jaxrestore.models.catalogue import create_model

    model = create_model(config.model.name, **config.model.fields)
    return build_objective(Run(config, model, make_optimizer(config.optimizer, 10), recipes.parse(config.degradation)))


def test_a_step_of_two_networks_with_a_mask():
    game = objective(experiment())
    random = np.random.default_rng(1)
    batch = {"image": random.integers(0, 256, (2, 16, 16, 3), np.uint8), "index": np.arange(2, dtype=np.uint32)}
    state = game.init(jax.random.key(0), batch)
    degraded, clean = game.generator.inputs(state.key, batch)
    assert degraded.shape == (2, 16, 16, 4)
    seen = np.asarray(game._seen(jnp.zeros_like(clean), degraded))
    missing = np.asarray(degraded[..., 3]) > 0
    assert 0 < missing.mean() < 1
    np.testing.assert_array_equal(seen[missing][:, :3], 0)  # the generator's in the hole
    np.testing.assert_array_equal(seen[~missing][:, :3], clean[~missing])  # what is known around it
    new, metrics = compiled(game.step)(state, batch)
    assert all(np.isfinite(value) for value in metrics.values())
    u = lambda s: s.extra["discriminator"]["batch_stats"]["conv_0"]["u"]  # noqa: E731
    assert (u(new) != u(state)).any()
    moved = jax.tree.map(lambda a, b: bool((a != b).any()), new.params, state.params)
    assert moved["coarse_1"]["conv"]["kernel"]
    assert moved["merged_17"]["kernel"]


def test_a_discriminator_s_mask_must_come_from_somewhere():
    with pytest.raises(InputError, match="deepfill_v2_discriminator: it takes a mask, and the network does not"):
        objective(experiment(model=Model("edcnn", {}), supervision=0.0))
