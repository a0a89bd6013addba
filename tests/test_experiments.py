"""Every experiment loads, its network exists and its shapes agree; so do those of the commands in its docstring."""

import ast
from pathlib import Path

import jax
import numpy as np
import pytest

from benchmarks.short_runs import commands
from jaxrestore.degradations import recipes
from jaxrestore.losses import formula
from jaxrestore.metrics import Convention
from jaxrestore.models.catalogue import create_model, model_card
from jaxrestore.nn.shapes import variable_shapes
from jaxrestore.training.config import Experiment, load_experiment
from jaxrestore.training.objectives.run import Run, build_objective
from jaxrestore.training.optimizers import learning_rate, make_optimizer
from jaxrestore.training.transfer import starting_point

ROOT = Path(__file__).resolve().parents[1]


def is_training(path: Path) -> bool:
    return "training.config" in path.read_text()


FILES = sorted(path for path in (ROOT / "experiments").rglob("*.py") if is_training(path))
NAMES = [str(path.relative_to(ROOT / "experiments").with_suffix("")) for path in FILES]
GAMES = [path for path in FILES if "Objective(" in path.read_text()]
SUPER_RESOLUTION = [path for path in FILES if path.parent.name == "super_resolution"]


def shapes_agree(config: Experiment) -> None:
    """Each scale's degraded patch goes through the network and comes out in the shape of the clean one; nothing is computed."""
    model = create_model(config.model.name, **config.model.fields)
    largest = max(config.scales, default=1)
    for scale in config.scales or (None,):
        network = model if scale is None else model.clone(scale=scale)
        side = config.data.patch if scale is None else config.data.patch // largest * scale
        degrade = recipes.parse(config.degradation.replace("{scale}", str(scale)))

        clean = jax.ShapeDtypeStruct((1, side, side, config.data.channels), np.float32)
        degraded = jax.eval_shape(degrade, jax.random.key(0), clean)
        variables = variable_shapes(network, jax.random.key(0), degraded)
        assert jax.eval_shape(network.apply, variables, degraded).shape == clean.shape
    # Rates by layer name layers that there are.
    starting_point(config, model)


def games_agree(config: Experiment) -> None:
    """All networks of an objective fit the batches; a step is traced, not computed."""
    model = create_model(config.model.name, **config.model.fields)
    text = config.degradation
    run = Run(config, model, make_optimizer(config.optimizer, config.steps), recipes.parse(text) if text else None)
    objective = build_objective(run)
    side, channels = config.data.patch, config.data.channels
    batch = {"image": jax.ShapeDtypeStruct((2, side, side, channels), np.uint8), "index": jax.ShapeDtypeStruct((2,), np.uint32)}
    if not text:
        batch["degraded"] = batch["image"]
    state = objective.init(jax.random.key(0), batch)
    new, metrics = jax.eval_shape(objective.step, state, batch)
    assert jax.tree.map(np.shape, new) == jax.tree.map(np.shape, state)
    assert all(value.shape == () for value in metrics.values())


@pytest.mark.parametrize("path", GAMES, ids=[path.stem for path in GAMES])
def test_networks_agree_in_the_reduced_run_of_another_objective(path):
    games_agree(load_experiment(path, commands(path)[1][1:]))


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_an_experiment_is_well_formed(path):
    config = load_experiment(path)
    card = model_card(config.model.name)
    assert config.data.channels == card.channels
    assert config.run.startswith("runs/")
    formula.parse(config.loss)
    if config.validation.convention is not None:
        Convention.parse(config.validation.convention)
    rate = learning_rate(config.optimizer, config.steps)
    assert 0.0 < float(rate(config.steps - 1)) <= float(rate(config.optimizer.warmup))
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert all(word in text for word in ("Expected:", "Cost:"))
    assert commands(path)
    for place, *changes in commands(path):
        assert place == str(path.relative_to(ROOT))
        load_experiment(path, changes)  # they are made one by one, and each must leave a whole configuration


@pytest.mark.parametrize("path", SUPER_RESOLUTION, ids=[path.stem for path in SUPER_RESOLUTION])
def test_shapes_agree_in_the_reduced_run(path):
    full, reduced = (load_experiment(path, command[1:]) for command in commands(path))
    assert full.steps > reduced.steps
    # The recipe's own channels, patch and scale; the network of the reduced run, which traces fast.
    shapes_agree(reduced)
    card = model_card(full.model.name)
    scales = full.scales or (getattr(create_model(full.model.name), "scale", 1),)
    assert full.data.patch % max(scales) == 0
    assert full.data.color == ("luma" if card.channels == 1 else "gray")
    if card.interpolated:
        assert full.degradation.startswith("low_resolution")
        assert full.validation.convention is not None
    else:
        sizes = [recipes.parse(full.degradation.replace("{scale}", str(scale))).scale for scale in scales]
        assert [1 / size for size in sizes] == ([card.scale] if not full.scales else list(scales))
