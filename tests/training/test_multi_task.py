"""Several tasks in turn: each step is the step of its task's own objective, whatever computes it."""

import jax
import numpy as np
import optax
import pytest

from jaxrestore.errors import InputError
from jaxrestore.models.super_resolution.ipt import IPT
from jaxrestore.training.config import Data, Experiment, Model, Objective
from jaxrestore.training.objectives.run import Run, build_objective
from tests.compiled import compiled
from tests.training.test_adversarial import Gain

MODEL = IPT((2, 1), features=4, image_size=6, heads=1, layers=1)
DEGRADATIONS = "downsample:scale=2 | gaussian:sigma=30"


def run_of(degradations=DEGRADATIONS, model=MODEL, patch=12) -> Run:
    objective = Objective("multi_task", {"degradations": degradations})
    data = Data("d", patch=patch, batch=2)
    return Run(Experiment(Model("ipt"), data, "r", "downsample:scale=2", objective=objective), model, optax.sgd(0.1))


def test_each_step_is_its_task_s_own():
    objective = build_objective(run_of())
    images = np.random.default_rng(0).integers(0, 256, (2, 12, 12, 3), dtype=np.uint8)
    batch = {"image": images, "index": np.arange(2, dtype=np.uint32)}
    assert [task.inputs(jax.random.key(0), batch)[1].shape[1] for task in objective.tasks] == [12, 6]
    state = objective.init(jax.random.key(0), batch)
    step, seen = compiled(objective.step), []
    alone = [compiled(task.step) for task in objective.tasks]
    for _ in range(5):
        task = int(objective.task_of(state))
        seen.append(task)
        expected, loss = alone[task](state, batch)
        new, metrics = step(state, batch)
        np.testing.assert_allclose(metrics["loss"], loss["loss"], rtol=1e-5)
        same = [np.array_equal(new.params[f"head_{i}"]["kernel"], state.params[f"head_{i}"]["kernel"]) for i in range(2)]
        assert same == [task != 0, task != 1]
        np.testing.assert_allclose(new.params["embed"]["kernel"], expected.params["embed"]["kernel"], atol=1e-6)
        state = new
    assert {*seen} == {0, 1}


def test_tasks_that_do_not_fit_are_refused():
    for degradations, message in (
        ("downsample:scale=2", "has 1 recipes: the network has 2 tasks"),
        ("gaussian:sigma=30|gaussian:sigma=30", "does not shrink by its task's 2"),
    ):
        with pytest.raises(InputError, match=message):
            build_objective(run_of(degradations))
    with pytest.raises(InputError, match="must be a multiple of 2"):
        build_objective(run_of(patch=13))
    with pytest.raises(InputError, match="needs a network with tasks"):
        build_objective(run_of(model=Gain()))
