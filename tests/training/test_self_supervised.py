"""Learning from noisy images alone: what is compared with what, that nothing clean is seen, and that it denoises."""

import functools
from dataclasses import replace
from functools import partial

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxrestore.degradations import recipes
from jaxrestore.errors import InputError
from jaxrestore.losses.neighbor2neighbor import neighbor2neighbor
from jaxrestore.losses.pixel import mse
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.models.restoration.neighbor2neighbor import Neighbor2NeighborUNet
from jaxrestore.nn.initialise import ones, parameter
from jaxrestore.ops.blind_spots import grid_spots, hide
from jaxrestore.ops.neighbor_pairs import neighbor_pair
from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer
from jaxrestore.training.objectives.blind_spot import BlindSpot
from jaxrestore.training.objectives.neighbor2neighbor import Neighbor2Neighbor
from jaxrestore.training.objectives.noise2noise import Noise2Noise
from jaxrestore.training.objectives.noise2self import Noise2Self
from jaxrestore.training.objectives.noise2void import Noise2Void
from jaxrestore.training.objectives.run import Run, build_objective
from jaxrestore.training.objectives.supervised import Supervised
from jaxrestore.training.parallel import compile_step, make_mesh, put_batch, replicate
from tests.compiled import compiled
from tests.training.test_parallel import MODES, batch_of


class Gain(nn.Module):
    """A network of one number: gain * image."""

    @nn.compact
    def __call__(self, image):
        return parameter(self, "gain", ones, (1,), jnp.float32).reshape(1, 1, 1, 1) * image


def add_noise(key, image):
    return image + 0.1 * jax.random.normal(key, image.shape)


KINDS = {
    "blind_spot": BlindSpot,
    "noise2noise": Noise2Noise,
    "noise2noise_annealed": partial(Noise2Noise, annealed_steps=10),
    "noise2void": partial(Noise2Void, share=0.04, radius=2),
    "noise2self": partial(Noise2Self, width=3),
    "neighbor2neighbor": partial(Neighbor2Neighbor, steps=4),
}


def objective_of(kind: str, model: nn.Module | None = None, **fields) -> Supervised:
    return KINDS[kind](model=model or Gain(), loss=mse, optimizer=optax.sgd(0.1), degrade=add_noise, **fields)


def loss_of(objective: Supervised, step: int = 0, gain: float = 1.0) -> float:
    state = objective.init(jax.random.key(0), batch_of(0))
    params = jax.tree.map(lambda leaf: gain * leaf, state.params)
    loss, _ = compiled(objective.part_loss)(params, {}, state.replace(step=jnp.asarray(step)), batch_of(0))
    return float(loss)


def test_noise2noise_compares_two_independent_degradations():
    objective = objective_of("noise2noise")
    first, second = (np.asarray(x) for x in objective.inputs(jax.random.key(0), batch_of(0)))
    clean = batch_of(0)["image"] / 255.0
    for noisy in (first, second):
        assert np.std(noisy - clean) == pytest.approx(0.1, rel=0.1)
    assert abs(np.corrcoef((first - clean).ravel(), (second - clean).ravel())[0, 1]) < 0.1
    state = objective.init(jax.random.key(0), batch_of(0))
    first, second = (np.asarray(x) for x in objective.inputs(state.key, batch_of(0)))
    assert loss_of(objective, gain=0.5) == pytest.approx(np.mean((0.5 * first - second) ** 2), rel=1e-5)


def test_a_blind_spot_network_is_compared_with_its_own_input():
    objective = objective_of("blind_spot")
    noisy, target = objective.inputs(objective.init(jax.random.key(0), batch_of(0)).key, batch_of(0))
    np.testing.assert_array_equal(noisy, target)
    assert np.std(noisy - batch_of(0)["image"] / 255.0) == pytest.approx(0.1, rel=0.1)
    assert loss_of(objective, gain=0.5) == pytest.approx(np.mean(0.25 * np.square(noisy)), rel=1e-5)
    run = replace(configured(Objective("blind_spot")), model=Neighbor2NeighborUNet(blind_spot=True))
    assert type(build_objective(run)) is BlindSpot


@pytest.mark.parametrize(("step", "exponent"), [(0, 2.0), (5, 1.0), (9, 0.2), (12, 0.0)])
def test_the_annealed_error_falls_from_the_square_to_a_count(step: int, exponent: float):
    objective = objective_of("noise2noise_annealed")
    state = objective.init(jax.random.key(0), batch_of(0))
    first, second = (np.asarray(x, np.float64) for x in objective.inputs(state.key, batch_of(0)))
    assert loss_of(objective, step) == pytest.approx(np.mean((np.abs(first - second) + 1e-8) ** exponent), rel=1e-4)


@pytest.mark.parametrize("kind", ["noise2void", "noise2self"])
def test_hidden_pixels_alone_are_compared(kind: str):
    objective = objective_of(kind)
    state = objective.init(jax.random.key(0), batch_of(0))
    noisy, _ = objective.inputs(state.key, batch_of(0))
    keys = [jax.random.fold_in(jax.random.fold_in(state.key, i), 0x5107) for i in batch_of(0)["index"]]
    errors = []
    for key, image in zip(keys, noisy, strict=True):
        seen, spots = (np.asarray(x) for x in objective.hidden(key, jnp.asarray(7), image))
        np.testing.assert_array_equal(seen[~spots], np.asarray(image)[~spots])
        errors.append(np.mean((0.5 * seen[spots] - np.asarray(image)[spots]) ** 2))
    assert loss_of(objective, 7, 0.5) == pytest.approx(np.mean(errors), rel=1e-4)


def test_noise2self_goes_through_all_grids():
    objective = objective_of("noise2self")
    image = jnp.asarray(np.random.default_rng(0).random((6, 6, 1), np.float32))
    count = sum(np.asarray(objective.hidden(jax.random.key(0), jnp.asarray(step), image)[1], int) for step in range(9))
    assert (count == 1).all()
    seen, _ = objective.hidden(jax.random.key(0), jnp.asarray(4), image)
    np.testing.assert_allclose(seen, hide(image, grid_spots((6, 6), 3, 4)), atol=1e-7)


def test_noise2self_validates_by_one_pass_or_by_all_grids():
    objective = objective_of("noise2self")
    image = np.random.default_rng(0).random((1, 6, 6, 1), np.float32)
    variables = {"params": {"gain": jnp.full((1,), 0.5)}}
    np.testing.assert_array_equal(objective.restore(variables, image), 0.5 * image)
    invariant = np.asarray(objective_of("noise2self", invariant=True).restore(variables, image))
    around = np.pad(image[0, :, :, 0], 1)
    expected = (around[1, 2] + around[3, 2] + around[2, 1] + around[2, 3]) / 6
    expected += (around[1, 1] + around[3, 3] + around[1, 3] + around[3, 1]) / 12
    assert invariant[0, 1, 1, 0] == pytest.approx(0.5 * expected, rel=1e-5)


@pytest.mark.parametrize(("step", "share"), [(0, 0.25), (3, 1.0), (9, 1.0)])
def test_neighbor2neighbor_by_hand(step: int, share: float):
    objective = objective_of("neighbor2neighbor", weight=3.0)
    state = objective.init(jax.random.key(0), batch_of(0))
    noisy, _ = objective.inputs(state.key, batch_of(0))
    expected = []
    for index, image in zip(batch_of(0)["index"], noisy, strict=True):
        key = jax.random.fold_in(jax.random.fold_in(state.key, index), 0x2172)
        choices = jax.random.randint(key, (6, 6), 0, 8)
        first, second = neighbor_pair(image, choices)
        expected.append(neighbor2neighbor(0.5 * first, second, neighbor_pair(0.5 * image, choices), 3.0 * share))
    assert loss_of(objective, step, 0.5) == pytest.approx(np.mean(expected), rel=1e-4)


def test_neighbor2neighbor_lets_no_gradient_through_the_whole_image():
    objective = objective_of("neighbor2neighbor", weight=3.0)
    state = objective.init(jax.random.key(0), batch_of(0))
    noisy, _ = objective.inputs(state.key, batch_of(0))
    keys = [jax.random.fold_in(jax.random.fold_in(state.key, index), 0x2172) for index in batch_of(0)["index"]]
    choices = jnp.stack([jax.random.randint(key, (6, 6), 0, 8) for key in keys])
    first, second = neighbor_pair(noisy, choices)
    denoised = neighbor_pair(noisy, choices)  # at a gain of one
    wanted = jax.grad(lambda gain: jnp.mean(neighbor2neighbor(gain * first, second, denoised, 0.75)))(1.0)
    gradient, _ = jax.grad(objective.part_loss, has_aux=True)(state.params, {}, state, batch_of(0))
    assert float(gradient["gain"][0]) == pytest.approx(float(wanted), rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_clean_image_is_seen_by_the_degradation_alone(kind: str):
    """Where the degradation gives one and the same picture for every image, other clean images change nothing."""
    objective = KINDS[kind](model=Gain(), loss=mse, optimizer=optax.sgd(0.1), degrade=lambda key, image: add_noise(key, 0.5 + 0 * image))
    state = objective.init(jax.random.key(0), batch_of(0))
    other = {**batch_of(0), "image": batch_of(1)["image"]}
    params = jax.tree.map(lambda leaf: 0.5 * leaf, state.params)
    losses = [compiled(objective.part_loss)(params, {}, state, batch)[0] for batch in (batch_of(0), other)]
    assert float(losses[0]) == float(losses[1]) > 0


@pytest.fixture(scope="module")
def plain():
    """What one step on one device gives, for each kind."""

    @functools.cache
    def step(kind: str):
        objective = objective_of(kind, DnCNN(depth=3, features=4, norm=False))
        new, metrics = compiled(objective.step)(objective.init(jax.random.key(0), batch_of(0)), batch_of(0))
        return jax.device_get(new.params), float(metrics["loss"])

    return step


@pytest.mark.parametrize(("kind", "mode"), [("noise2void", mode) for mode in MODES] + [("neighbor2neighbor", "shard_map")])
def test_the_same_numbers_on_eight_devices(kind: str, mode: str, plain):
    objective = objective_of(kind, DnCNN(depth=3, features=4, norm=False))
    mesh = make_mesh(8)
    state = replicate(objective.init(jax.random.key(0), batch_of(0)), mesh)
    new, metrics = compile_step(objective.step, mesh, mode)(state, put_batch(batch_of(0), mesh))
    params, loss = plain(kind)
    assert float(metrics["loss"]) == pytest.approx(loss, rel=1e-5)
    chex.assert_trees_all_close(jax.device_get(new.params), params, atol=1e-6)


@pytest.mark.parametrize("kind", ["noise2noise", "noise2void", "noise2self", "neighbor2neighbor"])
def test_the_same_numbers_in_parts(kind: str, plain):
    objective = objective_of(kind, DnCNN(depth=3, features=4, norm=False), accumulate=2)
    new, metrics = compiled(objective.step)(objective.init(jax.random.key(0), batch_of(0)), batch_of(0))
    params, loss = plain(kind)
    assert float(metrics["loss"]) == pytest.approx(loss, rel=1e-5)
    chex.assert_trees_all_close(new.params, params, atol=1e-6)


def configured(objective: Objective, degradation: str = "gaussian:sigma=25", **changes) -> Run:
    data = Data("clean", source="folder" if degradation else "pairs", target=None if degradation else "there")
    config = Experiment(Model("dncnn_gray"), data, "run", degradation, objective=objective, steps=40, optimizer=Optimizer(ema=None))
    return Run(config, Gain(), optax.sgd(0.1), recipes.parse(degradation) if degradation else None, **changes)


@pytest.mark.parametrize(
    ("objective", "kind", "fields"),
    [
        (Objective("noise2noise"), Noise2Noise, dict(annealed_steps=None)),
        (Objective("noise2noise", {"annealed": True}), Noise2Noise, dict(annealed_steps=40)),
        (Objective("noise2void", {"share": 0.015, "centre": False}), Noise2Void, dict(share=0.015, radius=5, centre=False)),
        (Objective("noise2self", {"width": 5, "invariant": True}), Noise2Self, dict(width=5, interpolate=True, invariant=True)),
        (Objective("neighbor2neighbor", {"weight": 1.0}), Neighbor2Neighbor, dict(weight=1.0, steps=40)),
    ],
)
def test_chosen_by_name(objective: Objective, kind: type, fields: dict):
    built = build_objective(configured(objective))
    assert type(built) is kind
    assert {name: getattr(built, name) for name in fields} == fields
    assert built.ema is None


@pytest.mark.parametrize(
    ("objective", "degradation", "message"),
    [
        (Objective("blind_spot"), "gaussian:sigma=25", "blind_spot needs a network with a blind spot: Gain"),
        (Objective("noise2noise"), "", "noise2noise needs degradation"),
        (Objective("noise2void", {"share": 0.0}), "gaussian:sigma=25", r"objective\.arguments\.share is 0"),
        (Objective("noise2void", {"radius": 0}), "gaussian:sigma=25", r"objective\.arguments\.radius is 0"),
        (Objective("noise2self", {"width": 1}), "gaussian:sigma=25", r"objective\.arguments\.width is 1"),
        (Objective("neighbor2neighbor", {"weight": -1.0}), "gaussian:sigma=25", r"objective\.arguments\.weight is -1"),
    ],
)
def test_refuses_what_makes_no_sense(objective: Objective, degradation: str, message: str):
    with pytest.raises(InputError, match=message):
        build_objective(configured(objective, degradation))
