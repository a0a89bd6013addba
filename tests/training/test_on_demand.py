"""On-demand learning: each level gets its share, the shares follow the PSNR, and a run that goes on is the same run."""

from dataclasses import replace

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxrestore.degradations import recipes
from jaxrestore.degradations.on_demand import BANDS
from jaxrestore.errors import InputError
from jaxrestore.losses.pixel import mse
from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Validation
from jaxrestore.training.loop import train
from jaxrestore.training.objectives.on_demand import OnDemand
from jaxrestore.training.parallel import make_mesh
from tests.compiled import compiled
from tests.training.test_adversarial import Gain, batch_of, three_steps

SHARES = np.array([0.1, 0.15, 0.2, 0.25, 0.3], np.float32)


def objective(**fields) -> OnDemand:
    levels = tuple(recipes.parse(text) for text in BANDS["denoising"])
    return OnDemand(Gain(), mse, optax.adam(1e-2), levels[0], ema=None, levels=levels, **fields)


def test_every_stretch_of_the_stream_holds_its_shares():
    level_of = compiled(objective().level_of)
    for start, length in ((0, 1000), (123_456, 1000), (4_000_000_000, 100)):
        levels = level_of(SHARES, np.arange(start, start + length, dtype=np.uint32))
        counts = np.bincount(levels, minlength=5)
        np.testing.assert_allclose(counts, SHARES * length, atol=4)


def test_an_image_is_degraded_at_its_level_alone():
    ours, batch = objective(), batch_of(0)
    state = ours.init(jax.random.key(0), batch)
    np.testing.assert_allclose(state.extra["shares"], 0.2, rtol=1e-6)
    levels = np.array([0, 1, 2, 3, 4, 4, 0, 2], np.int32)
    degraded, clean = compiled(ours.inputs)(state.key, {**batch, "level": levels})
    for i, level in enumerate(levels):
        key = jax.random.fold_in(state.key, batch["index"][i])
        np.testing.assert_allclose(degraded[i], ours.levels[level](key, clean[i]), atol=1e-6)


def test_shares_are_inverse_to_the_psnr_after_each_epoch():
    ours = objective(every=10)
    state = ours.init(jax.random.key(0), batch_of(0))
    clean = np.random.default_rng(0).random((2, 32, 32, 1), np.float32)
    same, nothing = ours.validated(state.replace(step=jnp.asarray(7)), clean)
    assert nothing == {}
    assert same.extra is state.extra
    new, values = ours.validated(state.replace(step=jnp.asarray(20)), clean)
    psnr = np.array([values[f"psnr_of_level_{i}"] for i in range(5)])
    expected = (1.0 / psnr) / (1.0 / psnr).sum()
    np.testing.assert_allclose(new.extra["shares"], expected, atol=2e-6)
    np.testing.assert_allclose([values[f"share_of_level_{i}"] for i in range(5)], expected, atol=2e-6)
    assert np.all(np.diff(psnr) < 0.0)
    # What the network sees is what the levels say: sigma below 20 of 255, clipped, restored by the identity.
    assert 22.0 < psnr[0] < 45.0


def test_many_devices_give_the_same_numbers():
    expected, _ = three_steps(objective(), "jit", 1)
    state, _ = three_steps(objective(), "shard_map", 8)
    chex.assert_trees_all_close((state.params, state.extra), (expected.params, expected.extra), atol=1e-6)


def config_of(run, **changes) -> Experiment:
    config = Experiment(
        model=Model("dncnn_gray", {"depth": 2, "features": 2, "norm": False}),
        data=Data("dead_leaves", source="dead_leaves", channels=1, patch=12, batch=4),
        degradation="gaussian:sigma=0..100,clip",
        objective=Objective("on_demand", {"levels": "gaussian:sigma=5|gaussian:sigma=80"}),
        loss="mse",
        steps=6,
        optimizer=Optimizer(rate=1e-3, schedule="constant", ema=None),
        validation=Validation("dead_leaves", crop=12, images=1, every=2),
        checkpoint_every=2,
        run=str(run),
    )
    return replace(config, **changes)


def test_a_run_resumes_to_the_bit(tmp_path, monkeypatch):
    monkeypatch.setattr("jaxrestore.training.loop.make_mesh", lambda: make_mesh(1))
    whole = train(config_of(tmp_path / "whole"))
    train(config_of(tmp_path / "parts", steps=3))  # its last validation, at step 3, adapts nothing
    parts = train(config_of(tmp_path / "parts"))
    chex.assert_trees_all_equal(jax.device_get((parts.params, parts.extra)), jax.device_get((whole.params, whole.extra)))
    assert float(whole.extra["shares"][1]) > 0.5


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ("snow", r"unknown objective\.arguments\.levels: 'snow'"),
        ("gaussian:sigma=5|downsample:scale=2", "changes the size"),
        ("gaussian:sigma=5|fog", "fog"),
    ],
)
def test_wrong_levels_are_refused(tmp_path, levels, message):
    with pytest.raises(InputError, match=message):
        train(config_of(tmp_path, objective=Objective("on_demand", {"levels": levels})))
    with pytest.raises(InputError, match=r"validation\.path is missing"):
        train(config_of(tmp_path / "other", validation=Validation()))
