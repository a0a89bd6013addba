"""CycleGAN's objective: hand-computed losses, whose parameters move, many devices, unpaired folders, exact resumption."""

from dataclasses import replace

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxrestore.data.images import Picture, write_image
from jaxrestore.data.pipeline import training_batches
from jaxrestore.data.sources import UnpairedFolders
from jaxrestore.errors import InputError
from jaxrestore.losses.adversarial import GAMES
from jaxrestore.losses.pixel import l1
from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer
from jaxrestore.training.loop import train
from jaxrestore.training.objectives.cycle import Cycle
from jaxrestore.training.objectives.networks import Partner
from jaxrestore.training.objectives.supervised import Supervised
from jaxrestore.training.optimizers import learning_rate
from jaxrestore.training.parallel import make_mesh
from tests.compiled import compiled
from tests.training.test_adversarial import Critic, Gain, three_steps


def pairless(step: int, size: int = 8) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(step)
    clean, degraded = generator.integers(0, 256, (2, size, 5, 5, 1), dtype=np.uint8)
    return {"image": clean, "degraded": degraded, "index": np.arange(step * size, (step + 1) * size, dtype=np.uint32)}


def tiny(rate=0.1, judge_rate=0.1, **fields) -> Cycle:
    restorer = Supervised(Gain(), l1, optax.sgd(rate), ema=0.9)
    return Cycle(restorer, Partner(Gain(), optax.sgd(rate)), Partner(Critic(), optax.sgd(judge_rate)), GAMES["least_squares"], **fields)


def start(objective, gain=0.7, back=1.2, slopes=(2.0, 0.5)):
    state = objective.init(jax.random.key(0), pairless(0), {"params": {"gain": jnp.full((1,), gain)}})
    values = {"back": {"gain": jnp.full((1,), back)}}
    values |= {name: {"slope": jnp.full((1,), slope)} for name, slope in zip(("judge_clean", "judge_degraded"), slopes, strict=True)}
    return state.replace(extra={**state.extra, **{name: {**state.extra[name], "params": params} for name, params in values.items()}})


def slope_of(function, at):
    return (function(at + 1e-5) - function(at - 1e-5)) / 2e-5


def test_losses_and_steps_are_those_computed_by_hand():
    objective = tiny(weight=0.5, cycle=3.0, identity=2.0, discriminator_weight=0.25, pool=0)
    new, metrics = compiled(objective.step)(start(objective), pairless(0))
    clean, degraded = (pairless(0)[name].astype(np.float64) / 255.0 for name in ("image", "degraded"))

    def games(gain, back):
        return np.mean((2.0 * gain * degraded - 1.0) ** 2) + np.mean((0.5 * back * clean - 1.0) ** 2)

    def cycle(gain, back):
        return np.abs(gain * back * degraded - degraded).mean() + np.abs(gain * back * clean - clean).mean()

    def identity(gain, back):
        return np.abs(back * degraded - degraded).mean() + np.abs(gain * clean - clean).mean()

    def loss(gain, back):
        return 0.5 * games(gain, back) + 3.0 * cycle(gain, back) + 2.0 * identity(gain, back)

    def judges(clean_slope, degraded_slope):
        of_clean = np.mean((clean_slope * clean - 1.0) ** 2) + np.mean((clean_slope * 0.7 * degraded) ** 2)
        of_degraded = np.mean((degraded_slope * degraded - 1.0) ** 2) + np.mean((degraded_slope * 1.2 * clean) ** 2)
        return 0.25 * (of_clean + of_degraded)

    for name, value in {"adversarial": games, "cycle": cycle, "identity": identity, "loss": loss}.items():
        np.testing.assert_allclose(metrics[name], value(0.7, 1.2), rtol=1e-5, err_msg=name)
    np.testing.assert_allclose(metrics["discriminator"], judges(2.0, 0.5), rtol=1e-5)
    moved = {
        "restorer": (new.params["gain"], 0.7, lambda at: loss(at, 1.2)),
        "back": (new.extra["back"]["params"]["gain"], 1.2, lambda at: loss(0.7, at)),
        "judge_clean": (new.extra["judge_clean"]["params"]["slope"], 2.0, lambda at: judges(at, 0.5)),
        "judge_degraded": (new.extra["judge_degraded"]["params"]["slope"], 0.5, lambda at: judges(2.0, at)),
    }
    for name, (value, before, function) in moved.items():
        np.testing.assert_allclose(value[0], before - 0.1 * slope_of(function, before), rtol=1e-4, err_msg=name)


def test_generators_and_judges_move_apart_from_each_other():
    new, _ = compiled(tiny(rate=0.0, identity=0.0).step)(start(tiny()), pairless(0))
    assert float(new.params["gain"][0]) == pytest.approx(0.7)
    assert float(new.extra["back"]["params"]["gain"][0]) == pytest.approx(1.2)
    assert float(new.extra["judge_clean"]["params"]["slope"][0]) != 2.0
    new, metrics = compiled(tiny(judge_rate=0.0, identity=0.0).step)(start(tiny()), pairless(0))
    assert float(new.extra["judge_clean"]["params"]["slope"][0]) == 2.0
    assert float(new.params["gain"][0]) != 0.7
    assert "identity" not in metrics


def test_many_devices_give_the_same_numbers():
    objective = replace(tiny(pool=5), restorer=Supervised(Gain(), l1, optax.adam(1e-2), ema=0.9))
    expected, metrics = three_steps(objective, "jit", 1, batches=pairless)
    state, ours = three_steps(objective, "shard_map", 8, batches=pairless)
    chex.assert_trees_all_close(ours, metrics, rtol=2e-5)
    chex.assert_trees_all_close((state.params, state.extra), (expected.params, expected.extra), atol=1e-5)


@pytest.fixture
def folders(tmp_path):
    generator = np.random.default_rng(0)
    for side, names, top in (("clean", "abc", 256), ("dark", "vwxyz", 100)):
        (tmp_path / side).mkdir()
        for name in names:
            pixels = generator.integers(0, top, (20, 24, 1), dtype=np.uint8)
            write_image(tmp_path / side / f"{name}.png", Picture(pixels, None, None))
    return tmp_path / "dark", tmp_path / "clean"


def test_unpaired_folders_come_in_orders_of_their_own(folders):
    def places(seed):
        source = UnpairedFolders(*folders, channels=1)
        stream = training_batches(source, batch_size=2, patch=20, seed=seed, augment=False)
        batches = [next(stream) for _ in range(15)]
        state = stream.get_state()
        stream.close()
        assert batches[0]["image"].shape == batches[0]["degraded"].shape == (2, 20, 20, 1)
        assert max(batch["degraded"].max() for batch in batches) < 100
        assert state["images"] == [3, 5]
        clean, dark = ([batch[name][i, 0, :4, 0].tobytes() for batch in batches for i in range(2)] for name in ("image", "degraded"))
        return clean, dark, list(zip(clean, dark, strict=True))

    clean, dark, pairs = places(0)
    assert places(0) == (clean, dark, pairs)
    assert places(1)[2] != pairs
    assert len({*pairs}) > 5


def config_of(folders, run, **changes) -> Experiment:
    dark, clean = folders
    config = Experiment(
        model=Model("dncnn_gray", {"depth": 2, "features": 2, "norm": False}),
        data=Data(str(dark), source="unpaired", target=str(clean), channels=1, patch=16, batch=8),
        objective=Objective("cycle", {"discriminator": "enhancenet_discriminator", "pool": 6}),
        optimizer=Optimizer(rate=1e-3, schedule="constant", ema=None),
        steps=4,
        log_every=2,
        checkpoint_every=2,
        run=str(run),
    )
    return replace(config, **changes)


def test_a_run_over_unpaired_folders_resumes_to_the_bit(folders, tmp_path, monkeypatch):
    small = lambda name, **fields: Critic() if "discriminator" in name else Gain()  # noqa: E731
    monkeypatch.setattr("jaxrestore.training.objectives.networks.create_model", small)
    monkeypatch.setattr("jaxrestore.training.loop.make_mesh", lambda: make_mesh(1))
    whole = train(config_of(folders, tmp_path / "whole"))
    train(config_of(folders, tmp_path / "halves", steps=2))
    second = train(config_of(folders, tmp_path / "halves"))
    chex.assert_trees_all_equal(jax.device_get(second.params), jax.device_get(whole.params))
    chex.assert_trees_all_equal(jax.device_get(second.extra), jax.device_get(whole.extra))


def test_what_does_not_fit_is_refused(folders, tmp_path):
    with pytest.raises(InputError, match=r'data.target is missing: data.source = "unpaired"'):
        replace(config_of(folders, tmp_path), data=Data("x", source="unpaired"))
    with pytest.raises(InputError, match="needs images that belong together"):
        replace(config_of(folders, tmp_path), objective=Objective())
    halved = replace(tiny(), restorer=replace(tiny().restorer, degrade=lambda key, image: image[::2]))
    with pytest.raises(InputError, match=r"degraded images of the clean ones' shape"):
        halved.init(jax.random.key(0), pairless(0), {"params": {"gain": jnp.ones(1)}})
    wrong = config_of(folders, tmp_path / "r", objective=Objective("cycle", {"discriminator": "enhancenet_discriminator", "cycle": -1.0}))
    with pytest.raises(InputError, match=r"cycle = -1\.0: must be at least 0"):
        train(wrong)


def test_the_linear_schedule_holds_then_falls():
    rate = learning_rate(Optimizer(rate=2e-4, schedule="linear", milestones=(100,), final_rate=0.0), 200)
    np.testing.assert_allclose([float(rate(step)) for step in (0, 100, 150, 200)], [2e-4, 2e-4, 1e-4, 0.0], atol=1e-9)
