"""The authors' own weights through the command line give the PSNR that was measured with the authors' own code."""

import json

import jax
import numpy as np
import pytest

from jaxrestore.data.images import Picture, find_images, from_float, read_image, to_float, write_image
from jaxrestore.metrics import psnr
from jaxrestore.ops.resize import imresize
from jaxrestore.weights import load_weights
from tests.cli.command import refused_in_one_line, run
from tests.shared import SHARED, needs_testdata

FOLDER = SHARED / "testdata"


@needs_testdata
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("file", "model", "expected"),
    [
        ("dncnn/DnCNN-S-25_net.pth", "dncnn_gray", 30.408),
        ("dncnn/DnCNN-B_net.pth", "dncnn_gray_blind", 30.353),
        ("dncnn/dncnn_25.pth", "dncnn_gray", 30.445),
        ("ffdnet/FFDNet_gray.mat", "ffdnet_gray", 30.432),
    ],
)
def test_psnr_on_set12(file, model, expected, capsys):
    capsys.readouterr()
    weights, data = FOLDER / "weights" / file, FOLDER / "images" / "Set12"
    run("evaluate", "--model", model, "--weights", weights, "--data", data, "--task", "denoise", "--sigma", 25, "--json")
    report = json.loads(capsys.readouterr().out)
    assert len(report["images"]) == 12
    assert report["mean"]["psnr"] == pytest.approx(expected, abs=0.03)
    assert report["convention"]["name"] == "gray"


def evaluate_set5(capsys, file, *extra):
    capsys.readouterr()
    data = FOLDER / "images" / "Set5"
    run("evaluate", "--weights", FOLDER / "weights" / file, "--data", data, "--task", "sr", "--metrics", "psnr", "--json", *extra)
    report = json.loads(capsys.readouterr().out)
    assert len(report["images"]) == 5
    return report


@needs_testdata
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("file", "options", "scale", "expected"),
    [
        # Networks that the file itself tells are not named.
        ("srcnn/weights.pkl", ["--scale", 3], 3, 32.462),
        ("vdsr/VDSR_Official.mat", ["--model", "vdsr", "--scale", 4], 4, 31.343),
        ("carn_m/carn_m.pth", ["--scale", 3], 3, 34.068),
        ("imdn/IMDN_x4.pth", [], 4, 32.205),
    ],
)
def test_psnr_on_set5(file, options, scale, expected, capsys):
    report = evaluate_set5(capsys, file, *options)
    assert report["mean"]["psnr"] == pytest.approx(expected, abs=0.02)
    assert report["convention"]["name"] == f"luma+border{scale}+round8"
    assert report["protocol"]["scale"] == scale


@needs_testdata
@pytest.mark.timeout(600)
def test_noise2noise_in_colour(capsys):
    """Weights that were trained without clean images, in a file that says itself which network they are for."""
    capsys.readouterr()
    weights, data = FOLDER / "weights" / "unet_n2n" / "n2n-gaussian.pt", FOLDER / "images" / "Set5"
    run("evaluate", "--weights", weights, "--data", data, "--task", "denoise", "--sigma", 25, "--metrics", "psnr", "--json")
    report = json.loads(capsys.readouterr().out)
    assert report["model"] == "noise2noise_shared"
    assert report["mean"]["psnr"] == pytest.approx(31.061, abs=0.01)


def rounded_down(image: np.ndarray) -> np.ndarray:
    """Full-range YCbCr as ESPCN-Pytorch makes it: clipped to the studio range and rounded down."""
    matrix = np.array([[0.299, 0.587, 0.114], [-0.16874, -0.33126, 0.5], [0.5, -0.41869, -0.08131]])
    luma_chroma = image.astype(np.float64) @ matrix.T + [0, 128, 128]
    return np.floor(np.clip(luma_chroma, 16, [235, 240, 240])).astype(np.float32) / 255


@needs_testdata
@pytest.mark.parametrize(("scale", "expected"), [(3, 34.692), (4, 32.065)])
def test_espcn_in_the_convention_of_its_authors(scale, expected):
    """All channels of YCbCr against YCbCr, both rounded down, which ours are not: hence by hand around the network itself."""
    weights = load_weights(FOLDER / "weights" / "espcn" / f"ESPCN-x{scale}.pt")
    assert weights.name == f"espcn_ycbcr_x{scale}"
    inner = jax.jit(weights.model.clone(ycbcr=False).apply)
    scores = []
    for path in find_images(FOLDER / "images" / "Set5"):
        clean = read_image(path).pixels
        clean = clean[: clean.shape[0] // scale * scale, : clean.shape[1] // scale * scale]
        small = from_float(np.asarray(imresize(to_float(clean), 1 / scale)), np.uint8)
        restored = np.clip(inner(weights.variables, rounded_down(small)[None])[0], 0, 1)
        scores.append(-10 * np.log10(np.mean((restored - rounded_down(clean)) ** 2)))
    assert np.mean(scores) == pytest.approx(expected, abs=0.01)


@needs_testdata
def test_restoring_by_the_weights_of_vdsr(tmp_path, capsys):
    weights = FOLDER / "weights" / "vdsr" / "VDSR_Official.mat"
    clean = read_image(FOLDER / "images" / "Set5" / "butterfly.png").pixels[:255, :255]
    small = from_float(np.asarray(imresize(to_float(clean), 1 / 3)), np.uint8)
    write_image(tmp_path / "small.png", Picture(small))
    arguments = ["restore", tmp_path / "small.png", "-o", tmp_path / "large.png", "--weights", weights]
    assert "--model (vdsr or dncnn_gray_blind)" in refused_in_one_line(capsys, *arguments, "--scale", 3)
    assert "give scale, 2, 3 or 4" in refused_in_one_line(capsys, *arguments, "--model", "vdsr")
    run(*arguments, "--model", "vdsr", "--scale", 3)
    large = read_image(tmp_path / "large.png").pixels
    interpolated = np.clip(np.asarray(imresize(to_float(small), 3)), 0, 1)
    scores = [float(psnr(to_float(image), to_float(clean), convention="luma+border3+round8")) for image in (interpolated, large)]
    assert scores == pytest.approx([24.04, 29.95], abs=0.15)  # what evaluation gives, where luma is not rounded
