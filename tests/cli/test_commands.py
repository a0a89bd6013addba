"""`degrade`, `evaluate`, `convert`, `models` and `demo`, run in this process."""

import json

import numpy as np
import pytest
from PIL import Image

from jaxrestore.classical.catalogue import METHODS
from jaxrestore.cli import demo as demo_module
from jaxrestore.cli import models as models_module
from jaxrestore.data.images import Picture, read_image, write_image
from jaxrestore.metrics import psnr
from jaxrestore.models.catalogue import list_models, model_card
from tests.cli.command import files_in, identity_weights, refused_in_one_line, run


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return identity_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def folder(tmp_path):
    """Two pictures of grey levels, far enough from black and white for noise."""
    source = tmp_path / "clean"
    source.mkdir()
    for i, name in enumerate(("a.png", "b.png")):
        write_image(source / name, Picture(np.full((40, 30 + i, 3), 120, np.uint8)))
    return source


class TestDegrade:
    def test_noise_has_its_level(self, folder, tmp_path):
        run("degrade", folder, "-o", tmp_path / "out", "--recipe", "gaussian:sigma=20")
        noisy = read_image(tmp_path / "out" / "a.png").pixels.astype(float)
        assert noisy.std() == pytest.approx(20.0, rel=0.05)

    def test_seed_and_name_decide(self, folder, tmp_path):
        for name, seed in (("one", 1), ("same", 1), ("other", 2)):
            run("degrade", folder, "-o", tmp_path / name, "--recipe", "gaussian:sigma=20", "--seed", seed)
        run("degrade", folder / "b.png", "-o", tmp_path / "alone" / "b.png", "--recipe", "gaussian:sigma=20", "--seed", 1)
        one, same, other, alone = (read_image(tmp_path / n / "b.png").pixels for n in ("one", "same", "other", "alone"))
        np.testing.assert_array_equal(one, same)
        np.testing.assert_array_equal(one, alone)
        assert np.any(one != other)
        assert np.any(one[:, :30] != read_image(tmp_path / "one" / "a.png").pixels)

    def test_transparency_shrinks_with_the_picture(self, tmp_path):
        pixels = np.full((8, 12, 4), 50, np.uint16)
        write_image(tmp_path / "a.png", Picture(pixels))
        run("degrade", tmp_path / "a.png", "-o", tmp_path / "b.png", "--recipe", "downsample:scale=2")
        np.testing.assert_array_equal(read_image(tmp_path / "b.png").pixels, pixels[:4, :6])

    def test_writes_masks_that_restore_reads(self, folder, tmp_path, capsys):
        run("degrade", folder, "-o", tmp_path / "out", "--recipe", "erase:size=0.3:fill=1", "--masks", tmp_path / "masks")
        for name, width in (("a.png", 30), ("b.png", 31)):
            mask, erased = read_image(tmp_path / "masks" / name).pixels, read_image(tmp_path / "out" / name).pixels
            np.testing.assert_array_equal(mask == 255, erased[..., :1] == 255)
            assert mask.sum() / 255 == 12 * round(0.3 * width)
        refused = ("restore", tmp_path / "out", "-o", tmp_path / "b", "--mask", tmp_path / "masks")
        assert "gaussian_filter takes no mask" in refused_in_one_line(capsys, *refused, "--model", "gaussian_filter")

    @pytest.mark.parametrize(("recipe", "word"), [("fog", "fog"), ("gaussian:sigma=-1", "sigma"), ("gaussian:level=3", "level")])
    def test_recipes_that_mean_nothing(self, folder, tmp_path, capsys, recipe, word):
        assert word in refused_in_one_line(capsys, "degrade", folder, "-o", tmp_path / "out", "--recipe", recipe)
        assert files_in(tmp_path / "out") == set()

    def test_seed_out_of_range(self, folder, tmp_path, capsys):
        line = refused_in_one_line(capsys, "degrade", folder, "-o", tmp_path / "out", "--recipe", "gaussian:sigma=1", "--seed", -1)
        assert "seed" in line


class TestEvaluate:
    def test_prints_one_json_object(self, folder, weights, capsys):
        capsys.readouterr()
        run("evaluate", "--data", folder, "--task", "denoise", "--sigma", 10, "--weights", weights, "--json")
        report = json.loads(capsys.readouterr().out)
        assert report["mean"]["psnr"] == pytest.approx(20 * np.log10(255 / 10), abs=0.15)  # of noise that nothing takes off
        assert report["convention"]["name"] == "rgb"
        assert [image["name"] for image in report["images"]] == ["a.png", "b.png"]
        assert report["protocol"]["sigma"] == 10

    def test_prints_a_table_with_the_convention(self, folder, weights, capsys, tmp_path):
        run("evaluate", "--data", folder, "--task", "denoise", "--weights", weights, "-o", tmp_path / "report.csv")
        shown = capsys.readouterr().out
        assert "a.png" in shown
        assert "convention rgb" in shown
        assert (tmp_path / "report.csv").read_text().startswith("name,")

    def test_classical_methods(self, folder, capsys):
        def report(*arguments):
            capsys.readouterr()
            run("evaluate", "--data", folder, "--model", "gaussian_filter:sigma_spatial=3", "--json", *arguments)
            return json.loads(capsys.readouterr().out)

        noisy = report("--task", "denoise", "--sigma", 10)
        assert noisy["model"] == "gaussian_filter:sigma_spatial=3"
        assert noisy["convention"]["name"] == "rgb"  # as the pictures are
        # Of the noise of a flat picture a Gaussian leaves 1 / (4 pi sigma^2) of the variance, and more at the border.
        assert noisy["mean"]["psnr"] == pytest.approx(28.13 + 10 * np.log10(4 * np.pi * 9), abs=1.5)
        assert report("--task", "denoise", "--channels", 1)["convention"]["name"] == "gray"
        blurred = report("--task", "deblur", "--psf", "box:width=3", "--sigma", 0)
        assert float(blurred["mean"]["psnr"]) > 100  # of a flat picture that nothing changes
        assert blurred["protocol"]["psf"] == "box:width=3"
        erased = report("--task", "inpaint", "--recipe", "erase:size=1")
        assert erased["protocol"]["recipe"] == "erase:size=1"
        assert erased["mean"]["psnr"] == pytest.approx(20 * np.log10(255 / 120), abs=1e-3)

    def test_pairs(self, folder, weights, capsys):
        capsys.readouterr()
        run("evaluate", "--data", folder, "--target", folder, "--task", "deblur", "--weights", weights, "--json")
        report = json.loads(capsys.readouterr().out)
        assert float(report["mean"]["psnr"]) > 100  # of pictures with themselves
        assert report["convention"]["name"] == "rgb+round8"

    def test_bad_requests(self, folder, weights, capsys, tmp_path):
        def line(*extra):
            return refused_in_one_line(capsys, "evaluate", "--weights", weights, *extra)

        assert "--target" in line("--data", folder, "--task", "deblur")
        assert "--scale" in line("--data", folder, "--task", "sr")
        assert "absent" in line("--data", tmp_path / "absent", "--task", "denoise")
        assert "unknown kernel: 'gausian'" in line("--data", folder, "--task", "deblur", "--psf", "gausian:sigma=1")
        assert "leave --channels out" in line("--data", folder, "--task", "denoise", "--channels", 1)
        assert "hsv" in line("--data", folder, "--task", "denoise", "--convention", "hsv")

    def test_a_pair_of_another_size(self, folder, weights, capsys, tmp_path):
        other = tmp_path / "other"
        other.mkdir()
        write_image(other / "a.png", Picture(np.zeros((40, 30, 3), np.uint8)))
        write_image(other / "b.png", Picture(np.zeros((40, 30, 3), np.uint8)))  # clean has 40x31
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            run("evaluate", "--data", folder, "--target", other, "--task", "deblur", "--weights", weights, "--json")
        assert stop.value.code == 2
        shown = capsys.readouterr()
        assert [failure["name"] for failure in json.loads(shown.out)["failures"]] == ["b.png"]
        assert "1 pictures could not be scored: b.png" in shown.err


class TestConvert:
    def test_to_orbax_and_back(self, weights, tmp_path):
        run("convert", weights, "-o", tmp_path / "folder")
        run("convert", tmp_path / "folder", "-o", tmp_path / "file.safetensors")
        write_image(tmp_path / "a.png", Picture(np.full((3, 4, 3), 9, np.uint8)))
        run("restore", tmp_path / "a.png", "-o", tmp_path / "b.png", "--weights", tmp_path / "file.safetensors")
        assert (read_image(tmp_path / "b.png").pixels == 9).all()

    def test_what_is_refused(self, weights, tmp_path, capsys):
        assert "absent" in refused_in_one_line(capsys, "convert", tmp_path / "absent.pth", "-o", tmp_path / "b.safetensors")
        assert "b.pth" in refused_in_one_line(capsys, "convert", weights, "-o", tmp_path / "b.pth")
        (tmp_path / "empty.pth").write_bytes(b"")
        assert "empty.pth" in refused_in_one_line(capsys, "convert", tmp_path / "empty.pth", "-o", tmp_path / "b.safetensors")
        assert not (tmp_path / "b.safetensors").exists()


class TestModels:
    def test_lists_all(self, capsys):
        run("models")
        shown = capsys.readouterr().out
        assert all(name in shown for name in list_models())

    def test_json_has_computed_counts(self, capsys):
        run("models", "--task", "restoration", "--json")
        rows = json.loads(capsys.readouterr().out)
        assert [row["name"] for row in rows] == list(list_models("restoration"))
        for row in rows:
            assert row["parameters"] == model_card(row["name"]).parameters
            assert row["parameters"] == row["published_parameters"]

    def test_published_scores_have_a_convention(self):
        for card in map(model_card, list_models()):
            assert card.convention or card.task == "segmentation" or not card.published, card.name

    def test_table(self, capsys):
        run("models", "--task", "denoising")
        shown = capsys.readouterr().out
        assert "dncnn_gray" in shown
        assert "557,057" in shown
        assert "gaussian_filter" in shown
        assert "unsharp_mask" not in shown  # it is for blur

    def test_classical_methods(self, capsys):
        run("models", "--classical", "--json")
        methods = json.loads(capsys.readouterr().out)
        assert [method["name"] for method in methods] == list(METHODS)
        run("models", "gaussian_filter")
        shown = capsys.readouterr().out
        assert "padding=a word (default symmetric)" in shown
        assert METHODS["gaussian_filter"].summary in shown

    def test_one_card(self, capsys):
        run("models", "dncnn_gray", "--json")
        card = json.loads(capsys.readouterr().out)
        assert card["receptive_field"]["radius"] == 17  # 17 convolutions of 3x3
        # Two operations for each weight of a convolution and pixel, less what falls outside the border.
        assert card["flops"]["operations"] == pytest.approx(2 * 555_000 * 256**2, rel=0.02)
        models_module._print_card(card)
        shown = capsys.readouterr().out
        assert "35x35" in shown
        assert "Set12 sigma 25: 30.436" in shown

    def test_unknown(self, capsys):
        assert "did you mean" in refused_in_one_line(capsys, "models", "dncnn_grau")
        assert "unknown task" in refused_in_one_line(capsys, "models", "--task", "cooking")


class TestDemo:
    def test_writes_and_prints(self, tmp_path, weights, capsys, monkeypatch):
        small = tmp_path / "small.png"  # the photograph's own detail, since the compiled size decides how long this takes
        write_image(small, Picture(read_image(demo_module.PHOTOGRAPH).pixels[100:160, 200:290]))
        monkeypatch.setattr(demo_module, "PHOTOGRAPH", small)
        monkeypatch.setattr(demo_module, "DETAIL", (10, 10, 30, 20))
        run("demo", "-o", tmp_path / "demo", "--weights", weights)
        assert files_in(tmp_path / "demo") == {"clean.png", "noisy.png", "restored.png", "side_by_side.png"}
        shown = capsys.readouterr().out
        clean, noisy = (read_image(tmp_path / "demo" / f"{name}.png").pixels for name in ("clean", "noisy"))
        np.testing.assert_array_equal(clean, read_image(small).pixels)
        assert 20.0 < float(psnr(clean, noisy)) < 21.0
        assert "PSNR  20." in shown
        assert "convention rgb" in shown
        sheet = read_image(tmp_path / "demo" / "side_by_side.png").pixels
        assert sheet.shape == (32 + 60 + 8 + 60 + 8, 8 + 3 * (90 + 8), 3)
        np.testing.assert_array_equal(sheet[32:92, 8:98], clean)
        np.testing.assert_array_equal(sheet[32:92, 106:196], noisy)

    def test_tells_the_noise_level(self, tmp_path, capsys, monkeypatch):
        small = tmp_path / "small.png"
        write_image(small, Picture(read_image(demo_module.PHOTOGRAPH).pixels[100:160, 200:290]))
        monkeypatch.setattr(demo_module, "PHOTOGRAPH", small)
        monkeypatch.setattr(demo_module, "DETAIL", (10, 10, 30, 20))
        run("demo", "-o", tmp_path / "demo", "--model", "nonlocal_means:reach=3")
        shown = capsys.readouterr().out
        assert "by nonlocal_means:reach=3" in shown
        scores = [float(line.split()[2]) for line in shown.splitlines()[:2]]
        assert scores[1] > scores[0] + 3

    def test_photograph_is_small_and_explained(self):
        with Image.open(demo_module.PHOTOGRAPH) as photograph:
            assert photograph.size == (600, 400)
        assert demo_module.PHOTOGRAPH.stat().st_size < 250_000
        assert "CC0" in (demo_module.PHOTOGRAPH.parent / "README.md").read_text()

    def test_output_that_is_a_file(self, tmp_path, weights, capsys):
        assert "folder" in refused_in_one_line(capsys, "demo", "-o", weights, "--weights", weights)
