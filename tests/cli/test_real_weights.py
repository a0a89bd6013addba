"""The authors' own weights through the command line give the PSNR that was measured with the authors' own code."""

import json

import pytest

from tests.cli.command import run
from tests.shared import SHARED, needs_testdata

FOLDER = SHARED / "testdata"


@needs_testdata
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("file", "model", "expected"),
    [
        ("DnCNN-S-25_net.pth", "dncnn_gray", 30.408),
        ("DnCNN-B_net.pth", "dncnn_gray_blind", 30.353),
        ("dncnn_25.pth", "dncnn_gray", 30.445),
        ("sigma=25.mat", "dncnn_gray", 30.445),
    ],
)
def test_psnr_on_set12(file, model, expected, capsys):
    capsys.readouterr()
    weights, data = FOLDER / "weights" / "dncnn" / file, FOLDER / "images" / "Set12"
    run("evaluate", "--model", model, "--weights", weights, "--data", data, "--task", "denoise", "--sigma", 25, "--json")
    report = json.loads(capsys.readouterr().out)
    assert len(report["images"]) == 12
    assert report["mean"]["psnr"] == pytest.approx(expected, abs=0.03)
    assert report["convention"]["name"] == "gray"
