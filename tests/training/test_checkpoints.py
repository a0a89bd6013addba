"""Checkpoints: exact round trip, damage found, the newest and the best kept."""

import dataclasses

import chex
import grain
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.training.checkpoints import Checkpoints
from tests.training.test_parallel import batch_of, objective_of


@pytest.fixture(scope="module")
def state():
    objective = objective_of(DnCNN(depth=3, features=16))
    return objective.step(objective.init(jax.random.key(0), batch_of(0)), batch_of(0))[0]


def numbers():
    return iter(grain.MapDataset.range(1000).shuffle(seed=3).to_iter_dataset())


def at_step(state, step):
    return dataclasses.replace(state, step=jnp.asarray(step, jnp.int32))


def test_state_and_iterator_come_back_exactly(tmp_path, state):
    iterator = numbers()
    consumed = [next(iterator) for _ in range(5)]
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(at_step(state, 5), iterator, {"model": "x"})
    following = [next(iterator) for _ in range(5)]
    checkpoints.close()

    again = numbers()
    opened = Checkpoints(tmp_path)
    assert opened.meta()["model"] == "x"
    restored = opened.restore(at_step(state, 0), again)
    opened.close()
    assert restored.step == 5
    chex.assert_trees_all_equal(restored.params, state.params)
    chex.assert_trees_all_equal(restored.optimizer, state.optimizer)
    chex.assert_trees_all_equal(restored.ema, state.ema)
    np.testing.assert_array_equal(jax.random.key_data(restored.key), jax.random.key_data(state.key))
    assert [next(again) for _ in range(5)] == following
    assert following != consumed


def test_the_newest_and_the_best_are_kept(tmp_path, state):
    checkpoints = Checkpoints(tmp_path)
    for step, score in enumerate([28.0, 31.0, None, 30.0, 29.0], start=1):
        checkpoints.save(at_step(state, step), numbers(), {}, score)
    assert sorted(checkpoints.manager.all_steps()) == [2, 5]
    checkpoints.save(at_step(state, 6), numbers(), {}, None)
    assert sorted(checkpoints.manager.all_steps()) == [2, 6]
    checkpoints.close()


def test_a_flipped_bit_never_changes_a_restored_number(tmp_path, state):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(at_step(state, 1), numbers(), {})
    file = max((tmp_path / "checkpoints" / "1" / "state").rglob("*"), key=lambda f: f.stat().st_size if f.is_file() else 0)
    whole = file.read_bytes()
    messages = []
    for position in np.linspace(0, len(whole) - 1, 12).astype(int):
        file.write_bytes(whole[:position] + bytes([whole[position] ^ 16]) + whole[position + 1 :])
        try:
            restored = checkpoints.restore(at_step(state, 0), numbers())
        except InputError as error:
            messages.append(str(error))
        else:  # a byte that nothing is read from
            chex.assert_trees_all_equal(restored.params, state.params)
            chex.assert_trees_all_equal(restored.optimizer, state.optimizer)
    # Orbax itself notices a damaged index; damaged numbers only our checksums notice.
    assert any("damaged" in message and "leaf" in message for message in messages), messages
    checkpoints.close()


def test_another_network_is_refused_in_one_line(tmp_path, state):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(at_step(state, 1), numbers(), {})
    objective = objective_of(DnCNN(depth=4, features=4))
    with pytest.raises(InputError, match="cannot be read") as caught:
        checkpoints.restore(objective.init(jax.random.key(0), batch_of(0)), numbers())
    assert "\n" not in str(caught.value)
    checkpoints.close()
