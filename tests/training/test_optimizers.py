"""Schedules by hand arithmetic; optimisers by their first step; frozen and slowed parameters."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxrestore.training.config import Optimizer
from jaxrestore.training.optimizers import learning_rate, make_optimizer


def test_schedules():
    cosine = learning_rate(Optimizer(schedule="cosine", rate=1.0, final_rate=0.1), 100)
    np.testing.assert_allclose([float(cosine(0)), float(cosine(50)), float(cosine(100))], [1.0, 0.55, 0.1], rtol=1e-6)
    exponential = learning_rate(Optimizer(schedule="exponential", rate=1e-1, final_rate=1e-3), 100)
    np.testing.assert_allclose([float(exponential(0)), float(exponential(50)), float(exponential(100))], [1e-1, 1e-2, 1e-3], rtol=1e-5)
    step = learning_rate(Optimizer(schedule="step", rate=1.0, halvings=4), 100)
    np.testing.assert_allclose([float(step(i)) for i in (19, 21, 41, 61, 81, 99)], [1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 16])
    milestones = learning_rate(Optimizer(schedule="milestones", rate=1.0, milestones=(10, 30), factor=0.1), 100)
    np.testing.assert_allclose([float(milestones(i)) for i in (9, 11, 29, 31, 99)], [1, 0.1, 0.1, 0.01, 0.01], rtol=1e-6)
    held = learning_rate(Optimizer(schedule="cosine", rate=1.0, final_rate=0.1, warmup=10, hold=40), 100)
    np.testing.assert_allclose([float(held(k)) for k in (5, 10, 49, 50, 75, 100)], [0.5, 1.0, 1.0, 1.0, 0.55, 0.1], rtol=1e-6)
    warm = learning_rate(Optimizer(schedule="constant", rate=1.0, warmup=10), 100)
    np.testing.assert_allclose([float(warm(0)), float(warm(5)), float(warm(10)), float(warm(99))], [0, 0.5, 1, 1])


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_frozen_stays_slowed_moves_less(name):
    params = {"a": jnp.ones(3), "b": jnp.ones(3), "c": jnp.ones(3)}
    gradient = jax.tree.map(lambda p: 0.3 * p, params)
    config = Optimizer(name=name, rate=0.1, schedule="constant", weight_decay=0.01)
    optimizer = make_optimizer(config, 10, {"a": 1.0, "b": 0.25, "c": 0.0})
    updates, _ = optimizer.update(gradient, optimizer.init(params), params)
    new = optax.apply_updates(params, updates)
    np.testing.assert_array_equal(new["c"], params["c"])
    assert float(new["a"][0]) < 1.0
    chex.assert_trees_all_close(1.0 - new["b"], 0.25 * (1.0 - new["a"]), rtol=1e-5)


def test_first_steps_by_hand():
    params, gradient = {"w": jnp.array([2.0])}, {"w": jnp.array([0.5])}

    def first(**fields):
        optimizer = make_optimizer(Optimizer(schedule="constant", rate=0.1, **fields), 10)
        updates, _ = optimizer.update(gradient, optimizer.init(params), params)
        return float(updates["w"][0])

    assert first(name="adam") == pytest.approx(-0.1, rel=1e-5)
    assert first(name="adamw", weight_decay=0.1) == pytest.approx(-0.1 - 0.1 * 0.1 * 2.0, rel=1e-5)
    assert first(name="sgd") == pytest.approx(-0.05)
    assert first(name="sgd", weight_decay=0.1) == pytest.approx(-0.1 * (0.5 + 0.1 * 2.0))
    assert first(name="sgd", clip=0.25) == pytest.approx(-0.025)
    # The gradient is clipped to 0.01 / 0.1, so the first update is theta itself.
    assert first(name="sgd", adjustable_clip=0.01) == pytest.approx(-0.01)
    assert first(name="sgd", adjustable_clip=0.1) == pytest.approx(-0.05)


def test_adjustable_clipping_follows_the_rate():
    config = Optimizer(name="sgd", rate=1.0, schedule="milestones", milestones=(1,), factor=0.01, adjustable_clip=0.1)
    optimizer = make_optimizer(config, 10)
    params, gradient = {"w": jnp.zeros(2)}, {"w": jnp.array([5.0, -0.01])}
    state = optimizer.init(params)
    first, state = optimizer.update(gradient, state, params)
    second, _ = optimizer.update(gradient, state, params)
    np.testing.assert_allclose(first["w"], [-0.1, 0.01], rtol=1e-6)
    # At the hundredth of the rate the bound is 10, so nothing is clipped; with momentum 0.9 of the first (clipped) gradient.
    np.testing.assert_allclose(second["w"], [-0.01 * (5.0 + 0.9 * 0.1), 0.01 * (0.01 + 0.9 * 0.01)], rtol=1e-5)
