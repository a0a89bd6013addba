"""The weights in the package score what they say they score, through the public command."""

import json

import pytest

from jaxrestore.cli.main import main
from jaxrestore.weights import list_pretrained, load_weights
from tests.shared import SHARED, needs_testdata

SET5 = SHARED / "testdata" / "images" / "Set5"
CASES = [(tag, sigma) for tag in list_pretrained() for sigma in (15, 25, 50)]


@needs_testdata
@pytest.mark.parametrize(("tag", "sigma"), CASES)
def test_scores_on_set5(tag, sigma, capsys):
    main(["evaluate", "--model", tag, "--data", str(SET5), "--task", "denoise", "--sigma", str(sigma), "--json"])
    report = json.loads(capsys.readouterr().out)
    about = load_weights(tag).information
    said = about["scores"][f"Set5 sigma {sigma}"]
    assert report["convention"]["name"] == about["convention"]
    assert report["mean"]["psnr"] == pytest.approx(said["restored"], abs=0.01)
    assert report["input"]["psnr"] == pytest.approx(said["noisy"], abs=0.01)
    if sigma == 25:
        assert report["mean"]["psnr"] - report["input"]["psnr"] > 9.0
