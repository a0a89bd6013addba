"""MATLAB, safetensors, NumPy and HDF5 files: against the libraries that write them, authors' files, and damage."""

import struct
import subprocess
import sys
import zipfile
import zlib

import h5py
import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxrestore.errors import InputError
from jaxrestore.weights import h5_file, mat, npz_file, safetensors_file
from jaxrestore.weights.contents import StateDict
from jaxrestore.weights.read import read
from jaxrestore.weights.torch_file import read as read_torch
from tests.shared import SHARED, needs_testdata

WEIGHTS = SHARED / "testdata" / "weights"
RANDOM = np.random.default_rng(0)
KERNELS = [RANDOM.normal(size=shape).astype("f4") for shape in ((3, 3, 1, 4), (1, 1, 4, 5), (3, 3, 5, 1))]
BIASES = [RANDOM.normal(size=kernel.shape[-1]).astype("f4") for kernel in KERNELS]


@needs_testdata
def test_the_same_network_from_matlab_and_from_torch():
    layers = mat.read(WEIGHTS / "dncnn" / "sigma=25.mat").layers
    state = read_torch(WEIGHTS / "dncnn" / "dncnn_25.pth")
    assert 2 * len(layers) == len(state)
    for i, layer in enumerate(layers):
        np.testing.assert_array_equal(layer.kernel, state[f"model.{2 * i}.weight"].transpose(2, 3, 1, 0))
        np.testing.assert_array_equal(layer.bias, state[f"model.{2 * i}.bias"])


@needs_testdata
@pytest.mark.parametrize(
    ("name", "count", "first", "last", "is_network"),
    [
        ("ffdnet/FFDNet_gray.mat", 15, (3, 3, 5, 64), (3, 3, 64, 4), True),
        ("vdsr/VDSR_Official.mat", 20, (3, 3, 1, 64), (3, 3, 64, 1), False),
    ],
)
def test_authors_matlab_files(name, count, first, last, is_network):
    network = mat.read(WEIGHTS / name)
    assert (len(network.layers), network.is_network) == (count, is_network)
    assert (network.layers[0].kernel.shape, network.layers[-1].kernel.shape) == (first, last)
    assert all(layer.bias.shape == layer.kernel.shape[-1:] for layer in network.layers)
    assert network.layers[0].kernel.dtype == np.float32


def simple_network(kernels=KERNELS, biases=BIASES) -> dict:
    layers = np.empty((1, 2 * len(kernels)), object)
    for i, (kernel, bias) in enumerate(zip(kernels, biases, strict=True)):
        weights = np.empty((1, 2), object)
        weights[0, 0], weights[0, 1] = kernel, bias.reshape(1, -1)
        layers[0, 2 * i] = {"type": "conv", "weights": weights, "pad": 1.0}
        layers[0, 2 * i + 1] = {"type": "relu", "leak": 0.0}
    return {"net": {"layers": layers}}


def write_hdf5_network(path):
    """The same network as MATLAB 7.3 writes it: axes reversed, trailing ones dropped, everything behind references."""
    with h5py.File(path, "w", userblock_size=512) as file:
        references = []

        def reference(value):
            entry = file.create_dataset(f"#refs#/{len(references)}", data=value)
            references.append(entry)
            return entry.ref

        layers = []
        for i, (kernel, bias) in enumerate(zip(KERNELS, BIASES, strict=True)):
            group = file.create_group(f"#refs#/layer{i}")
            stored = kernel[..., 0] if kernel.shape[-1] == 1 else kernel
            cells = np.array([[reference(stored.T)], [reference(bias.reshape(-1, 1))]], dtype=h5py.ref_dtype)
            group.create_dataset("weights", data=cells, dtype=h5py.ref_dtype).attrs["MATLAB_class"] = np.bytes_("cell")
            kind = group.create_dataset("type", data=np.array([list(b"conv")], np.uint16).T)
            kind.attrs["MATLAB_class"] = np.bytes_("char")
            empty = group.create_dataset("opts", data=np.zeros(2, np.uint64))
            empty.attrs["MATLAB_class"], empty.attrs["MATLAB_empty"] = np.bytes_("cell"), np.uint8(1)
            layers.append([group.ref])
        file.create_dataset("net/layers", data=np.array(layers, dtype=h5py.ref_dtype), dtype=h5py.ref_dtype)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64")
    return path


def write_version_5(path, compressed=True):
    scipy.io.savemat(path, simple_network(), do_compression=compressed)
    return path


@pytest.mark.parametrize("write", [write_version_5, write_hdf5_network], ids=["v5", "v7.3"])
def test_matconvnet(tmp_path, write):
    layers = read(write(tmp_path / "net.mat")).layers
    assert len(layers) == len(KERNELS)
    for layer, kernel, bias in zip(layers, KERNELS, BIASES, strict=True):
        np.testing.assert_array_equal(layer.kernel, kernel)
        np.testing.assert_array_equal(layer.bias, bias)


def test_matconvnet_normalisation_is_merged(tmp_path):
    content = simple_network(KERNELS[:1], BIASES[:1])
    scale, shift = np.array([1.0, 2.0, 0.5, -1.0], "f4"), np.array([0.1, 0.2, 0.3, 0.4], "f4")
    mean, deviation = np.array([1.0, -1.0, 0.0, 2.0], "f4"), np.array([0.5, 1.0, 2.0, 4.0], "f4")
    weights = np.empty((1, 3), object)
    weights[0, :] = [scale[:, None], shift[:, None], np.stack([mean, deviation], 1)]
    content["net"]["layers"][0, 1] = {"type": "bnorm", "weights": weights}
    scipy.io.savemat(tmp_path / "net.mat", content)
    (layer,) = mat.read(tmp_path / "net.mat").layers
    pixel = RANDOM.normal(size=(3, 3, 1)).astype("f4")
    before = np.einsum("hwi,hwio->o", pixel, KERNELS[0]) + BIASES[0]
    after = np.einsum("hwi,hwio->o", pixel, layer.kernel) + layer.bias
    np.testing.assert_allclose(after, scale * (before - mean) / deviation + shift, rtol=1e-5)


def test_matlab_file_without_a_network(tmp_path):
    scipy.io.savemat(tmp_path / "x.mat", {"image": np.ones((4, 4))})
    with pytest.raises(InputError, match=r"x\.mat: holds image, but neither net\.layers nor model\.weight"):
        mat.read(tmp_path / "x.mat")


def test_a_matlab_bomb(tmp_path):
    path = tmp_path / "bomb.mat"
    body = zlib.compress(struct.pack("<II", 14, 2**26) + bytes(2**26), 9)
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + struct.pack("<II", 15, len(body)) + body)
    assert path.stat().st_size < 100_000
    with pytest.raises(InputError, match="would unpack to"):
        mat.read(path)


ARRAYS = {"b.weight": RANDOM.normal(size=(2, 3)).astype("f4"), "a.bias": np.array(3.0, "f2"), "c": np.arange(6).reshape(2, 3)}


def test_safetensors_written_by_the_library(tmp_path):
    half = np.array([1.5, -2.0], ml_dtypes.bfloat16)
    (tmp_path / "x.safetensors").write_bytes(safetensors.numpy.save({**ARRAYS, "half": half}, {"note": "hello"}))
    found, metadata = safetensors_file.read(tmp_path / "x.safetensors")
    assert metadata == {"note": "hello"}
    assert set(found) == {*ARRAYS, "half"}
    for name, value in {**ARRAYS, "half": half}.items():
        assert found[name].dtype == value.dtype
        np.testing.assert_array_equal(found[name], value)


def test_safetensors_read_by_the_library(tmp_path):
    transposed = np.arange(6, dtype="f4").reshape(2, 3).T
    safetensors_file.write(tmp_path / "x.safetensors", {**ARRAYS, "t": transposed})
    found = safetensors.numpy.load_file(tmp_path / "x.safetensors")
    for name, value in {**ARRAYS, "t": transposed}.items():
        np.testing.assert_array_equal(found[name], value)
    assert [path.name for path in tmp_path.iterdir()] == ["x.safetensors"]


def test_npz_and_h5(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", **ARRAYS)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for name, value in ARRAYS.items():
            file.create_dataset(f"group/{name}", data=value, compression="gzip" if value.ndim else None)
        file["note"] = "not an array"
    for prefix, found in (("", npz_file.read(tmp_path / "x.npz")), ("group/", h5_file.read(tmp_path / "x.h5"))):
        assert set(found) == {prefix + name for name in ARRAYS}
        for name, value in ARRAYS.items():
            np.testing.assert_array_equal(found[prefix + name], value)
    npz_file.write(tmp_path / "y.npz", ARRAYS)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npz")["c"], ARRAYS["c"])


def test_npz_and_h5_bombs(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", a=np.zeros(2**23))
    np.savez(tmp_path / "objects.npz", a=np.array([{}], dtype=object))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("a", shape=(2**40,), dtype="f4", chunks=(1024,))
    for name, reader in (("x.npz", npz_file.read), ("x.h5", h5_file.read)):
        with pytest.raises(InputError, match="would unpack to"):
            reader(tmp_path / name)
    with pytest.raises(InputError, match="Object arrays"):
        npz_file.read(tmp_path / "objects.npz")


def test_files_without_arrays(tmp_path):
    safetensors_file.write(tmp_path / "x.safetensors", {})
    npz_file.write(tmp_path / "x.npz", {})
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["note"] = "not an array"
    for path in tmp_path.iterdir():
        with pytest.raises(InputError, match=r"x\.\w+: "):
            read(path)


def whole_files(folder) -> dict[str, object]:
    safetensors_file.write(folder / "x.safetensors", ARRAYS)
    npz_file.write(folder / "x.npz", ARRAYS)
    with h5py.File(folder / "x.h5", "w") as file:
        file["a"] = ARRAYS["c"]
    write_version_5(folder / "v5.mat")
    write_version_5(folder / "v5plain.mat", compressed=False)
    write_hdf5_network(folder / "v73.mat")
    return {path.name: path for path in folder.iterdir()}


@settings(deadline=None, max_examples=20, database=None)
@given(data=st.data())
def test_a_cut_file_is_always_an_input_error(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("cut")
    for name, path in whole_files(folder).items():
        content = path.read_bytes()
        cut = folder / f"cut_{name}"
        cut.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
        with pytest.raises(InputError, match="cut_") as caught:
            read(cut)
        assert "\n" not in str(caught.value)
        assert "TypeCheck" not in str(caught.value)


def test_the_first_bytes_decide_not_the_name(tmp_path):
    np.savez(tmp_path / "x.npz", **ARRAYS)
    renamed = (tmp_path / "x.npz").rename(tmp_path / "weights.pth")
    assert isinstance(read(renamed), StateDict)
    for name, content, message in (
        ("empty.pth", b"", "is empty"),
        ("text.pth", b"this is a text file, renamed\n" * 40, "damaged or no torch file"),
        ("text.safetensors", b"hello world, hello world", "is not a file of weights"),
        ("text.mat", b"hello world, hello world", "is not a file of weights"),
        ("photo.pth", b"\x89PNG\r\n\x1a\n" + bytes(100), "damaged or no torch file"),
        ("page.npz", b"PK\x03\x04 something", "zip archive"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=message) as caught:
            read(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read(tmp_path / "absent.pth")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="folder without a checkpoint"):
        read(tmp_path / "folder")


def test_an_encrypted_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
    content = bytearray((tmp_path / "x.pth").read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(InputError, match="encrypted"):
        read(tmp_path / "x.pth")


def test_importing_the_package_imports_no_format_library():
    heavy = ("h5py", "scipy", "orbax.checkpoint", "torch")
    code = f"import sys, jaxrestore.weights as w; w.load_weights; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
