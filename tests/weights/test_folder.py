"""Weights that are found in a folder by their model's name."""

import shutil

import jax
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.inference import Restorer
from jaxrestore.models.catalogue import create_model
from jaxrestore.nn.initialise import initialise
from jaxrestore.weights import load_weights, save_weights


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("weights")
    for name, tag in (("srcnn_915", ""), ("srcnn_955", ".day"), ("srcnn_955", ".night")):
        model = create_model(name)
        key = jax.random.key(len(tag))
        save_weights(home / f"{name}{tag}.safetensors", initialise(model, key, np.zeros((1, 8, 8, 1), np.float32)), model)
    (home / "notes.txt").write_text("no weights")
    (home / "empty").mkdir()
    return home


def same(one, other) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True))


def test_by_name_and_tag(folder):
    assert load_weights(folder, "srcnn_915").name == "srcnn_915"
    day, night = (load_weights(folder, f"srcnn_955.{tag}") for tag in ("day", "night"))
    assert day.name == night.name == "srcnn_955"
    assert same(night.variables, load_weights(folder / "srcnn_955.night.safetensors").variables)
    assert not same(day.variables, night.variables)
    assert same(load_weights(folder, create_model("srcnn_915")).variables, load_weights(folder, "srcnn_915").variables)
    assert Restorer("srcnn_915", folder, scale=2).name == "srcnn_915"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("srcnn_955", r"several weights of srcnn_955, srcnn_955\.day\.safetensors, srcnn_955\.night\.safetensors: name one"),
        ("dncnn_gray", r"no weights of dncnn_gray: .*such as dncnn_gray\.safetensors; it holds srcnn_915\.safetensors"),
        (None, "several weights, srcnn_915"),
    ],
)
def test_none_and_several_are_one_line(folder, model, message):
    with pytest.raises(InputError, match=message) as caught:
        load_weights(folder, model)
    assert "\n" not in str(caught.value)


def test_without_a_name_the_only_file_is_taken(folder, tmp_path):
    with pytest.raises(InputError, match=r"folder without a checkpoint, .* it holds none at all"):
        load_weights(tmp_path)
    shutil.copy(folder / "srcnn_915.safetensors", tmp_path)
    assert load_weights(tmp_path).name == "srcnn_915"
