"""Experiments as data: files, overrides, what may change on resumption."""

import json

import hypothesis
import hypothesis.strategies as st
import pytest

from jaxrestore.errors import InputError
from jaxrestore.training.config import Data, Experiment, Model, Optimizer, differences, load_experiment, to_dict

FILE = """
from jaxrestore.training.config import Data, Experiment, Model
config = Experiment(model=Model("dncnn_gray"), data=Data("images"), degradation="gaussian:sigma=25", run="runs/x")
"""


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "experiment.py"
    file.write_text(FILE)
    return file


def test_overrides_reach_every_level(path):
    changes = (
        "steps=7",
        "optimizer.rate=1",
        "optimizer.clip=0.5",
        "data.target=there",
        "model.fields.depth=3",
        "transfer.freeze=('a','b')",
        "loss=l1+0.1*fft",
        "optimizer.milestones=(3,5)",
        "optimizer.rates.conv_0=0.1",
        "objective.arguments.fields={'features':8,'depth':2}",
        "objective.arguments.fields.depth=3",
    )
    config = load_experiment(path, changes)
    assert config.steps == 7
    assert config.loss == "l1+0.1*fft"
    assert config.optimizer.rate == 1.0
    assert isinstance(config.optimizer.rate, float)
    assert config.optimizer.clip == 0.5
    assert config.optimizer.milestones == (3, 5)
    assert config.optimizer.rates == {"conv_0": 0.1}
    assert config.data.target == "there"
    assert config.objective.arguments == {"fields": {"features": 8, "depth": 3}}
    assert config.model.fields == {"depth": 3}
    assert config.transfer.freeze == ("a", "b")
    assert load_experiment(path, ("optimizer.clip=0.5", "optimizer.clip=none")).optimizer.clip is None


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("step=7", "did you mean 'steps'"),
        ("optimizer.rat=1", "did you mean 'rate'"),
        ("steps=many", "steps = many: expected int"),
        ("steps=1.5", "expected int"),
        ("steps=0", "must be at least 1"),
        ("steps=True", "expected int"),
        ("optimizer=adam", "is a group of fields"),
        ("steps.more=1", "is not a group"),
        ("steps", "write field=value"),
        ("loss=l3", "unknown loss: 'l3'; there are l1, mse"),
        ("loss=l1+0.1*charbonnier:epsilon=0", "charbonnier: epsilon is 0"),
        ("optimizer.accumulate=3", "cannot be cut"),
        ("data.source=pairs", "data.target is missing"),
        ("degradation=", "degradation is empty"),
        ("data.color=luminance", "choose one of gray, luma"),
        ("scales=(2,4)", "degradation must hold {scale}"),
        ("supervision=1.0", "below 1"),
        ("objective.name=supervise", "unknown objective: 'supervise', did you mean supervised"),
    ],
)
def test_wrong_overrides_say_what_is_wrong(path, override, message):
    with pytest.raises(InputError, match=message) as caught:
        load_experiment(path, (override,))
    assert "\n" not in str(caught.value)


def test_wrong_files_say_what_is_wrong(tmp_path):
    with pytest.raises(InputError, match="no such experiment file"):
        load_experiment(tmp_path / "none.py")
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(InputError, match="must define `config`"):
        load_experiment(tmp_path / "empty.py")
    (tmp_path / "broken.py").write_text("1/0")
    with pytest.raises(InputError, match="ZeroDivisionError"):
        load_experiment(tmp_path / "broken.py")


def test_only_what_leaves_the_numbers_alone_may_change():
    config = Experiment(model=Model("m"), data=Data("d"), degradation="x", run="r")
    old = to_dict(config)
    assert differences(old, old) == []
    harmless = Experiment(model=Model("m"), data=Data("d", workers=2), degradation="x", run="s", steps=99, parallel="pmap")
    assert differences(old, to_dict(harmless)) == []
    other = Experiment(model=Model("m", {"depth": 2}), data=Data("d"), degradation="x", run="r", optimizer=Optimizer(rate=1.0))
    assert differences(old, to_dict(other)) == ["model.fields.depth", "optimizer.rate"]


def test_a_run_from_before_a_field_was_added_goes_on():
    config = Experiment(model=Model("m"), data=Data("d"), degradation="x", run="r")
    old = to_dict(config)
    del old["objective"], old["optimizer"]["rates"], old["seed"]
    assert differences(old, to_dict(config)) == []
    assert differences(old, {**to_dict(config), "seed": 3}) == ["seed"]
    assert differences({**old, "steps_taken": 3}, to_dict(config)) == ["steps_taken"]


@hypothesis.given(st.floats(1e-6, 1.0), st.integers(1, 10**6), st.sampled_from(["adam", "adamw", "sgd"]))
@hypothesis.settings(deadline=None, max_examples=20)
def test_json_keeps_everything(rate, steps, name):
    config = Experiment(model=Model("m"), data=Data("d"), degradation="x", run="r", steps=steps, optimizer=Optimizer(name=name, rate=rate))
    assert json.loads(json.dumps(to_dict(config))) == to_dict(config)
    assert to_dict(config)["optimizer"]["rate"] == rate
