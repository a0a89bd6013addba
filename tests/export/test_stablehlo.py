"""Exported networks give what the network gives, at any size, without its code."""

import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxrestore
from jaxrestore.errors import InputError
from jaxrestore.export.int8_weights import quantise
from jaxrestore.models.catalogue import model_card
from jaxrestore.models.inputs import side_inputs
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.nn.initialise import initialise
from jaxrestore.weights import save_weights
from tests.cli.command import refused_in_one_line, run
from tests.compiled import compiled
from tests.export.small import small

ONE_OF_EACH_FAMILY = {
    "drunet_gray": ((1, 5, 7), (2, 9, 8)),  # padding to a multiple, transposed convolutions, a noise level
    "swinir_classical_x2": ((2, 9, 5),),  # shifted windows
    "unet_bilinear": ((1, 9, 8),),  # pooling, interpolation
    "idn_x3": ((1, 5, 7),),  # MATLAB's interpolation
}


def export(model, folder: Path, name: str = "network", **options):
    variables = initialise(model, jax.random.key(3), np.zeros((1, 32, 32, model.channels), np.float32))
    path = folder / f"{name}.jaxexport"
    about = jaxrestore.export_network(model, path, variables, **options)
    return path, variables, about


def pictures(model, count: int, height: int, width: int) -> tuple:
    random = np.random.default_rng(height)
    image = random.random((count, height, width, model.channels), np.float32)
    maps = {"noise_level": random.random((count, height, width, 1), np.float32), "mask": random.random((count, height, width, 1)) < 0.3}
    return image, {name: maps[name] for name in side_inputs(model)}


@pytest.mark.parametrize("name", ONE_OF_EACH_FAMILY)
def test_an_exported_network_gives_what_the_network_gives(name, tmp_path):
    model = small(model_card(name))
    path, variables, about = export(model, tmp_path)
    assert about["size"] == {"height": None, "width": None}
    loaded = jaxrestore.load_exported(path)
    for count, height, width in ONE_OF_EACH_FAMILY[name]:
        image, maps = pictures(model, count, height, width)
        expected = compiled(lambda v, x, m: model.apply(v, x, **m))(variables, image, maps)
        np.testing.assert_allclose(loaded(image, **maps), expected, atol=2e-6 * max(1, np.abs(expected).max()), rtol=0)


def test_weights_may_lie_beside_the_program(tmp_path):
    model = DnCNN(depth=2, features=3, channels=1, norm=False)
    inside, variables, _ = export(model, tmp_path, "inside")
    beside, _, about = export(model, tmp_path, "beside", weights_beside=True)
    assert about["weights_file"] == "beside.safetensors"
    assert "params/head/kernel" not in about  # only its checksum
    image, _ = pictures(model, 1, 6, 5)
    np.testing.assert_array_equal(jaxrestore.load_exported(beside)(image), jaxrestore.load_exported(inside)(image))
    np.testing.assert_array_equal(jaxrestore.load_exported(beside)(image[0]), jaxrestore.load_exported(inside)(image)[0])
    other = jax.tree.map(lambda leaf: leaf + 1, variables)
    jaxrestore.export_network(model, tmp_path / "other.jaxexport", other, weights_beside=True)
    (tmp_path / "other.safetensors").replace(tmp_path / "beside.safetensors")
    with pytest.raises(InputError, match=r"beside\.safetensors: params/.* is not what beside\.jaxexport was exported with"):
        jaxrestore.load_exported(beside)


def test_kernels_in_eight_bits(tmp_path):
    kernel = np.random.default_rng(0).standard_normal((3, 3, 8, 5)).astype(np.float32) * np.asarray([1e-3, 1, 50, 0, 1], np.float32)
    whole, scale = quantise(kernel)
    assert whole.dtype == np.int8
    step = np.abs(kernel).max((0, 1, 2)) / 127  # plain rounding errs by a step / sqrt(12); the best share of the range by no more
    assert (np.sqrt(np.square(whole * scale - kernel).mean((0, 1, 2))) <= 1.02 * step / np.sqrt(12)).all()
    model = DnCNN(depth=4, features=16, channels=1, norm=False)
    path, variables, about = export(model, tmp_path, int8_weights=True)
    assert about["int8_weights"]
    image, _ = pictures(model, 1, 6, 5)
    expected = model.apply(variables, image)
    error = np.std(jaxrestore.load_exported(path)(image) - expected)
    # Weights of three standard deviations in 127 steps are off by 0.7 %; four layers of that make 1.4 % of what the network takes off.
    assert 1e-4 < error < 0.02 * np.std(image - expected)
    weights_alone, _, _ = export(model, tmp_path, "alone", int8_weights=True, weights_beside=True)
    whole_file, _, _ = export(model, tmp_path, "whole", weights_beside=True)
    small, large = (file.with_suffix(".safetensors").stat().st_size for file in (weights_alone, whole_file))
    assert small < 0.35 * large


def test_an_exported_network_runs_without_our_networks(tmp_path):
    model = DnCNN(depth=2, features=3, channels=1, norm=False)
    path, variables, _ = export(model, tmp_path)
    image, _ = pictures(model, 1, 6, 5)
    np.save(tmp_path / "image.npy", image)
    code = f"""
import sys
for name in ("flax", "jaxrestore.models", "jaxrestore.nn", "jaxrestore.ops", "jaxrestore.inference", "jaxrestore.weights"):
    sys.modules[name] = None  # importing it raises
import numpy as np
from jaxrestore.export.load import load_exported
np.save({str(tmp_path / "result.npy")!r}, load_exported({str(path)!r})(np.load({str(tmp_path / "image.npy")!r})))
"""
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr
    np.testing.assert_allclose(np.load(tmp_path / "result.npy"), model.apply(variables, image), atol=1e-6)


def test_what_does_not_fit_is_refused_in_one_line(tmp_path):
    model = DnCNN(depth=2, features=3, channels=1, norm=False)
    path, _, _ = export(model, tmp_path, size=(6, 5), platforms=("cpu", "tpu"))
    loaded = jaxrestore.load_exported(path)
    assert loaded(jnp.zeros((3, 6, 5, 1))).shape == (3, 6, 5, 1)  # any number of images
    for shape, said in {
        (1, 6, 7, 1): "width is 7: network.jaxexport was exported for 5",
        (1, 6, 5, 3): r"takes images \(N, H, W, 1\)",
    }.items():
        with pytest.raises(InputError, match=said):
            loaded(jnp.zeros(shape))
    with pytest.raises(InputError, match="takes no noise_level"):
        loaded(jnp.zeros((1, 6, 5, 1)), noise_level=0.1)
    other, _, _ = export(model, tmp_path, "other", size=(6, 5), platforms=("tpu",))
    with pytest.raises(InputError, match="was exported for tpu, not for cpu"):
        jaxrestore.load_exported(other)(jnp.zeros((1, 6, 5, 1)))
    with pytest.raises(InputError, match="platforms vulkan: choose from cpu"):
        export(model, tmp_path, platforms=("cpu", "vulkan"))
    with pytest.raises(InputError, match="IPT works on squares of one size: give the images' size with --size"):
        export(small(model_card("ipt_x2")), tmp_path)
    content = path.read_bytes()
    without_a_key = content.replace(b"program_checksum", b"program_checksux")
    later = content.replace(b'{\\"format\\": 1', b'{\\"format\\": 9')
    assert content not in (without_a_key, later)
    for damaged in (content[:50], content[:-9] + bytes(9), without_a_key, later, b"", b"\xff" * 40):
        (tmp_path / "damaged.jaxexport").write_bytes(damaged)
        with pytest.raises(InputError, match=r"damaged\.jaxexport"):
            jaxrestore.load_exported(tmp_path / "damaged.jaxexport")


def test_the_command_exports_by_name_and_by_weights(tmp_path, capsys):
    model = DnCNN(depth=2, features=2, channels=1, norm=False)
    variables = initialise(model, jax.random.key(0), np.zeros((1, 8, 8, 1), np.float32))
    save_weights(tmp_path / "weights.safetensors", variables, model)
    run("export", "--weights", tmp_path / "weights.safetensors", "-o", tmp_path / "model.jaxexport")
    assert "DnCNN" in capsys.readouterr().err
    image, _ = pictures(model, 1, 6, 5)
    np.testing.assert_allclose(jaxrestore.load_exported(tmp_path / "model.jaxexport")(image), model.apply(variables, image), atol=1e-6)
    assert "nothing to export" in refused_in_one_line(capsys, "export", "-o", tmp_path / "x.jaxexport")
    assert "did you mean" in refused_in_one_line(capsys, "export", "dncnn_grey", "-o", tmp_path / "x.jaxexport")
    assert "HEIGHTxWIDTH" in refused_in_one_line(
        capsys, "export", "--weights", tmp_path / "weights.safetensors", "--size", "9", "-o", tmp_path / "x.jaxexport"
    )
    assert "classical method" in refused_in_one_line(capsys, "export", "median:size=3", "-o", tmp_path / "x.jaxexport")
    assert not (tmp_path / "x.jaxexport").exists()
