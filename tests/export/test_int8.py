"""Convolutions of whole numbers: what they compute, what is learned for them from images, and what networks lose by them."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxrestore
from jaxrestore.data.images import Picture, write_image
from jaxrestore.errors import InputError
from jaxrestore.export.int8 import calibrate
from jaxrestore.export.int8_convolution import float_sums, int8_convolution, integer_sums, levels
from jaxrestore.export.network import Exportable
from jaxrestore.export.stablehlo import lower
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.models.super_resolution.edsr import EDSR
from jaxrestore.nn.initialise import initialise
from jaxrestore.weights import save_weights
from tests.cli.command import refused_in_one_line, run

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((2, 12, 10, 3), np.float32)
WINDOWS = {
    "plain": dict(strides=(1, 1), padding=((1, 1), (1, 1)), dilation=(1, 1)),
    "strided, dilated, uneven": dict(strides=(2, 1), padding=((2, 0), (1, 3)), dilation=(1, 2)),
}


def by_hand(image, kernel, strides, padding, dilation):
    """A convolution of whole numbers, tap by tap, in 64 bits."""
    padded = np.pad(image.astype(np.int64), ((0, 0), *padding, (0, 0)))
    reach = [d * (k - 1) for k, d in zip(kernel.shape, dilation, strict=False)]
    rows, columns = ((side - r - 1) // s + 1 for side, r, s in zip(padded.shape[1:3], reach, strides, strict=True))
    total = np.zeros((len(image), rows, columns, kernel.shape[-1]), np.int64)
    for i, j in itertools.product(*map(range, kernel.shape[:2])):
        top, left = i * dilation[0], j * dilation[1]
        part = padded[:, top : top + rows * strides[0] : strides[0], left : left + columns * strides[1] : strides[1]]
        total += part[:, :rows, :columns] @ kernel[i, j].astype(np.int64)
    return total


@pytest.mark.parametrize("name", WINDOWS)
def test_a_layer_equals_whole_numbers_multiplied_by_hand(name):
    window = WINDOWS[name]
    image = RANDOM.normal(0.3, 1, (2, 7, 6, 5)).astype(np.float32)
    kernel, steps = RANDOM.integers(-127, 128, (3, 2, 5, 4), np.int8), RANDOM.random(4, np.float32) / 100
    bias = RANDOM.normal(size=4).astype(np.float32)
    given = levels(-1.0, 2.0)
    whole = np.clip(np.rint(image / np.float32(given.step)) + given.zero, -128, 127)
    assert {-128, 127} <= set(whole.flatten())  # some are cut off
    sums = by_hand(whole - given.zero, kernel, **window)
    for form in (integer_sums, float_sums):  # exact, on platforms with and without units for whole numbers
        np.testing.assert_array_equal(form(jnp.asarray(whole), jnp.asarray(kernel), zero=given.zero, **window), sums, err_msg=form.__name__)
    found = int8_convolution(*map(jnp.asarray, (image, kernel, steps, bias)), given=given, result=(0.0, 1.0), **window)
    np.testing.assert_allclose(found, sums * (given.step * steps.astype(np.float64)) + bias, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("low", "high"), [(-1.0, 2.0), (0.5, 3.0), (-2.0, -1.0), (0.0, 0.0)])
def test_levels_cover_the_range_and_hold_zero(low, high):
    step, zero = levels(low, high)
    assert -128 <= zero <= 127
    assert step * (-128 - zero) <= min(low, 0) + step / 2
    assert step * (127 - zero) >= max(high, 0) - step / 2


def test_calibration_finds_what_goes_through_each_convolution():
    model = DnCNN(depth=3, features=4, channels=3, norm=False)
    variables = initialise(model, jax.random.key(0), IMAGES[:1])
    ranges = calibrate(lambda image: model.apply(variables, image), IMAGES, percentile=100)
    assert set(ranges) == {"conv_0", "conv_1", "conv_2"}
    np.testing.assert_allclose(ranges["conv_0"].given, (IMAGES.min(), IMAGES.max()))
    assert ranges["conv_1"].given == (0.0, max(ranges["conv_0"].result[1], 0))  # after the ReLU
    noise = IMAGES - model.apply(variables, IMAGES)
    np.testing.assert_allclose(ranges["conv_2"].result, (noise.min(), noise.max()), rtol=1e-4)
    narrow = calibrate(lambda image: model.apply(variables, image), IMAGES, percentile=90)
    assert all(narrow[path].given[1] < ranges[path].given[1] for path in ranges)


NETWORKS = (DnCNN(depth=4, features=16, channels=3, norm=False), EDSR(scale=2, features=8, depth=1))


@pytest.mark.parametrize("model", NETWORKS, ids=lambda model: type(model).__name__)
def test_networks_come_near_in_eight_bits(model, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'jaxrestore[test]'")
    variables = initialise(model, jax.random.key(1), IMAGES[:1])
    about = jaxrestore.export_network(model, tmp_path / "model.jaxexport", variables, int8=IMAGES)
    assert (about["int8"], about["int8_weights"]) == (True, False)
    jaxrestore.export_network(model, tmp_path / "model.onnx", variables, int8=IMAGES)
    image = IMAGES[:1, :9, :7]
    expected = np.asarray(model.apply(variables, image))
    scale = np.std(expected - expected.mean((1, 2)))
    own = np.asarray(jaxrestore.load_exported(tmp_path / "model.jaxexport")(image))
    assert 1e-5 * scale < np.std(own - expected) < 0.03 * scale
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    (theirs,) = session.run(None, {"image": image})
    assert np.std(theirs - own) < 0.03 * scale  # each of its results is rounded to eight bits again
    content = (tmp_path / "model.onnx").read_bytes()
    assert content.count(b"QLinearConv") == sum("kernel" in name for name in about["weights"] if "scale" not in name)
    if isinstance(model, DnCNN):  # whole numbers all the way from the image to the noise
        kinds = {kind: content.count(bytes([0x22, len(kind)]) + kind.encode()) for kind in ("QuantizeLinear", "DequantizeLinear", "Max")}
        assert kinds == {"QuantizeLinear": 1, "DequantizeLinear": 1, "Max": 0}


def test_platforms_with_units_for_whole_numbers_get_whole_numbers():
    model = DnCNN(depth=2, features=4, channels=3, norm=False)
    variables = initialise(model, jax.random.key(1), IMAGES[:1])
    ranges = calibrate(lambda image: model.apply(variables, image), IMAGES)
    exported, _ = lower(Exportable("test", model, variables, (), 3, 1, ranges=ranges), ("cuda", "tpu"), None)
    convolutions = [line for line in exported.mlir_module().splitlines() if "stablehlo.convolution" in line]
    assert len(convolutions) == 4  # two layers, for each platform
    assert all("xi8>" in line and "xi32>" in line and "xf32" not in line for line in convolutions)


def test_the_command_calibrates_on_a_folder_and_refuses_what_does_not_fit(tmp_path, capsys):
    model = DnCNN(depth=2, features=3, channels=3, norm=False)
    variables = initialise(model, jax.random.key(0), IMAGES[:1])
    save_weights(tmp_path / "weights.safetensors", variables, model)
    (tmp_path / "images").mkdir()
    for i, image in enumerate(IMAGES):
        write_image(tmp_path / "images" / f"{i}.png", Picture((255 * image).astype(np.uint8)))
    command = ("export", "--weights", tmp_path / "weights.safetensors", "-o", tmp_path / "model.jaxexport", "--int8")
    run(*command, tmp_path / "images")
    found = jaxrestore.load_exported(tmp_path / "model.jaxexport")(IMAGES)
    np.testing.assert_allclose(found, model.apply(variables, IMAGES), atol=0.05)
    capsys.readouterr()
    assert "the folder" in refused_in_one_line(capsys, *command, tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"images \(N, H, W, 3\)"):
        jaxrestore.export_network(model, tmp_path / "x.jaxexport", variables, int8=IMAGES[..., :1])
    ffdnet = jaxrestore.create_model("ffdnet_gray", features=4, depth=3)
    variables = initialise(ffdnet, jax.random.key(0), IMAGES[:1, ..., :1])
    with pytest.raises(InputError, match="takes noise_level beside the image, and cannot be calibrated: fix it with sigma"):
        jaxrestore.export_network(ffdnet, tmp_path / "x.jaxexport", variables, int8=IMAGES)
    assert not (tmp_path / "x.jaxexport").exists()
