"""The loop in one process: it learns, goes on, transfers, freezes, and stops when the loss is not finite."""

import dataclasses
import json

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.data.images import Picture, write_image
from jaxrestore.errors import InputError
from jaxrestore.training.config import Data, Experiment, Model, Objective, Optimizer, Transfer, Validation
from jaxrestore.training.loop import train
from jaxrestore.training.objectives import OBJECTIVES, supervised
from jaxrestore.training.objectives.supervised import Supervised
from jaxrestore.weights import load_weights


def small(run, **changes) -> Experiment:
    config = Experiment(
        model=Model("dncnn_color_blind", {"depth": 3, "features": 8, "norm": False}),
        data=Data("dead_leaves", source="dead_leaves", patch=16, batch=8),
        degradation="gaussian:sigma=25",
        steps=12,
        optimizer=Optimizer(rate=1e-2, ema=0.9),
        validation=Validation("dead_leaves", crop=24, images=1, every=6),
        log_every=3,
        checkpoint_every=6,
        run=str(run),
    )
    return dataclasses.replace(config, **changes)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return folder, train(small(folder))


def test_a_run_leaves_everything_a_reader_wants(trained):
    folder, state = trained
    assert int(state.step) == 12
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines if "loss" in line]
    assert losses[-1] < losses[0]
    scores = [line for line in lines if "validation_psnr" in line]
    assert [line["step"] for line in scores] == [6, 12]
    assert all(line["convention"] for line in scores)
    assert len(list((folder / "samples").glob("*.png"))) == 2
    assert list((folder / "tensorboard").glob("events*"))
    chex.assert_trees_all_close(load_weights(folder / "weights.safetensors").variables["params"], state.ema, atol=0)
    # The folder of a run is itself a source of weights: the averaged ones of its best checkpoint.
    best = load_weights(folder)
    assert best.model.depth == 3
    chex.assert_trees_all_equal_shapes(best.variables["params"], state.ema)


def test_more_steps_go_on_from_the_last(trained, tmp_path):
    # A run to 6 and then to 12 steps, with a constant rate, equals a run to 12.
    constant = Optimizer(rate=1e-2, ema=0.9, schedule="constant")
    whole = train(small(tmp_path / "whole", optimizer=constant))
    train(small(tmp_path / "halves", optimizer=constant, steps=6))
    halves = train(small(tmp_path / "halves", optimizer=constant))
    chex.assert_trees_all_equal(jax.device_get(whole.params), jax.device_get(halves.params))


def test_another_configuration_is_refused(trained):
    folder, _ = trained
    with pytest.raises(InputError, match=r"another optimizer\.rate; give another folder"):
        train(small(folder, optimizer=Optimizer(rate=1.0, ema=0.9)))


def test_transfer_takes_what_fits_and_freezing_holds_it(trained, tmp_path, capsys):
    folder, _ = trained
    source = load_weights(folder).variables["params"]
    deeper = small(
        tmp_path,
        model=Model("dncnn_color_blind", {"depth": 4, "features": 8, "norm": False}),
        transfer=Transfer(str(folder), ("conv_0/*",), 0.1),
    )
    state = train(deeper)
    assert "conv_2" in capsys.readouterr().err  # its shape differs: (…, 12) there, (…, 8) here
    np.testing.assert_array_equal(state.params["conv_0"]["kernel"], source["conv_0"]["kernel"])
    moved = float(np.abs(state.params["conv_1"]["kernel"] - source["conv_1"]["kernel"]).max())
    assert 0.0 < moved <= 12 * 1e-3 + 1e-6  # twelve Adam steps at a tenth of the rate
    again = train(dataclasses.replace(deeper, steps=14))
    np.testing.assert_array_equal(again.params["conv_0"]["kernel"], source["conv_0"]["kernel"])


def test_a_pattern_that_matches_nothing_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"'head/\*' matches no parameter"):
        train(small(tmp_path, transfer=Transfer(freeze=("head/*",))))


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
    train(small(tmp_path, steps=6, optimizer=Optimizer(name="sgd", rate=1e-3, schedule="constant")))
    log = tmp_path / "config.json"
    changed = json.loads(log.read_text())
    changed["optimizer"]["rate"] = 1e30
    log.write_text(json.dumps(changed))
    with pytest.raises(InputError, match=r"step \d+, so training stops; the checkpoint of step 6 is kept"):
        train(small(tmp_path, steps=40, optimizer=Optimizer(name="sgd", rate=1e30, schedule="constant")))
    assert [path.name for path in (tmp_path / "checkpoints").iterdir() if path.name.isdigit()] == ["6"]


def test_pairs_need_no_degradation(tmp_path):
    generator = np.random.default_rng(0)
    for name in ("a", "b"):
        clean = generator.integers(0, 256, (20, 24, 3), dtype=np.uint8)
        for side, pixels in (("clean", clean), ("blurred", clean // 2)):
            (tmp_path / side).mkdir(exist_ok=True)
            write_image(tmp_path / side / f"{name}.png", Picture(pixels, None, None))
    data = Data(str(tmp_path / "blurred"), source="pairs", target=str(tmp_path / "clean"), patch=16, batch=8)
    state = train(small(tmp_path / "run", data=data, degradation="", validation=Validation(), steps=3))
    assert int(state.step) == 3


def test_bfloat16_keeps_float32_parameters(tmp_path):
    state = train(small(tmp_path, precision="bfloat16", steps=3))
    assert {leaf.dtype for leaf in jax.tree.leaves(state.params)} == {np.dtype("float32")}


def test_an_objective_s_arguments_are_checked(tmp_path):
    with pytest.raises(InputError, match="unknown argument of the objective supervised: 'weight'; there is none"):
        train(small(tmp_path, objective=Objective("supervised", {"weight": 0.1})))


@dataclasses.dataclass(frozen=True)
class Counting(Supervised):
    """Counts its steps and its validations, and sees through dark glasses."""

    share: float = 1.0

    def init(self, key, batch, variables=None):
        return super().init(key, batch, variables).replace(extra={"steps": jnp.zeros(()), "seen": {"validations": jnp.zeros(())}})

    def step(self, state, batch, axis=None):
        new, metrics = super().step(state, batch, axis)
        return new.replace(extra={**state.extra, "steps": state.extra["steps"] + 1.0}), {**metrics, "share": self.share}

    def restore(self, variables, degraded):
        return 0.0 * self.model.apply(variables, degraded)

    def validated(self, state, clean):
        seen = {"validations": state.extra["seen"]["validations"] + 1.0}
        return state.replace(extra={**state.extra, "seen": seen}), {"images": float(len(clean))}


def build(run, *, share: float, deep: bool = False) -> Counting:
    fields = {field.name: getattr(supervised.build(run), field.name) for field in dataclasses.fields(Supervised)}
    return Counting(**fields, share=share)


def test_another_objective_is_plugged_in_and_resumes_with_all_it_carries(tmp_path, monkeypatch):
    for home in ("config", "objectives.run"):
        monkeypatch.setattr(f"jaxrestore.training.{home}.OBJECTIVES", {**OBJECTIVES, "counting": __name__})
    with pytest.raises(InputError, match="objective counting needs share"):
        train(small(tmp_path, objective=Objective("counting")))
    with pytest.raises(InputError, match=r"objective\.arguments\.share is 'much': it must be a number"):
        train(small(tmp_path, objective=Objective("counting", {"share": "much"})))
    chosen = Objective("counting", {"share": 2})
    train(small(tmp_path, objective=chosen, steps=6))
    state = train(small(tmp_path, objective=chosen))
    assert float(state.extra["steps"]) == 12.0
    assert float(state.extra["seen"]["validations"]) == 2.0
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["images"] for line in lines if "images" in line] == [1.0, 1.0]
    assert lines[0]["share"] == 2.0
    scores = [line["validation_psnr"] for line in lines if "validation_psnr" in line]
    assert scores[0] == scores[1] < 15.0  # black pictures, whatever the network has learned
    chex.assert_trees_all_equal(load_weights(tmp_path / "weights.safetensors").variables["params"], jax.device_get(state.ema))
