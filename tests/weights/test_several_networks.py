"""A MATLAB file with one network for each noise level, as IRCNN's authors publish theirs: `CNNdenoiser{n}` is a cell of layers."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from jaxrestore.data.images import Picture, read_image, write_image
from jaxrestore.errors import InputError
from jaxrestore.inference import Restorer
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.models.restoration.ircnn import IRCNN, IRCNNSet
from jaxrestore.weights import load_weights, mat
from tests.cli.command import refused_in_one_line, run
from tests.compiled import compiled

RANDOM = np.random.default_rng(0)
DILATIONS = (1, 2, 3, 4, 3, 2, 1)


def kernels(features: int, channels: int) -> list[np.ndarray]:
    widths = [channels, *[features] * 6, channels]
    return [RANDOM.standard_normal((3, 3, a, b)).astype("f4") / 5 for a, b in itertools.pairwise(widths)]


def write(path: Path, networks: list[list[tuple[np.ndarray, np.ndarray]]], compressed: bool = True) -> Path:
    """Layers as MatConvNet names their parts, a ReLU between any two."""
    whole = np.empty((1, len(networks)), object)
    for n, layers in enumerate(networks):
        cell = np.empty((1, 2 * len(layers) - 1), object)
        for i, (kernel, bias) in enumerate(layers):
            weights = np.empty((1, 2), object)
            weights[0, 0], weights[0, 1] = kernel, bias.reshape(1, -1)
            cell[0, 2 * i] = {"type": "conv", "weights": weights, "stride": 1.0, "pad": float(DILATIONS[i]), "dilate": float(DILATIONS[i])}
            if i:
                cell[0, 2 * i - 1] = {"type": "relu"}
        whole[0, n] = cell
    scipy.io.savemat(path, {"CNNdenoiser": whole}, do_compression=compressed)
    return path


@pytest.fixture(scope="module")
def networks() -> list[list[tuple[np.ndarray, np.ndarray]]]:
    return [[(k, RANDOM.standard_normal(k.shape[-1]).astype("f4")) for k in kernels(2, 1)] for _ in range(25)]


@pytest.fixture(scope="module")
def path(tmp_path_factory, networks) -> Path:
    return write(tmp_path_factory.mktemp("ircnn") / "modelgray.mat", networks)


def test_each_network_is_read(path, networks):
    found = mat.read(path)
    assert (found.networks, len(found.layers), found.is_network) == (25, 175, True)
    for number, layers in enumerate(networks):
        for layer, (kernel, bias) in zip(found.network(number).layers, layers, strict=True):
            np.testing.assert_array_equal(layer.kernel, kernel)
            np.testing.assert_array_equal(layer.bias, bias)


@pytest.mark.parametrize(("sigma", "number"), [(0, 0), (2, 0), (25, 12), (26.5, 13), (75, 24)])
def test_a_level_takes_its_network(path, networks, sigma, number):
    loaded = load_weights(path, IRCNN(2), sigma)
    assert loaded.sigma == sigma
    for i, (kernel, bias) in enumerate(networks[number]):
        np.testing.assert_array_equal(loaded.variables["params"][f"conv_{i}"]["kernel"], kernel)
        np.testing.assert_array_equal(loaded.variables["params"][f"conv_{i}"]["bias"], bias)


def test_the_set_takes_all_and_restores_as_the_one(path):
    image = RANDOM.random((9, 8, 1), np.float32)
    loaded = load_weights(path, IRCNNSet(2), 25)
    assert loaded.sigma is None
    whole, one = Restorer(loaded), Restorer(IRCNN(2), path, sigma=25)
    assert (whole.takes, one.takes) == (("sigma",), ())
    alone = load_weights(path, IRCNN(2), 25)
    expected = compiled(alone.model.apply)(alone.variables, image[None])[0]
    np.testing.assert_allclose(one(image), expected, atol=1e-6)
    np.testing.assert_allclose(whole(image, sigma=25), expected, atol=1e-6)
    assert np.abs(whole(image, sigma=29) - expected).max() > 1e-3


def test_what_is_missing_is_said(tmp_path, path, networks):
    with pytest.raises(InputError, match=r"modelgray\.mat: holds 25 networks for as many noise levels: give sigma"):
        load_weights(path, IRCNN(2))
    with pytest.raises(InputError, match="do not fit DnCNN"):
        load_weights(path, DnCNN(7, 2, norm=False), 25)
    few = write(tmp_path / "few.mat", networks[:3])
    assert load_weights(few, IRCNN(2), 6).sigma == 6
    with pytest.raises(InputError, match=r"few\.mat: holds 3 networks, and none for sigma = 50"):
        load_weights(few, IRCNN(2), 50)
    unlike = write(tmp_path / "unlike.mat", [networks[0], networks[1][:-1]])
    with pytest.raises(InputError, match=r"unlike\.mat: holds 2 networks, of which number 2 has other shapes"):
        mat.read(unlike)


def test_the_command_takes_the_network_of_its_level(tmp_path, capsys):
    """Networks of the published size; the n-th takes n grey levels off."""
    shapes = [(3, 3, a, b) for a, b in zip((1, *[64] * 6), (*[64] * 6, 1), strict=True)]
    numbered = [[(np.zeros(s, "f4"), np.full(s[-1], n / 255 if s[-1] == 1 else 0, "f4")) for s in shapes] for n in range(1, 26)]
    path, photo = write(tmp_path / "modelgray.mat", numbered, compressed=False), tmp_path / "photo.png"
    write_image(photo, Picture(np.full((6, 7, 1), 100, np.uint8)))
    arguments = ["restore", photo, "--weights", path]
    run(*arguments, "-o", tmp_path / "one.png", "--model", "ircnn_gray", "--sigma", 25)
    assert (read_image(tmp_path / "one.png").pixels == 100 - 13).all()
    run(*arguments, "-o", tmp_path / "set.png", "--sigma", 40)  # the whole set is recognised
    assert (read_image(tmp_path / "set.png").pixels == 100 - 20).all()
    assert "give sigma" in refused_in_one_line(capsys, *arguments, "-o", tmp_path / "no.png", "--model", "ircnn_gray")
    assert not (tmp_path / "no.png").exists()
