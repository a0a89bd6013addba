"""The same step over 1 and 8 devices, three ways: the same numbers, compiled once."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxrestore.errors import InputError
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.models.super_resolution.edsr import EDSR
from jaxrestore.training.objectives.supervised import Supervised
from jaxrestore.training.parallel import compile_step, make_mesh, put_batch, replicate
from tests.compiled import compiled

MODES = ("jit", "shard_map", "pmap")


def squared_error(restored, clean):
    return jnp.mean(jnp.square(restored - clean), (1, 2, 3))


def add_noise(key, image):
    return image + 0.1 * jax.random.normal(key, image.shape)


def objective_of(model, **fields) -> Supervised:
    return Supervised(model=model, loss=squared_error, optimizer=optax.adam(1e-3), degrade=add_noise, ema=0.9, **fields)


def batch_of(step: int, size: int = 8) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(step)
    image = generator.integers(0, 256, (size, 12, 12, 1), dtype=np.uint8)
    return {"image": image, "index": np.arange(step * size, (step + 1) * size, dtype=np.uint32)}


def run(objective: Supervised, mode: str, devices: int, steps: int = 3):
    mesh = make_mesh(devices)
    state = replicate(objective.init(jax.random.key(0), batch_of(0)), mesh)
    step = compile_step(objective.step, mesh, mode)
    losses = []
    for i in range(steps):
        state, metrics = step(state, put_batch(batch_of(i), mesh))
        losses.append(float(metrics["loss"]))
    return jax.device_get(state), losses


@pytest.fixture(scope="module")
def plain():
    """Three steps on one device without any mesh."""
    objective = objective_of(DnCNN(depth=4, features=4, norm=False))
    state = objective.init(jax.random.key(0), batch_of(0))
    losses = []
    for i in range(3):
        state, metrics = jax.jit(objective.step)(state, batch_of(i))
        losses.append(float(metrics["loss"]))
    return jax.device_get(state), losses


@pytest.mark.parametrize("devices", [1, 8])
@pytest.mark.parametrize("mode", MODES)
def test_every_way_gives_the_same_parameters(plain, mode, devices):
    state, losses = run(objective_of(DnCNN(depth=4, features=4, norm=False)), mode, devices)
    np.testing.assert_allclose(losses, plain[1], rtol=1e-6)
    chex.assert_trees_all_close(state.params, plain[0].params, atol=1e-6, rtol=0)
    chex.assert_trees_all_close(state.ema, plain[0].ema, atol=1e-6, rtol=0)
    assert state.step == 3


@pytest.mark.parametrize("mode", MODES)
def test_batch_statistics_are_those_of_the_whole_batch(mode):
    objective = objective_of(DnCNN(depth=4, features=4, use_bias=False))
    one, one_losses = run(objective, "jit", 1)
    state, losses = run(objective, mode, 8)
    np.testing.assert_allclose(losses, one_losses, rtol=3e-6)
    chex.assert_trees_all_close(state.batch_stats, one.batch_stats, atol=1e-6, rtol=1e-5)
    chex.assert_trees_all_close(state.params, one.params, atol=3e-6, rtol=0)


def test_compiles_once():
    objective = objective_of(DnCNN(depth=3, features=4))
    mesh = make_mesh(8)

    @chex.assert_max_traces(n=1)
    def traced_once(state, batch, axis=None):
        return objective.step(state, batch, axis)

    step = compile_step(traced_once, mesh)
    state = replicate(objective.init(jax.random.key(0), batch_of(0)), mesh)
    for i in range(3):
        state, _ = step(state, put_batch(batch_of(i), mesh))


def test_accumulated_parts_give_the_gradient_of_the_whole():
    model = DnCNN(depth=3, features=4, norm=False)
    whole, whole_losses = run(objective_of(model), "jit", 1)
    parts, part_losses = run(objective_of(model, accumulate=4), "jit", 1)
    np.testing.assert_allclose(part_losses, whole_losses, rtol=1e-6)
    chex.assert_trees_all_close(parts.params, whole.params, atol=1e-6, rtol=0)


def test_rematerialised_steps_are_the_same_steps():
    batch = {**batch_of(0), "image": batch_of(0)["image"].repeat(3, -1)}
    plain, again = (objective_of(EDSR(features=4, depth=2, scale=1), remat=levels) for levels in (0, 1))
    state = plain.init(jax.random.key(0), batch)
    (expected, losses), (ours, our_losses) = (compiled(objective.step)(state, batch) for objective in (plain, again))
    chex.assert_trees_all_close((ours.params, our_losses), (expected.params, losses), atol=1e-6)


def test_a_degradation_depends_on_the_index_alone():
    objective = objective_of(DnCNN(depth=3, features=4))
    batch, key = batch_of(3), jax.random.key(5)
    whole, _ = objective.inputs(key, batch)
    last, _ = objective.inputs(key, {name: value[-1:] for name, value in batch.items()})
    np.testing.assert_array_equal(whole[-1:], last)
    other, _ = objective.inputs(key, {**batch, "index": batch["index"] + 1})
    assert not np.array_equal(whole, other)


def test_average_follows_its_formula():
    objective = objective_of(DnCNN(depth=3, features=4, norm=False))
    state = objective.init(jax.random.key(0), batch_of(0))
    new, _ = objective.step(state, batch_of(0))
    keep = min(0.9, 1.0 / 10.0)
    expected = jax.tree.map(lambda old, now: keep * old + (1.0 - keep) * now, state.ema, new.params)
    chex.assert_trees_all_close(new.ema, expected, atol=1e-7)


def test_gradient_is_the_numerical_one():
    objective = objective_of(DnCNN(depth=3, features=2, norm=False))
    batch = {name: value[:1, :5, :5] if value.ndim == 4 else value[:1] for name, value in batch_of(0).items()}
    state = objective.init(jax.random.key(0), batch)
    degraded, clean = objective.inputs(state.key, batch)

    def loss(kernel):
        params = {**state.params, "conv_1": {**state.params["conv_1"], "kernel": kernel}}
        return jnp.mean(squared_error(objective.model.apply({"params": params}, degraded), clean))

    chex.assert_numerical_grads(loss, (state.params["conv_1"]["kernel"],), order=1, atol=1e-4)


def test_a_batch_that_cannot_be_split_is_refused():
    with pytest.raises(InputError, match=r"data\.batch = 6 cannot be split over 8 devices"):
        put_batch(batch_of(0, 6), make_mesh(8))
    with pytest.raises(InputError, match="9 devices asked for, 8 are there"):
        make_mesh(9)
