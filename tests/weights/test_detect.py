"""`load_weights`: the network is found, named or given; what does not fit is said."""

import chex
import h5py
import jax
import numpy as np
import pytest
import scipy.io
from safetensors.numpy import save_file

from jaxrestore.errors import InputError
from jaxrestore.models.catalogue import create_model, list_models, model_card
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.nn.initialise import initialise
from jaxrestore.weights import convert, load_weights, save_weights
from jaxrestore.weights.contents import StateDict
from jaxrestore.weights.reference import expected_tensors, to_reference, variable_shapes
from tests.shared import SHARED, needs_testdata
from tests.weights.torch_bytes import write_arrays

DNCNN = SHARED / "testdata" / "weights" / "dncnn"


@needs_testdata
@pytest.mark.parametrize(
    ("file", "name", "form"),
    [
        ("dncnn_25.pth", "dncnn_gray", "merged"),
        ("sigma=25.mat", "dncnn_gray", "merged"),
        ("DnCNN-S-25_net.pth", "dncnn_gray", "without_bias"),
        ("DnCNN-B_net.pth", "dncnn_gray_blind", "without_bias"),
    ],
)
def test_authors_weights_are_recognised(file, name, form):
    found = load_weights(DNCNN / file)
    assert (found.name, found.form, found.source) == (name, form, str(DNCNN / file))
    assert found.model == model_card(name).create(form)
    assert found.report.startswith(f"{name} ({form}): ")
    named = load_weights(DNCNN / file, name)
    assert (named.name, named.form, named.model) == (name, form, found.model)
    given = load_weights(DNCNN / file, found.model)
    assert (given.name, given.form) == (name, form)
    for other in (named, given):
        chex.assert_trees_all_equal(other.variables, found.variables)


@needs_testdata
def test_the_same_network_in_two_files_and_another_in_a_third():
    torch, matlab, other = (load_weights(DNCNN / file) for file in ("dncnn_25.pth", "sigma=25.mat", "DnCNN-S-25_net.pth"))
    chex.assert_trees_all_equal(torch.variables, matlab.variables)
    image = np.random.default_rng(0).random((1, 9, 9, 1), np.float32)
    outputs = [np.asarray(found.model.apply(found.variables, image)) for found in (torch, matlab, other)]
    np.testing.assert_array_equal(outputs[0], outputs[1])
    # Trained by others for the same noise: close, not equal.
    assert 1e-4 < np.abs(outputs[0] - outputs[2]).max() < 0.2


@needs_testdata
def test_what_fits_nothing():
    with pytest.raises(
        InputError, match=r"dncnn_25\.pth: these weights do not fit dncnn_color_blind \(merged\): missing .*model\.0\.weight is"
    ) as e:
        load_weights(DNCNN / "dncnn_25.pth", "dncnn_color_blind")
    assert "\n" not in str(e.value)
    with pytest.raises(InputError, match=r"fit no network of the catalogue, and none is near: they have lin0\.model\.1\.weight"):
        load_weights(DNCNN.parent / "lpips" / "alex.pth")
    with pytest.raises(InputError, match=r"VDSR_Official\.mat: bare kernels and biases .* --model \(vdsr or dncnn_gray_blind\)$"):
        load_weights(DNCNN.parent / "vdsr" / "VDSR_Official.mat")


def test_what_is_near(tmp_path):
    narrow = model_card("dncnn_gray").create(features=8)
    variables = initialise(narrow, jax.random.key(0), np.zeros((1, 8, 8, 1), np.float32))
    save_file(to_reference(narrow, variables), tmp_path / "narrow.safetensors")
    with pytest.raises(InputError, match=r"narrow\.safetensors: these weights fit no network of the catalogue; the nearest are dncnn_gray"):
        load_weights(tmp_path / "narrow.safetensors")


def forms() -> list[tuple[str, str | None]]:
    cards = [card for card in map(model_card, list_models()) if card.reference_names is not None]
    return [(card.name, form) for card in cards for form in (None, *card.forms)]


TWINS = (
    ("fsrcnn_x2", "fsrcnn_x3", "fsrcnn_x4"),
    ("srresnet_x4", "srgan_x4"),
    ("idn_x2", "idn_x3", "idn_x4"),
    ("restormer_deblur", "restormer_derain"),
    ("dip_denoising", "dip_super_resolution"),
    ("deblurgan_discriminator", "cyclegan_discriminator"),
)
"""Networks whose weights have the same names and shapes."""


@pytest.mark.parametrize(("name", "form"), forms(), ids=str)
def test_every_form_of_every_card_is_recognised(tmp_path, monkeypatch, name, form):
    model = model_card(name).create(form)
    path = tmp_path / "x.pth"
    path.touch()
    # As if read from the file: the largest have half a gigabyte of weights, of which only names and shapes matter here.
    tensors = {k: np.broadcast_to(np.float32(0.0), shape) for k, shape in expected_tensors(model).items()}
    monkeypatch.setattr("jaxrestore.weights.detect.read", lambda path: StateDict(tensors))
    monkeypatch.setattr("jaxrestore.weights.detect.from_reference", lambda model, state: {})
    twins = next((twins for twins in TWINS if name in twins), None)
    if twins is None:
        found = load_weights(path)
        assert (found.name, found.form) == (name, form)
        return
    with pytest.raises(InputError, match=f"these weights fit {', '.join(twins)} equally"):
        load_weights(path)
    assert load_weights(path, name).name == name


def zeros(model) -> dict:
    return jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), variable_shapes(model))


def test_the_nearest_are_named(tmp_path):
    state = {k: np.zeros(shape, np.float32) for k, shape in expected_tensors(create_model("dncnn_gray")).items()}
    del state["model.0.weight"]
    state["model.3.bias"] = np.zeros(7, np.float32)
    with pytest.raises(
        InputError, match=r"nearest are dncnn_gray: missing model\.0\.weight; model\.3\.bias is \(7,\), the network has \(64,\) \| "
    ):
        load_weights(write_arrays(tmp_path / "x.pth", state))


def test_several_that_fit_equally(tmp_path, monkeypatch):
    card = model_card("dncnn_gray")
    twin = type(card)(**{**{f: getattr(card, f) for f in card.__dataclass_fields__}, "name": "twin"})
    monkeypatch.setattr("jaxrestore.weights.detect.list_models", lambda: ("dncnn_gray", "twin"))
    monkeypatch.setattr("jaxrestore.weights.detect.model_card", {"dncnn_gray": card, "twin": twin}.__getitem__)
    state = {k: np.zeros(shape, np.float32) for k, shape in expected_tensors(card.create()).items()}
    with pytest.raises(InputError, match="fit dncnn_gray, twin equally: say which with --model"):
        load_weights(write_arrays(tmp_path / "x.pth", state))


def test_layers_without_names(tmp_path):
    model = DnCNN(depth=3, features=2, norm=False)
    cells = np.empty((1, 3), object)
    biases = np.empty((1, 3), object)
    for i, shape in enumerate(((3, 3, 1, 2), (3, 3, 2, 2), (3, 3, 2, 1))):
        cells[0, i], biases[0, i] = np.full(shape, i, np.float32), np.full((shape[-1], 1), -i, np.float32)
    scipy.io.savemat(tmp_path / "x.mat", {"model": {"weight": cells, "bias": biases}})
    found = load_weights(tmp_path / "x.mat", model)
    assert (found.name, found.form) == (None, None)
    assert found.report.startswith("DnCNN: 6 arrays from ")
    np.testing.assert_array_equal(found.variables["params"]["conv_2"]["kernel"], np.full((3, 3, 2, 1), 2.0))
    np.testing.assert_array_equal(found.variables["params"]["conv_1"]["bias"], np.full(2, -1.0))


def test_our_own_arrays_without_a_description(tmp_path):
    model = create_model("dncnn_gray")
    flat = {"/".join(p.key for p in path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(zeros(model))}
    np.savez(tmp_path / "x.npz", **flat)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for path, value in flat.items():
            file[path] = value
    assert load_weights(tmp_path / "x.h5").name == "dncnn_gray"
    for asked in (None, "dncnn_gray", model):
        assert load_weights(tmp_path / "x.npz", asked).name == "dncnn_gray"
    with pytest.raises(InputError, match="do not fit DnCNN: missing batch_stats/norm_16/mean"):
        load_weights(tmp_path / "x.npz", create_model("dncnn_gray_blind"))


def test_a_file_that_says_it_is_another_network(tmp_path):
    model = create_model("dncnn_color_blind")
    save_weights(tmp_path / "x.safetensors", zeros(model), model, "dncnn_color_blind")
    assert load_weights(tmp_path / "x.safetensors").name == "dncnn_color_blind"
    with pytest.raises(InputError, match="these weights are for dncnn_color_blind, not for dncnn_gray"):
        load_weights(tmp_path / "x.safetensors", "dncnn_gray")
    # Fields that change no shape count too.
    other = model.clone(norm_epsilon=0.5)
    save_weights(tmp_path / "y.safetensors", zeros(other), other, "dncnn_color_blind")
    found = load_weights(tmp_path / "y.safetensors", "dncnn_color_blind")
    assert found.model == other
    assert found.name is None


def test_unknown_names(tmp_path):
    with pytest.raises(InputError, match=r"no\.tag: there is no such file, nor weights of that name"):
        load_weights("no.tag")
    path = write_arrays(tmp_path / "x.pth", {"a": np.zeros(1)})
    with pytest.raises(InputError, match="unknown model 'dncn_gray': did you mean dncnn_gray"):
        load_weights(path, "dncn_gray")


@needs_testdata
@pytest.mark.parametrize("destination", ["x.safetensors", "x", "x.npz"])
def test_conversion_keeps_every_bit(tmp_path, destination):
    source = DNCNN / "dncnn_25.pth"
    convert(source, tmp_path / destination)
    first, second = load_weights(source), load_weights(tmp_path / destination)
    chex.assert_trees_all_equal(second.variables, first.variables)
    assert (second.name, second.form, second.model) == (first.name, first.form, first.model)
    assert [path.name for path in tmp_path.iterdir()] == [destination]


@needs_testdata
def test_conversion_to_the_reference_layout(tmp_path):
    from safetensors.numpy import load_file

    from jaxrestore.weights.torch_file import read

    convert(DNCNN / "DnCNN-S-25_net.pth", tmp_path / "x.safetensors", reference=True)
    theirs = read(DNCNN / "DnCNN-S-25_net.pth")
    written = load_file(tmp_path / "x.safetensors")
    assert {f"module.{name}" for name in written} == {name for name in theirs if not name.endswith("num_batches_tracked")}
    for name, value in written.items():
        np.testing.assert_array_equal(value, theirs[f"module.{name}"])


def test_conversion_to_nothing_that_is_written(tmp_path):
    for destination, reference, message in (
        ("x.pth", False, "not a kind that is written"),
        ("x", True, "reference's layout is written to"),
    ):
        with pytest.raises(InputError, match=message):
            convert("anything", tmp_path / destination, reference=reference)
