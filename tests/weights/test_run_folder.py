"""The weights of a training run, as the training loop writes it."""

import chex
import grain
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxrestore.errors import InputError
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.nn.initialise import initialise
from jaxrestore.training.checkpoints import Checkpoints
from jaxrestore.training.state import TrainState
from jaxrestore.weights import load_weights
from jaxrestore.weights.describe import describe

MODEL = DnCNN(depth=3, features=16)


def state(step: int, average: bool) -> TrainState:
    variables = initialise(MODEL, jax.random.key(step), jnp.zeros((1, 8, 8, 1)))
    params = variables["params"]
    return TrainState(
        step=jnp.int32(step),
        params=params,
        batch_stats=variables["batch_stats"],
        optimizer=optax.chain(optax.clip(1.0), optax.adamw(1e-3)).init(params),
        ema=jax.tree.map(lambda leaf: leaf + 1.0, params) if average else None,
        key=jax.random.key(0),
    )


def write_run(folder, scores: dict[int, float | None], average: bool = True) -> None:
    iterator = iter(grain.MapDataset.range(10).to_iter_dataset())
    checkpoints = Checkpoints(folder)
    for step, score in scores.items():
        checkpoints.save(state(step, average), iterator, describe(MODEL), score)
    checkpoints.close()


def test_the_best_step_and_its_average(tmp_path):
    write_run(tmp_path, {1: 28.0, 2: 31.0, 3: 30.0})
    for folder in (tmp_path, tmp_path / "checkpoints", tmp_path / "checkpoints" / "2"):
        found = load_weights(folder)
        assert found.model == MODEL
        assert found.report.endswith("step 2, averaged parameters")
        assert found.information["step"] == 2
        chex.assert_trees_all_equal(found.variables["params"], jax.device_get(state(2, True).ema))
        chex.assert_trees_all_equal(found.variables["batch_stats"], jax.device_get(state(2, True).batch_stats))
    assert load_weights(tmp_path / "checkpoints" / "3").information["step"] == 3


def test_the_newest_where_none_was_validated_and_the_parameters_where_there_is_no_average(tmp_path):
    write_run(tmp_path, {9: None, 10: None}, average=False)
    found = load_weights(tmp_path)
    assert found.report.endswith("step 10")
    chex.assert_trees_all_equal(found.variables["params"], jax.device_get(state(10, False).params))


def test_damage_is_found(tmp_path):
    write_run(tmp_path, {1: None})
    files = [path for path in (tmp_path / "checkpoints" / "1" / "state").rglob("*") if path.is_file() and path.parent.name == "d"]
    largest = max(files, key=lambda path: path.stat().st_size)
    random = np.random.default_rng(0)
    before = largest.read_bytes()
    messages = []
    for _ in range(40):
        content = bytearray(before)
        content[random.integers(len(content))] ^= 1 << random.integers(8)
        largest.write_bytes(content)
        try:
            found = load_weights(tmp_path)
        except InputError as error:
            messages.append(str(error))
        else:  # the bit lay in the optimiser's state, which was not read
            chex.assert_trees_all_equal(found.variables["params"], jax.device_get(state(1, True).ema))
    assert any("differs from its checksum" in message for message in messages)
    assert all(str(tmp_path) in message and "\n" not in message for message in messages)
    largest.write_bytes(before)
    (tmp_path / "checkpoints" / "1" / "meta" / "metadata").write_text("{")
    with pytest.raises(InputError, match="damaged or no checkpoint of a training run"):
        load_weights(tmp_path)
