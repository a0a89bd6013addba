"""The web page: what its button does, without any page; and the page itself in a real browser, where there is one."""

import shutil
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import jax
import numpy as np
import pytest

from jaxrestore.cli.web_restore import Choice, Given, choices, restore
from jaxrestore.data.images import Picture, read_image, write_image
from jaxrestore.errors import InputError
from jaxrestore.metrics import psnr
from jaxrestore.models.super_resolution.vdsr import VDSR
from jaxrestore.nn.initialise import initialise
from jaxrestore.ops.resize import imresize
from jaxrestore.weights import list_pretrained, save_weights
from tests.cli.command import identity_weights, refused_in_one_line

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
ABSENT = [name for name in ("gradio", "playwright") if find_spec(name) is None] + ([] if BROWSER else ["chromium"])


@pytest.fixture
def noisy(tmp_path) -> Path:
    random = np.random.default_rng(0)
    clean = np.broadcast_to(np.linspace(30, 220, 24)[:, None, None], (24, 20, 3))
    write_image(tmp_path / "clean.png", Picture(clean.astype(np.uint16) * 257))
    write_image(tmp_path / "noisy.png", Picture((np.clip(clean + random.normal(0, 20, clean.shape), 0, 255) * 257).astype(np.uint16)))
    return tmp_path / "noisy.png"


def method(name: str, task: str = "denoising") -> Choice:
    return next(choice for choice in choices()[0] if choice.label == name and choice.task == task)


class TestChoices:
    def test_only_what_has_weights(self, tmp_path):
        identity_weights(tmp_path)
        model = VDSR(2, 2)
        save_weights(tmp_path / "enlarger.safetensors", initialise(model, jax.random.key(0), np.zeros((1, 8, 8, 1), np.float32)), model)
        (tmp_path / "broken.pth").write_bytes(b"junk")
        (tmp_path / "notes.txt").write_text("no weights")
        offered, failures = choices([tmp_path])
        labels = [choice.label for choice in offered]
        assert labels[: len(list_pretrained())] == list(list_pretrained())
        assert {"identity3.safetensors", "enlarger.safetensors", "median", "exemplar"} <= set(labels)
        assert "dncnn_gray" not in labels
        assert len(failures) == 1
        assert "broken.pth" in failures[0]
        of = {choice.label: choice for choice in offered}
        assert (of["enlarger.safetensors"].task, of["enlarger.safetensors"].takes) == ("super_resolution", ("scale",))
        assert of["enlarger.safetensors"].scales == (2, 3, 4)
        assert (of["identity3.safetensors"].task, of["identity3.safetensors"].takes) == ("denoising", ())
        assert of["exemplar"].takes == ("mask",)
        assert of["nonlocal_means"].takes == ("sigma",)

    def test_an_absent_file(self, tmp_path):
        with pytest.raises(InputError, match="absent does not exist"):
            choices([tmp_path / "absent"])


class TestRestoring:
    def test_full_depth_and_scores(self, noisy, tmp_path):
        clean = tmp_path / "clean.png"
        made = restore(method("gaussian_filter"), noisy, Given(sigma=20), clean, tmp_path)
        result = read_image(made.file)
        assert result.pixels.dtype == np.uint16
        assert made.after.dtype == made.before.dtype == np.uint8
        names, decibels, _ = zip(*made.scores, strict=True)
        assert names == ("as given", "restored")
        for value, path in zip(decibels, (noisy, made.file), strict=True):
            assert value == f"{psnr(read_image(path).pixels / 65535, read_image(clean).pixels / 65535, convention='rgb'):.2f}"
        assert float(decibels[1]) > float(decibels[0]) + 3
        assert made.said.startswith("gaussian_filter: 20x24 pixels in")
        assert made.said.endswith("measured by rgb")

    def test_enlarging(self, noisy, tmp_path):
        made = restore(method("bicubic", "super_resolution"), noisy, Given(scale=2), None, tmp_path)
        assert made.before.shape == made.after.shape == (48, 40, 3)
        np.testing.assert_array_equal(made.before[::2, 1::2], made.before[1::2, ::2])
        expected = np.clip(np.asarray(imresize(read_image(noisy).pixels.astype(np.float32) / 65535, 2)), 0, 1)
        np.testing.assert_allclose(read_image(made.file).pixels / 65535, expected, atol=2e-5)
        assert made.scores == ()

    def test_a_file_of_weights(self, noisy, tmp_path):
        offered, _ = choices([identity_weights(tmp_path)])
        chosen = next(choice for choice in offered if choice.weights)
        np.testing.assert_array_equal(read_image(restore(chosen, noisy, Given(), None, tmp_path).file).pixels, read_image(noisy).pixels)

    def test_what_is_wrong(self, noisy, tmp_path):
        (tmp_path / "junk.png").write_bytes(b"junk")
        small = tmp_path / "small.png"
        write_image(small, Picture(np.zeros((3, 3, 3), np.uint8)))
        secret = tmp_path / "kernel.npy"
        np.save(secret, np.ones((3, 3)))
        for chosen, path, given, reference, reason in [
            (method("median"), tmp_path / "junk.png", Given(), None, "junk.png is not a picture"),
            (method("median"), noisy, Given(), small, "the reference has 3x3 pixels and the result 20x24"),
            (method("nonlocal_means"), noisy, Given(), None, "needs the noise level"),
            (method("harmonic", "inpainting"), noisy, Given(), None, "needs a mask"),
            (method("harmonic", "inpainting"), noisy, Given(mask=small), None, "the mask has 3x3 pixels"),
            (method("richardson_lucy", "deblurring"), noisy, Given(psf=str(secret)), None, "is none of gaussian"),
        ]:
            with pytest.raises(InputError, match=reason):
                restore(chosen, path, given, reference, tmp_path)


def test_without_gradio(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "gradio", None)
    assert "pip install 'jaxrestore[demo]'" in refused_in_one_line(capsys, "demo", "--web")


@pytest.mark.skipif(bool(ABSENT), reason=f"needs {', '.join(ABSENT)}")
def test_the_page_in_a_browser(noisy, tmp_path):
    from playwright.sync_api import expect, sync_playwright

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "junk.png").write_bytes(b"junk")
    command = [sys.executable, "-m", "jaxrestore", "demo", "--web", "--port", str(port), "--offer", str(identity_weights(tmp_path))]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert f"http://127.0.0.1:{port}" in server.stdout.readline()
        with sync_playwright() as playwright:
            page = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"]).new_page()
            expect.set_options(timeout=60_000)
            page.goto(f"http://127.0.0.1:{port}")
            said = page.locator("#said")
            page.click("#restore")
            expect(said).to_contain_text("Error: no picture is given")
            page.set_input_files("#picture input[type=file]", tmp_path / "junk.png")
            page.wait_for_selector("#picture img", state="attached")
            page.click("#restore")
            expect(said).to_contain_text("Error: junk.png is not a picture")
            page.reload()
            page.click("#model input")
            page.click("text=identity3.safetensors")
            page.set_input_files("#picture input[type=file]", noisy)
            page.set_input_files("#reference input[type=file]", noisy)
            for name in ("picture", "reference"):
                page.wait_for_selector(f"#{name} img")
            page.click("#restore")
            expect(said).to_contain_text("DnCNN: 20x24 pixels")
            expect(page.locator("#scores")).to_contain_text("inf")
            expect(page.locator("#slider img")).to_have_count(2)
            page.click("#task input")
            page.click("text=super-resolution")
            expect(page.locator("#scale input")).to_be_visible()
            page.click("#task input")
            page.click("text=inpainting")
            expect(page.locator("#mask")).to_be_visible()
            expect(page.locator("#scale input")).to_have_count(0)
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
