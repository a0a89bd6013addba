"""Training of denoisers that are told the noise level."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.degradations import recipes
from jaxrestore.errors import InputError
from jaxrestore.models.catalogue import create_model
from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation
from jaxrestore.training.objectives.run import Run, build_objective
from jaxrestore.training.optimizers import make_optimizer
from tests.compiled import compiled


def objective(degradation="gaussian:sigma=0..75", model="ffdnet_gray", validation: Validation | None = None, **fields):
    config = Experiment(
        Model(model, fields or dict(depth=3, features=8)),
        Data("images", channels=1, patch=16, batch=4),
        "runs/test",
        degradation,
        validation=validation or Validation("images", "gaussian:sigma=25"),
        objective=Objective("noise_level"),
        optimizer=Optimizer(rate=1e-2, schedule="constant", ema=None),
    )
    network = create_model(model, **config.model.fields)
    return build_objective(Run(config, network, make_optimizer(config.optimizer, 100), recipes.parse(degradation)))


def batch(size=16, count=4):
    random = np.random.default_rng(0)
    image = np.broadcast_to(random.integers(60, 200, (count, 1, 1, 1), np.uint8), (count, size, size, 1))
    return {"image": image, "index": np.arange(count, dtype=np.uint32)}


def test_the_network_is_told_the_level_of_the_noise():
    told, clean = compiled(objective().inputs)(jax.random.key(1), batch(64, 6))
    noise, level = np.asarray(told[..., :1] - clean), np.asarray(told[..., 1:])
    levels = level[:, 0, 0, 0]
    assert (level == levels[:, None, None, None]).all()
    np.testing.assert_allclose(noise.std((1, 2, 3)), levels, rtol=0.06)
    assert 0 < levels.min() < 0.1 < 0.2 < levels.max() < 75 / 255
    alone, _ = compiled(objective().inputs)(jax.random.key(1), {name: value[4:5] for name, value in batch(64, 6).items()})
    np.testing.assert_allclose(alone[0], told[4], atol=1e-6)


def test_the_other_steps_of_the_recipe_follow():
    told, _ = compiled(objective("gaussian:sigma=300,clip").inputs)(jax.random.key(1), batch())
    assert (told[..., :1].min(), told[..., :1].max()) == (0, 1)
    np.testing.assert_allclose(told[..., 1], 300 / 255, rtol=1e-6)


def test_it_learns_and_restores_at_the_level_of_validation():
    ours = objective()
    state = ours.init(jax.random.key(0), batch())
    assert state.params["conv_0"]["kernel"].shape == (3, 3, 5, 8)
    step = compiled(ours.step)
    losses = []
    for i in range(20):
        state, metrics = step(state, {**batch(), "index": np.arange(4, dtype=np.uint32) + 4 * i})
        losses.append(float(metrics["loss"]))
    assert np.mean(losses[-3:]) < 0.6 * np.mean(losses[:3])
    variables = {"params": state.params}
    noisy = jnp.asarray(np.random.default_rng(1).random((1, 16, 16, 1), np.float32))
    expected = ours.model.apply(variables, noisy, jnp.full((1, 16, 16, 1), 25 / 255))
    np.testing.assert_allclose(compiled(ours.restore)(variables, noisy), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(degradation="clip"), "degradation = 'clip': for the objective noise_level it must begin with gaussian"),
        (dict(validation=Validation("images")), "validation.recipe must have one noise level"),
        (dict(validation=Validation("images", "poisson:peak=9")), "validation.recipe = 'poisson:peak=9'"),
        (dict(model="dncnn_gray", depth=3), "model.name = 'dncnn_gray': it takes no noise level"),
    ],
)
def test_settings_that_make_no_sense(arguments, message):
    with pytest.raises(InputError, match=message):
        objective(**arguments)


def test_nothing_is_validated_without_images():
    assert objective(validation=Validation()).told is None
