"""Our own files and Orbax folders: exact round trips, nothing half-written, every flipped bit found."""

import json
import os

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxrestore.errors import InputError
from jaxrestore.models.catalogue import create_model, list_models, model_card
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.nn.initialise import initialise
from jaxrestore.weights import load_weights, save_weights
from jaxrestore.weights.describe import describe, model_from
from jaxrestore.weights.orbax_folder import restore_checkpoint, save_checkpoint
from jaxrestore.weights.safetensors_file import read, write

MODEL = DnCNN(depth=3, features=4, channels=3, norm_epsilon=1e-3)


def variables(model=MODEL):
    return initialise(model, jax.random.key(0), jnp.zeros((1, 8, 8, model.channels)))


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_round_trip_through_a_file(tmp_path, dtype):
    model = MODEL.clone(param_dtype=dtype, dtype=dtype)
    information = {"data": "BSDS400", "steps": 3, "psnr": {"Set5 sigma 25": 31.5}}
    save_weights(tmp_path / "w.safetensors", variables(model), model, information=information)
    found = load_weights(tmp_path / "w.safetensors")
    assert found.model == model
    assert (found.name, found.information) == (None, information)
    chex.assert_trees_all_equal(found.variables, jax.device_get(variables(model)))
    chex.assert_trees_all_equal_shapes_and_dtypes(found.variables, jax.device_get(variables(model)))
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"]


def test_the_keys_of_our_file(tmp_path):
    save_weights(tmp_path / "w.safetensors", variables(), MODEL, "some_name")
    tensors, metadata = read(tmp_path / "w.safetensors")
    assert {"params/conv_0/kernel", "params/norm_1/scale", "batch_stats/norm_1/var"} <= set(tensors)
    about = json.loads(metadata["jaxrestore"])
    assert about["model"] == "some_name"
    assert about["class"] == "jaxrestore.models.restoration.dncnn.DnCNN"
    assert about["fields"] == {"depth": 3, "features": 4, "channels": 3, "norm_epsilon": 1e-3}
    assert set(about["checksums"]) == {f"['{name}']" for name in tensors}


@settings(deadline=None, max_examples=30, database=None)
@given(data=st.data())
def test_a_flipped_bit_in_the_data_of_our_file(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("flip") / "w.safetensors"
    save_weights(path, variables(), MODEL)
    content = bytearray(path.read_bytes())
    start = 8 + int.from_bytes(content[:8], "little")
    content[data.draw(st.integers(start, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"w\.safetensors: leaf \['(params|batch_stats)/.* differs from its checksum"):
        load_weights(path)


def test_a_description_that_cannot_be_trusted(tmp_path):
    save_weights(tmp_path / "w.safetensors", variables(), MODEL)
    tensors, metadata = read(tmp_path / "w.safetensors")
    about = json.loads(metadata["jaxrestore"])
    for change, message in (
        ({"class": "os.path"}, "not one of jaxrestore's"),
        ({"class": "jaxrestore.models.catalogue.list_models"}, "is not a network"),
        ({"class": "jaxrestore.models.gone.Gone"}, "this version of jaxrestore does not have"),
        ({"fields": {"colour": 1}}, "with the field 'colour', which this version"),
        ({"fields": {**about["fields"], "dtype": "os"}}, "is not a type of numbers"),
        ({"fields": {**about["fields"], "depth": 4}}, r"do not fit DnCNN: missing .*conv_3"),
        ({"format": 2}, "later version"),
        ({"format": "x"}, "description is damaged"),
    ):
        write(tmp_path / "x.safetensors", tensors, {"jaxrestore": json.dumps({**about, **change})})
        with pytest.raises(InputError, match=message) as caught:
            load_weights(tmp_path / "x.safetensors")
        assert str(tmp_path / "x.safetensors") in str(caught.value)
    for text in ("", "{", "[]"):
        write(tmp_path / "x.safetensors", tensors, {"jaxrestore": text})
        with pytest.raises(InputError, match="description is damaged"):
            load_weights(tmp_path / "x.safetensors")
    del tensors["params/conv_0/kernel"]
    write(tmp_path / "x.safetensors", tensors, metadata)
    with pytest.raises(InputError, match=r"leaf \['params/conv_0/kernel'\] is missing"):
        load_weights(tmp_path / "x.safetensors")


def test_a_file_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        save_weights(tmp_path / "file" / "w.safetensors", variables(), MODEL)


@pytest.mark.parametrize("name", list_models())
def test_every_card_is_described_and_made_again(name):
    card = model_card(name)
    for form in (None, *card.forms):
        model = card.create(form, dtype=jnp.bfloat16)
        meta = json.loads(json.dumps(describe(model, name)))
        assert model_from(meta) == model
        assert hash(model_from(meta)) == hash(model)


def test_a_field_that_cannot_be_described():
    class Odd(nn.Module):
        activation: object = nn.relu

    with pytest.raises(ValueError, match="field 'activation' holds a"):
        describe(Odd(activation=jnp.tanh))


TREE = {
    "params": {"conv": {"kernel": np.arange(300, dtype=np.float32).reshape(3, 100), "bias": jnp.ones(4, jnp.bfloat16)}},
    "optimizer": optax.adam(1e-3).init({"w": jnp.ones(3)}),
    "key": jax.random.key(5),
    "step": np.int32(7),
}


def test_orbax_round_trip(tmp_path):
    meta = {"model": None, "note": [1, 2.5, "x"]}
    save_checkpoint(tmp_path / "c", TREE, meta)
    tree, found = restore_checkpoint(tmp_path / "c", like=TREE)
    assert found == meta
    assert jax.tree.structure(tree) == jax.tree.structure(TREE)
    chex.assert_trees_all_equal(jax.random.key_data(tree.pop("key")), jax.random.key_data(TREE["key"]))
    chex.assert_trees_all_equal(tree, {name: value for name, value in TREE.items() if name != "key"})
    nested, _ = restore_checkpoint(tmp_path / "c")
    np.testing.assert_array_equal(nested["optimizer"]["0"]["count"], 0)
    assert nested["params"]["conv"]["bias"].dtype == jnp.bfloat16
    # An existing checkpoint is replaced, anything else is not.
    save_checkpoint(tmp_path / "c", {"a": np.ones(2)}, {})
    assert restore_checkpoint(tmp_path / "c")[0].keys() == {"a"}
    assert [path.name for path in tmp_path.iterdir()] == ["c"]
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "x.png").write_bytes(b"")
    with pytest.raises(InputError, match="is there already and is not a checkpoint"):
        save_checkpoint(tmp_path / "photos", TREE, meta)


def test_orbax_into_another_structure(tmp_path):
    save_checkpoint(tmp_path / "c", {"a": np.ones(2), "b": np.ones(3)}, {})
    with pytest.raises(InputError, match="has no leaf c"):
        restore_checkpoint(tmp_path / "c", like={"c": np.ones(2)})
    with pytest.raises(InputError, match="b and 0 more are left over"):
        restore_checkpoint(tmp_path / "c", like={"a": np.ones(2)})
    with pytest.raises(InputError, match=r"leaf a is \(2,\), not \(5,\)"):
        restore_checkpoint(tmp_path / "c", like={"a": np.ones(5), "b": np.ones(3)})


def test_a_flipped_bit_in_orbax_data(tmp_path, capfd):
    folder = tmp_path / "c"
    model = DnCNN(depth=3, features=16, norm=False)
    save_checkpoint(folder, variables(model), describe(model))
    largest = max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    before = largest.read_bytes()
    random = np.random.default_rng(0)
    messages = []
    for _ in range(25):
        content = bytearray(before)
        content[random.integers(len(content))] ^= 1 << random.integers(8)
        largest.write_bytes(content)
        try:
            tree, _ = restore_checkpoint(folder)
        except InputError as error:
            messages.append(str(error))
        else:  # the bit lay in a part of the file that is not in use
            chex.assert_trees_all_equal(tree, jax.device_get(variables(model)))
    assert len(messages) > 15
    assert sum("differs from its checksum" in message for message in messages) > 10
    assert all(str(folder) in message and "\n" not in message for message in messages)
    assert capfd.readouterr().err == ""


def test_orbax_files_cut_or_gone(tmp_path, capfd):
    folder = tmp_path / "c"
    save_checkpoint(folder, variables(), describe(MODEL))
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        before = path.read_bytes()
        for content in (before[: len(before) // 2], b"", None):
            path.unlink() if content is None else path.write_bytes(content)
            try:
                found = load_weights(folder)
            except InputError as error:
                assert str(folder) in str(error)  # noqa: PT017
                assert "\n" not in str(error)  # noqa: PT017
            else:
                chex.assert_trees_all_equal(found.variables, jax.device_get(variables()))
            path.write_bytes(before)
    assert capfd.readouterr().err == ""


def test_damage_to_the_description_beside_it(tmp_path):
    save_checkpoint(tmp_path / "c", {"a": np.ones(2)}, {"model": "dncnn_gray"})
    path = tmp_path / "c" / "jaxrestore.json"
    text = path.read_text()
    for damaged, message in (
        (text.replace("dncnn_gray", "dncnn_grey"), "differs from its checksum"),
        (text[:30], "damaged or no checkpoint"),
        (text.replace('"format": 1', '"format": 9'), "later version"),
    ):
        path.write_text(damaged)
        with pytest.raises(InputError, match=message):
            restore_checkpoint(tmp_path / "c")
    with pytest.raises(InputError, match=r"there is no jaxrestore\.json"):
        restore_checkpoint(tmp_path)


def test_weights_in_an_orbax_folder_of_others(tmp_path):
    import orbax.checkpoint as ocp

    model = create_model("dncnn_gray")
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "all", variables(model))
        checkpointer.save(tmp_path / "wrong", variables(model)["params"])
    assert load_weights(tmp_path / "all").name == "dncnn_gray"
    with pytest.raises(InputError, match="fit no network of the catalogue"):
        load_weights(tmp_path / "wrong")


def test_files_are_readable_as_the_user_wants(tmp_path):
    previous = os.umask(0o022)
    try:
        save_weights(tmp_path / "x.safetensors", variables(), MODEL)
    finally:
        os.umask(previous)
    assert (tmp_path / "x.safetensors").stat().st_mode & 0o777 == 0o644
