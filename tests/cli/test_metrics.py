"""`jaxrestore metrics`: the numbers are those of the functions, pairs by name, files, what is refused."""

import csv
import io
import json

import jax
import numpy as np
import pytest
import rich.console

from jaxrestore.data.images import Picture, write_image
from jaxrestore.metrics import Convention, ciede2000, compare, psnr, ssim, usual_conventions
from jaxrestore.metrics.comparison import Comparison, PairScores, used_for
from tests.cli.command import refused, refused_in_one_line, run

FEW = ("--convention", "rgb", "luma+border4+round8", "--metrics", "psnr", "ssim")


def pixels(seed: int, channels: int = 3, dtype=np.uint8, side: int = 20) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, (side, 21, channels), dtype)


@pytest.fixture
def folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder, offset in (("a", 0), ("b", 10)):
        (tmp_path / folder).mkdir()
        for i in range(2):
            write_image(tmp_path / folder / f"{i}.png", Picture(pixels(i + offset)))
    return tmp_path


def test_two_pictures(folders, capsys):
    run("metrics", "a/0.png", "b/0.png", "--json", *FEW)
    report = json.loads(capsys.readouterr().out)
    assert [about["name"] for about in report["conventions"]] == ["rgb", "luma+border4+round8"]
    assert report["conventions"][1]["used_for"] == "super-resolution x4"
    for about in report["conventions"]:
        for name, metric in (("psnr", psnr), ("ssim", ssim)):
            assert about["mean"][name] == pytest.approx(float(metric(pixels(0), pixels(10), about["name"])), rel=1e-5)
    assert (report["a"], report["b"], report["failures"]) == ("a/0.png", "b/0.png", [])


def test_everything_on_a_small_picture(folders, capsys):
    run("metrics", "a/0.png", "a/0.png")
    shown = capsys.readouterr().out
    for part in ("luma+border4+round8", "super-resolution x4", "inf", "CIE DE2000", "a/0.png against a/0.png", "round8) changes nothing"):
        assert part in shown
    assert "MS-SSIM is not defined for images this small" in shown


def test_two_folders(folders, capsys):
    (folders / "b" / "1.png").rename(folders / "b" / "other.png")
    lines = refused(capsys, "metrics", "a", "b", "-o", "report.csv", *FEW)
    assert "2 pairs could not be compared: 1.png, other.png" in lines[-1]
    write_image(folders / "b" / "1.bmp", Picture(pixels(11)))
    (folders / "b" / "other.png").unlink()
    run("metrics", "a", "b", "-o", "report.csv", *FEW)
    rows = list(csv.DictReader((folders / "report.csv").read_text().splitlines()))
    assert [(row["name"], row["convention"]) for row in rows[::2]] == [("0.png", "rgb"), ("1.png", "rgb"), ("mean", "rgb")]
    assert float(rows[4]["psnr"]) == pytest.approx((float(rows[0]["psnr"]) + float(rows[2]["psnr"])) / 2)
    run("metrics", "a", "b", "-o", "report.md", *FEW)
    text = (folders / "report.md").read_text()
    assert "| luma+border4+round8 | super-resolution x4 |" in text
    assert "a against b: means of 2 pairs" in text
    assert "not rounded; peak 1" in text


def test_what_is_refused(folders, capsys):
    write_image(folders / "gray.png", Picture(pixels(0, 1)))
    write_image(folders / "small.png", Picture(pixels(0, side=8)))
    for arguments, said in (
        (("a/0.png", "small.png"), "a/0.png has 21x20 pixels and small.png 21x8"),
        (("a/0.png", "gray.png"), "gray.png is grey and a/0.png has colours"),
        (("a/0.png", "missing.png"), "missing.png does not exist"),
        (("a", "b/0.png"), "a is a folder and b/0.png a file"),
        (("a/0.png", "b/0.png", "--metrics", "pnsr"), "measure 'pnsr' is unknown: take some of psnr, ssim"),
        (("a/0.png", "b/0.png", "--convention", "hsv"), "'hsv' is not a colour"),
        (("a/0.png", "b/0.png", "--scale", "0"), "--scale is 0: it must be at least 1"),
        (("a/0.png", "b/0.png", "-o", "x.xls"), "x.xls: a report is written as .json, .csv, .md"),
        (("a/0.png", "b/0.png", "--scale", "10"), "nothing is left inside the border"),
    ):
        assert said in refused_in_one_line(capsys, "metrics", *arguments), said
    assert not (folders / "x.xls").exists()


def test_what_a_reader_should_know(folders, capsys):
    write_image(folders / "deep.png", Picture(pixels(0, 2, np.uint16)))
    run("metrics", "deep.png", "deep.png", "--metrics", "psnr")
    shown = capsys.readouterr().out
    assert "transparency was left out" in shown
    assert "grey pictures: all colour conventions are the same" in shown
    assert "changes nothing" not in shown  # rounding 16 bits does change something
    assert "luma" not in shown


def test_a_narrow_terminal_loses_no_digit():
    conventions = usual_conventions()
    scores = dict.fromkeys(("ssim", "ms_ssim", "mae", "rmse", "gradient_error"), 0.1234) | {"psnr": 29.006, "ciede2000": 12.345}
    comparison = Comparison("a.png", "b.png", conventions, tuple(scores), (PairScores("a.png", (scores,) * len(conventions)),))
    for width in (80, 160):
        console = rich.console.Console(width=width, record=True, file=io.StringIO())
        console.print(comparison.table(width))
        shown = console.export_text()
        assert "…" not in shown
        assert shown.count("29.006") == shown.count("12.345") == len(conventions)
        assert "JPEG artefacts" in shown


def test_conventions_side_by_side():
    a, b = pixels(0), pixels(10)
    conventions = (*usual_conventions(2), Convention("ycbcr"))
    assert [used_for(convention, 2) for convention in conventions].count("") == 3
    with jax.enable_x64(True):
        scores = compare(a, b, conventions, ("psnr", "ciede2000"))
        for convention, values in zip(conventions, scores, strict=True):
            assert values["psnr"] == pytest.approx(float(psnr(a, b, convention)), rel=1e-12)
            expected = float(ciede2000(a, b, convention)) if convention.color == "rgb" else None
            assert values["ciede2000"] == (pytest.approx(expected, rel=1e-12) if expected else None)
