"""Pruning: channels that say nothing new go without a trace, and what is left is an ordinary network."""

import flax.traverse_util
import jax
import numpy as np
import pytest

import jaxrestore
from jaxrestore.data.images import Picture, write_image
from jaxrestore.errors import InputError
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.models.restoration.ffdnet import FFDNet
from jaxrestore.models.restoration.nafnet import NAFNet
from jaxrestore.models.super_resolution.edsr import EDSR
from jaxrestore.nn.initialise import initialise
from jaxrestore.weights import Weights, load_weights, prune, save_weights
from tests.cli.command import refused_in_one_line, run
from tests.compiled import compiled

IMAGES = np.random.default_rng(0).random((3, 16, 12, 3), np.float32)
SMALL = {
    "DnCNN with normalisation": DnCNN(depth=4, features=3, channels=3),
    "DnCNN": DnCNN(depth=3, features=4, channels=3, norm=False, use_bias=False),
    "EDSR": EDSR(scale=2, features=4, depth=2, block_features=3),
    "NAFNet": NAFNet(features=4, encoder=(1, 0), middle=0, decoder=(1, 0), expansion=1),
}


def lively(model, seed: int = 0):
    """Variables of which none is zero."""
    variables = initialise(model, jax.random.key(seed), IMAGES[:1])
    random = np.random.default_rng(seed)
    return jax.tree.map(lambda x: np.asarray(x) + random.uniform(0.1, 0.3, x.shape).astype(np.float32), variables)


def doubled(variables, groups):
    """Every inner channel twice; who reads them takes half of each."""
    flat = flax.traverse_util.flatten_dict(variables, sep="/")
    for group in groups:
        for reader in group.read_by:
            flat[f"params/{reader}/kernel"] = np.repeat(flat[f"params/{reader}/kernel"], 2, -2) / 2
        for maker in (*group.made_by, *group.gated):
            for path in flat:
                if path.startswith((f"params/{maker}/", f"batch_stats/{maker}/")):
                    flat[path] = np.repeat(flat[path], 2, -1)
    return flax.traverse_util.unflatten_dict(flat, sep="/")


@pytest.mark.parametrize("name", SMALL)
def test_channels_that_others_repeat_go_without_a_trace(name):
    model = SMALL[name]
    variables = lively(model)
    wide = model.narrowed(2)
    weights = Weights(doubled(variables, model.inner_channels()), wide, None, None, "made here", "made here")
    image = IMAGES[:1]
    expected = np.asarray(compiled(model.apply)(variables, image))
    pruned = prune(weights, IMAGES, 0.5)
    assert pruned.model == model
    assert jax.tree.map(np.shape, pruned.variables) == jax.tree.map(np.shape, variables)
    found = np.asarray(compiled(model.apply)(pruned.variables, image))
    # The ridge of the least squares leaves a little; of NAFNet, whose inner channels are a smaller part of its result, less.
    tolerance = 1e-4 if name == "NAFNet" else 2e-3
    assert np.abs(found - expected).max() < tolerance * np.abs(expected - expected.mean()).max()


def test_the_others_take_over_what_a_channel_said():
    """Of three channels of which the third is the mean of the others, none is missed; of two, the weaker goes."""
    model = DnCNN(depth=2, features=3, channels=3, norm=False, use_bias=False)
    kernel = np.zeros((3, 3, 3, 3), np.float32)
    kernel[1, 1] = [[1, 0, 0.5], [0, 0.2, 0.1], [0, 0, 0]]
    reader = np.random.default_rng(1).random((3, 3, 3, 3), np.float32)
    weights = Weights({"params": {"conv_0": {"kernel": kernel}, "conv_1": {"kernel": reader}}}, model, None, None, "", "")
    two, one = prune(weights, IMAGES, 2 / 3), prune(weights, IMAGES, 1 / 3)
    assert (two.model.features, one.model.features) == (2, 1)
    expected = model.apply(weights.variables, IMAGES[:1])
    np.testing.assert_allclose(two.model.apply(two.variables, IMAGES[:1]), expected, atol=5e-3)
    left = one.variables["params"]["conv_0"]["kernel"][1, 1, :, 0]
    assert left[0] >= 0.5, left
    assert np.abs(one.model.apply(one.variables, IMAGES[:1]) - expected).max() > 0.01


def test_what_cannot_be_pruned_is_refused():
    def given(model):
        return Weights({}, model, None, None, "", "")

    with pytest.raises(InputError, match="FFDNet cannot be pruned: DnCNN, EDSR and NAFNet can"):
        prune(given(FFDNet()), IMAGES, 0.5)
    with pytest.raises(InputError, match="above 0 and at most 1"):
        prune(given(DnCNN()), IMAGES, 0.0)


def test_the_command_writes_ordinary_weights(tmp_path, capsys):
    model = DnCNN(depth=3, features=4, channels=3, norm=False)
    save_weights(tmp_path / "large.safetensors", lively(model), model)
    (tmp_path / "images").mkdir()
    for i, image in enumerate(IMAGES):
        write_image(tmp_path / "images" / f"{i}.png", Picture((255 * image).astype(np.uint8)))
    small = tmp_path / "small.safetensors"
    run("convert", tmp_path / "large.safetensors", "-o", small, "--prune", "0.25", "--images", tmp_path / "images")
    assert "model.fields.features=3 " in capsys.readouterr().err
    loaded = load_weights(small)
    assert (loaded.model, loaded.information["pruned"]) == (model.clone(features=3), "0.75 of the inner channels kept")
    assert jaxrestore.Restorer(loaded)(IMAGES[0]).shape == IMAGES[0].shape
    for arguments, said in {("--prune", "0.5"): "go together", ("--prune", "1", "--images", tmp_path): "at least 0 and below 1"}.items():
        said_line = refused_in_one_line(capsys, "convert", small, "-o", tmp_path / "x.safetensors", *arguments)
        assert said in said_line
    assert not (tmp_path / "x.safetensors").exists()
