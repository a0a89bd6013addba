"""Transfer from another network's weights, masks by name, and the list of shipped weights."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.models.catalogue import model_card
from jaxrestore.weights import list_pretrained, load_weights, pretrained, save_weights
from jaxrestore.weights.transfer import matches, path_matches, transfer
from tests.weights.test_store import MODEL, variables

OURS = {
    "params": {
        "conv_0": {"kernel": jnp.zeros((3, 3, 1, 2)), "bias": jnp.zeros(2)},
        "head": {"kernel": jnp.zeros((1, 1, 2, 5), jnp.bfloat16)},
    },
    "batch_stats": {"norm": {"mean": jnp.zeros(2)}},
}
THEIRS = {
    "params": {
        "conv_0": {"kernel": np.ones((3, 3, 1, 2)), "bias": np.ones(3)},
        "head": {"kernel": np.full((1, 1, 2, 5), 2.0, np.float32)},
        "tail": {"bias": np.ones(1)},
    }
}


def test_matching_leaves_are_taken_and_the_rest_is_reported():
    mixed, report = transfer(OURS, THEIRS)
    assert report.taken == ("params/conv_0/kernel", "params/head/kernel")
    assert report.missing == ("batch_stats/norm/mean",)
    assert report.shape_differs == ("params/conv_0/bias",)
    assert report.unused == ("params/tail/bias",)
    np.testing.assert_array_equal(mixed["params"]["conv_0"]["kernel"], 1.0)
    np.testing.assert_array_equal(mixed["params"]["conv_0"]["bias"], np.zeros(2))
    assert mixed["params"]["conv_0"]["kernel"].dtype == jnp.float32
    assert mixed["params"]["head"]["kernel"].dtype == jnp.bfloat16
    assert "tail" not in mixed["params"]
    assert OURS["params"]["conv_0"]["kernel"].sum() == 0
    assert str(report).splitlines() == [
        "2 of 4 arrays taken",
        "  initialised, not in the source: batch_stats/norm/mean",
        "  initialised, of another shape: params/conv_0/bias",
        "  unused: params/tail/bias",
    ]


def test_patterns():
    path = "block_3/conv_0/kernel"
    for pattern in (path, "block_3", "block_3/", "block_*/conv_0", "*/kernel", "block_[1-3]", "*conv_0*"):
        assert path_matches(path, (pattern,)), pattern
    for pattern in ("block_1", "block", "conv_0", "kernel", "block_3/conv", "*/bias", ""):
        assert not path_matches(path, (pattern,)), pattern
    assert path_matches(path, ("no", "block_3"))
    assert not path_matches(path, ())


def test_a_mask_over_parameters():
    mask = matches(OURS["params"], iter(["conv_0", "nothing"]))
    assert mask == {"conv_0": {"kernel": True, "bias": True}, "head": {"kernel": False}}


def test_shipped_weights(tmp_path, monkeypatch):
    for tag in list_pretrained():
        found = load_weights(tag)
        assert found.name == tag.partition(".")[0] == model_card(found.name).name
    assert sum(pretrained.pretrained_path(tag).stat().st_size for tag in list_pretrained()) < 8e6
    monkeypatch.setattr(pretrained, "_home", lambda: tmp_path / "files")
    assert list_pretrained() == ()
    with pytest.raises(InputError, match=r"'a\.b' is not among the package's weights: there are none"):
        pretrained.pretrained_path("a.b")
    save_weights(tmp_path / "files" / "dncnn_gray.bsds400.safetensors", variables(), MODEL)
    assert list_pretrained() == ("dncnn_gray.bsds400",)
    assert load_weights("dncnn_gray.bsds400").model == MODEL
