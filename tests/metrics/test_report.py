"""Reports: means, what is written, and that a number never loses its convention."""

import csv
import io
import json
import math

import numpy as np
import pytest
import rich.console

from jaxrestore.errors import InputError
from jaxrestore.metrics import Convention, ImageScores, Report, score_image

REPORT = Report(
    Convention("gray", rounding=True),
    (
        ImageScores("a|b.png", {"psnr": 30.0, "ssim": 0.9}, {"psnr": 20.0, "ssim": 0.5}),
        ImageScores("[c].png", {"psnr": 33.0, "ssim": 0.8}, {"psnr": 21.0, "ssim": 0.6}),
        ImageScores("tiny.png", {"psnr": 36.0, "ssim": None}, {"psnr": 22.0, "ssim": None}),
    ),
    {"task": "denoise", "sigma": 25.0},
    {"broken.png": "broken.png: cut off"},
    ("colour images were made grey",),
)


def test_means_and_gain():
    assert REPORT.mean == {"psnr": 33.0, "ssim": pytest.approx(0.85)}
    assert REPORT.input == {"psnr": 21.0, "ssim": pytest.approx(0.55)}
    assert REPORT.gain == {"psnr": 12.0, "ssim": pytest.approx(0.3)}
    empty = Report(Convention(), ())
    assert empty.mean == empty.input == empty.gain == {"psnr": None, "ssim": None}


def test_json():
    read = json.loads(REPORT.to_json())
    assert read == REPORT.as_dict()
    assert Convention.parse(read["convention"]["name"]) == REPORT.convention
    assert read["images"][0] == {"name": "a|b.png", "psnr": 30.0, "ssim": 0.9, "input_psnr": 20.0, "input_ssim": 0.5}
    assert read["failures"] == [{"name": "broken.png", "reason": "broken.png: cut off"}]
    assert read["notes"] == ["colour images were made grey", "mean input SSIM is over 2 of 3 images", "mean SSIM is over 2 of 3 images"]


def test_json_has_no_infinity():
    report = Report(Convention(), (ImageScores("same.png", {"psnr": math.inf, "ssim": 1.0}),))
    assert report.mean["psnr"] == math.inf
    read = json.loads(report.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert read["mean"]["psnr"] == read["images"][0]["psnr"] == "inf"


def test_csv():
    rows = list(csv.DictReader(io.StringIO(REPORT.to_csv())))
    assert [row["name"] for row in rows] == ["a|b.png", "[c].png", "tiny.png", "mean"]
    assert float(rows[-1]["psnr"]) == 33.0
    assert rows[2]["ssim"] == ""
    assert {row["convention"] for row in rows} == {"gray+round8"}


def test_table_and_markdown():
    console = rich.console.Console(width=200, record=True, file=io.StringIO())
    REPORT.print(console)
    for text in (console.export_text(), REPORT.to_markdown()):
        for part in ("33.000", "0.8500", "21.000", "gray+round8", "sigma 25.0", "made grey", "broken.png: cut off", "[c].png"):
            assert part in text
    assert "| a\\|b.png | 20.000 | 0.5000 | 30.000 | 0.9000 |" in REPORT.to_markdown()


def test_write(tmp_path):
    for suffix, text in ((".json", REPORT.to_json()), (".csv", REPORT.to_csv()), (".md", REPORT.to_markdown())):
        REPORT.write(tmp_path / f"report{suffix}")
        assert (tmp_path / f"report{suffix}").read_text() == text
    with pytest.raises(InputError, match=r"report.xls: .*\.json, \.csv, \.md"):
        REPORT.write(tmp_path / "report.xls")
    with pytest.raises(InputError, match="does not exist"):
        REPORT.write(tmp_path / "missing" / "report.json")
    assert len(list(tmp_path.iterdir())) == 3


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "report.json"
    path.write_text("old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        REPORT.write(path)
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]
    assert path.read_text() == "old"


def test_score_image():
    clean = np.full((12, 12, 1), 0.5, np.float32)
    scores = score_image("x.png", clean + np.float32(0.01), clean, clean + np.float32(0.1), Convention("gray"))
    assert scores.psnr == pytest.approx(40.0, abs=1e-4)
    assert scores.input_psnr == pytest.approx(20.0, abs=1e-4)
    assert scores.ssim > scores.input_ssim
    tiny = score_image("x.png", clean[:1, :1] + 0.1, clean[:1, :1], None, Convention("gray"))
    assert (tiny.psnr, tiny.ssim, tiny.input_psnr) == (pytest.approx(20.0, abs=1e-4), None, None)
    with pytest.raises(InputError, match="differ in shape"):
        score_image("x.png", clean, clean[:5], None, Convention())


def test_other_measures_have_columns_of_their_own():
    random = np.random.default_rng(0)
    clean, noise = random.uniform(0.3, 0.7, (12, 12, 3)), 0.1 * random.standard_normal((12, 12, 3))
    chosen = ("rmse", "ms_ssim", "psnr")
    scores = score_image("x.png", clean + 0.5 * noise, clean, clean + noise, Convention(), chosen)
    report = Report(Convention(), (scores,), measures=chosen)
    assert list(report.mean) == list(chosen)
    assert report.mean["rmse"] == pytest.approx(0.5 * report.input["rmse"], rel=1e-5)
    assert report.gain["psnr"] == pytest.approx(20 * math.log10(2), abs=1e-4)
    assert report.mean["ms_ssim"] is None
    assert report.remarks == ("not defined in this convention, or for images this small: MS-SSIM",)
    assert next(csv.DictReader(io.StringIO(report.to_csv())))["input_rmse"] == repr(report.input["rmse"])
    assert "| input RMSE |" in report.to_markdown()
    with pytest.raises(InputError, match="measure 'pnsr' is unknown: take some of psnr, ssim"):
        score_image("x.png", clean, clean, None, Convention(), ("pnsr",))
