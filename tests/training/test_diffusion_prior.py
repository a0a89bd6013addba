"""DiffIR's two stages: who moves in which, that both start from the same restorer, and many devices."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxrestore.errors import InputError
from jaxrestore.losses.pixel import l1
from jaxrestore.models.super_resolution.diffir import DiffIR, posterior_mean, signal_left
from jaxrestore.training.config import Data, Experiment, Model, Objective
from jaxrestore.training.objectives.diffusion_prior import DiffusionPrior, stage_1
from jaxrestore.training.objectives.networks import Partner
from jaxrestore.training.objectives.run import Run, build_objective
from jaxrestore.training.objectives.supervised import Supervised
from tests.compiled import compiled

MODEL = DiffIR(4, 4, (1, 1), 1, (1, 2), 1.0, prior_features=4, prior_depth=1, steps=2)


def smaller(key, image):
    return image[::4, ::4]


def objective(first_stage=2) -> DiffusionPrior:
    return DiffusionPrior(Supervised(MODEL, l1, optax.adam(1e-2), smaller), Partner(stage_1(MODEL), optax.adam(1e-2)), first_stage)


def batch_of(step, size=2):
    images = np.random.default_rng(step).integers(0, 256, (size, 16, 16, 3), dtype=np.uint8)
    return {"image": images, "index": np.arange(step * size, (step + 1) * size, dtype=np.uint32)}


def moved(new, old):
    """Which parts of the networks differ."""
    parts = {name: (new.params[name], old.params[name]) for name in new.params}
    parts["extractor"] = new.extra["extractor"]["params"], old.extra["extractor"]["params"]
    return {
        name for name, (a, b) in parts.items() if any(not np.array_equal(x, y) for x, y in zip(*map(jax.tree.leaves, (a, b)), strict=True))
    }


@pytest.fixture(scope="module")
def steps():
    """Four steps, two of each stage."""
    ours, states, metrics = objective(), [], []
    step = compiled(ours.step)
    states.append(ours.init(jax.random.key(0), batch_of(0)))
    for i in range(4):
        state, values = step(states[-1], batch_of(i))
        states.append(state)
        metrics.append(values)
    return states, metrics


def test_each_stage_moves_its_own(steps):
    states, metrics = steps
    for i in (0, 1):
        assert moved(states[i + 1], states[i]) == {"extractor", "restorer"}
        assert float(metrics[i]["guess"]) == 0.0
    for i in (2, 3):
        assert moved(states[i + 1], states[i]) == {"condition", "denoiser", "restorer"}
        assert float(metrics[i]["guess"]) > 0.0
        np.testing.assert_allclose(metrics[i]["loss"], metrics[i]["content"] + metrics[i]["guess"], rtol=1e-6)


def test_the_guess_starts_from_the_noised_prior(steps):
    states, metrics = steps
    ours, state, batch = objective(), states[2], batch_of(2)
    degraded, clean = ours.second.inputs(state.key, batch)
    params = {**state.extra["extractor"]["params"], "restorer": state.params["restorer"]}
    _, prior = compiled(stage_1(MODEL).apply)({"params": params}, degraded, clean)
    left = np.prod(1.0 - np.linspace(np.sqrt(0.1), np.sqrt(0.99), 2) ** 2)
    assert signal_left(2) == pytest.approx(left)
    key = jax.random.fold_in(jax.random.fold_in(state.key, 0xFFFFFF20), 2)
    noise = jnp.stack([jax.random.normal(jax.random.fold_in(key, i), (16,)) for i in batch["index"]])
    start = np.sqrt(left) * prior + np.sqrt(1.0 - left) * noise
    restored, sown = compiled(MODEL.apply, static_argnames="mutable")({"params": state.params}, degraded, start, mutable="intermediates")
    np.testing.assert_allclose(metrics[2]["content"], np.mean(l1(restored, clean)), rtol=1e-4)
    np.testing.assert_allclose(metrics[2]["guess"], np.abs(sown["intermediates"]["prior"][0] - prior).mean(), rtol=1e-4)
    assert posterior_mean(2).shape == (2, 2)


def test_what_it_does_not_train_is_refused():
    arguments = {"first_stage": 5}
    config = Experiment(
        Model("diffir_x4"), Data("d"), "r", "downsample:scale=4", objective=Objective("diffusion_prior", arguments), steps=4
    )
    run = Run(config, MODEL, optax.adam(1e-3), smaller)
    with pytest.raises(InputError, match="first_stage = 5: must be from 0 to steps = 4"):
        build_objective(run)
    with pytest.raises(InputError, match="multiples of 2"):
        objective().init(jax.random.key(0), {name: value[:, :12] if value.ndim > 1 else value for name, value in batch_of(0).items()})
    chex.assert_equal(MODEL.multiple, 2)
