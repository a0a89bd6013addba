"""`jaxrestore restore` on videos: through a network and back, gone on with after a kill, and what is refused."""

import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from jaxrestore.data.video import ffmpeg, pieces
from jaxrestore.inference import Restorer
from jaxrestore.models.super_resolution.espcn import ESPCN
from jaxrestore.nn.initialise import initialise
from jaxrestore.weights import save_weights
from tests.cli.command import files_in, identity_weights, refused_in_one_line, run
from tests.data import clips

H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p")
FILTER = ("--model", "gaussian_filter:sigma_spatial=0.7")
SLOWLY = """
import sys, time
from jaxrestore.cli.main import main
from jaxrestore.data.video import pieces
from jaxrestore.inference import Restorer
pieces.LENGTH = 3
restore = Restorer.restore_picture
Restorer.restore_picture = lambda *a, **k: (time.sleep(0.1), restore(*a, **k))[1]
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def identity(tmp_path_factory) -> Path:
    return identity_weights(tmp_path_factory.mktemp("weights"))


def test_lossless_through_a_network_that_changes_nothing(tmp_path, identity):
    for depth, layout in (("yuv420p", "rgb24"), ("yuv420p10le", "rgb48le")):
        source = clips.make(tmp_path / f"{depth}.mp4", "-c:v", "libx265", "-pix_fmt", depth, "-c:a", "aac", sound=True)
        output = tmp_path / f"{depth}.mkv"
        run("restore", source, "-o", output, "--weights", identity, "--lossless")
        np.testing.assert_array_equal(clips.pixels(output, layout), clips.pixels(source, layout))
        assert clips.packets(output, "0:a") == clips.packets(source, "0:a")
        assert clips.rate(output) == "25/1"


def test_a_network_that_enlarges(tmp_path):
    model = ESPCN(scale=2)
    variables = initialise(model, jax.random.key(0), np.zeros((1, 8, 8, 1), np.float32))
    save_weights(tmp_path / "espcn.safetensors", variables, model)
    source = clips.make(tmp_path / "a.mp4", *H264, frames=2)
    run("restore", source, "-o", tmp_path / "out", "--weights", tmp_path / "espcn.safetensors")
    assert clips.size(tmp_path / "out" / "a.mp4") == (48, 64)
    expected = Restorer(model, variables)(clips.pixels(source)[0]).astype(int)
    # H.264 at its usual quality, with colour at half the resolution.
    assert np.abs(clips.pixels(tmp_path / "out" / "a.mp4", "gray")[0, ..., 0] - expected @ (0.299, 0.587, 0.114)).mean() < 4


def test_a_killed_run_goes_on_and_ends_with_the_same_frames(tmp_path, capsys, monkeypatch):
    source = clips.make(tmp_path / "a.mp4", *H264, "-c:a", "aac", sound=True, frames=14)
    monkeypatch.setattr(pieces, "LENGTH", 3)
    run("restore", source, "-o", tmp_path / "whole.mp4", *FILTER)
    output = tmp_path / "b.mp4"
    parts = tmp_path / "b.mp4.parts"
    arguments = ["restore", str(source), "-o", str(output), *FILTER]
    process = subprocess.Popen([sys.executable, "-c", SLOWLY, *arguments], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while len(list(parts.glob("00000?.mov"))) < 2 or not list(parts.glob("*.unfinished*.mov")):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert not output.exists()
    before = {path: path.stat().st_mtime_ns for path in parts.glob("00000?.mov")}
    assert len(before) < 5
    assert "made with another model" in refused_in_one_line(capsys, *arguments[:-1], "gaussian_filter:sigma_spatial=0.8")
    monkeypatch.setattr(pieces.Pieces, "finish", lambda self, join: None)
    run(*arguments)
    assert f"going on after frame {3 * len(before)}" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in before} == before  # what was there is not made again
    monkeypatch.undo()
    monkeypatch.setattr(pieces, "LENGTH", 3)
    run(*arguments)
    assert "going on after frame 14" in capsys.readouterr().err
    assert files_in(tmp_path) == {"a.mp4", "whole.mp4", "b.mp4"}
    np.testing.assert_array_equal(clips.pixels(output), clips.pixels(tmp_path / "whole.mp4"))
    assert clips.times(output) == clips.times(source)
    for stream in ("0:v", "0:a"):
        assert clips.packets(output, stream) == clips.packets(tmp_path / "whole.mp4", stream)


def test_a_bad_video_stops_no_other(tmp_path, capsys):
    clips.make(tmp_path / "a.mp4", *H264, frames=2)
    (tmp_path / "b.mp4").write_bytes(b"junk")
    with pytest.raises(SystemExit, match="2"):
        run("restore", tmp_path / "b.mp4", tmp_path / "a.mp4", "-o", tmp_path / "out", *FILTER)
    assert files_in(tmp_path / "out") == {"a.mp4"}
    restored, failed, summary = capsys.readouterr().err.splitlines()
    assert "2 frames restored" in restored
    assert "b.mp4 is not a video" in failed
    assert "1 of 2 videos failed" in summary


def test_a_folder_of_videos(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a.mp4", "b.avi"):
        clips.make(tmp_path / "in" / name, *H264, frames=2)
    run("restore", tmp_path / "in", "-o", tmp_path / "out", *FILTER)
    assert files_in(tmp_path / "out") == {"a.mp4", "b.mkv"}
    run("restore", tmp_path / "in", "-o", tmp_path / "master", *FILTER, "--lossless")
    assert files_in(tmp_path / "master") == {"a.mkv", "b.mkv"}


def test_refusals(tmp_path, capsys, monkeypatch):
    source = clips.make(tmp_path / "a.mp4", *H264, frames=2)
    (tmp_path / "picture.png").write_bytes(b"")
    for arguments, reason in [
        ((source, "-o", tmp_path / "b.xyz", *FILTER), "suffix '.xyz' is none of"),
        ((source, "-o", source, *FILTER), "would overwrite an input"),
        ((source, tmp_path / "picture.png", "-o", tmp_path / "out", *FILTER), "is a video and"),
        ((tmp_path / "absent.mp4", "-o", tmp_path / "b.mp4", *FILTER), "absent.mp4 does not exist"),
        ((tmp_path / "picture.png", "-o", tmp_path / "b.mp4", *FILTER), "picture.png is not a video"),
        ((source, "-o", tmp_path / "b.mp4", "--model", "wiener_deconvolution", "--sigma", 2), "psf"),
    ]:
        assert reason in refused_in_one_line(capsys, "restore", *arguments)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    ffmpeg.executable.cache_clear()
    line = refused_in_one_line(capsys, "restore", source, "-o", tmp_path / "b.mp4", *FILTER)
    assert "pip install 'jaxrestore[video]'" in line
    assert files_in(tmp_path) == {"a.mp4", "picture.png"}
