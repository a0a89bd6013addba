"""Protocols and evaluation: analytic noisy PSNRs, published bicubic and noisy scores, pairs, failures."""

import io
import math
import re
from functools import partial

import numpy as np
import pytest
import scipy.ndimage
from PIL import Image

from jaxrestore.errors import InputError
from jaxrestore.inference.evaluate import evaluate, evaluate_folder
from jaxrestore.inference.protocols import Failure, Pair, Protocol, made_pairs, ready_pairs
from jaxrestore.ops.resize import imresize
from tests.shared import SHARED, needs_testdata

IMAGES = SHARED / "testdata" / "images"


def identity(image: np.ndarray) -> np.ndarray:
    return image


def save(path, pixels: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(path)


def pixels(height=24, width=20, channels=3, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).integers(100, 156, (height, width, channels), np.uint8)


@pytest.fixture
def folder(tmp_path):
    for i in range(2):
        save(tmp_path / "clean" / f"{i}.png", pixels(seed=i))
    return tmp_path / "clean"


def test_noisy_psnr_is_the_noise_that_was_drawn(folder):
    report = evaluate_folder(identity, folder, Protocol("denoise", sigma=10, seed=3))
    noise = np.random.RandomState(3)  # one stream over the images in the order of their names
    for image in report.images:
        error = np.mean(np.square(10.0 * noise.randn(24, 20, 3)))
        assert image.psnr == pytest.approx(20 * math.log10(255) - 10 * math.log10(error), abs=1e-3)
        assert (image.psnr, image.ssim) == (image.input_psnr, image.input_ssim)  # nothing came near black or white
    assert report.convention.name == "rgb"
    assert report.protocol["sigma"] == 10
    assert report.gain == {"psnr": 0.0, "ssim": 0.0}


def test_only_the_restored_image_is_clipped(tmp_path):
    save(tmp_path / "clean" / "white.png", np.full((32, 32, 1), 255, np.uint8))
    report = evaluate_folder(identity, tmp_path / "clean", Protocol("denoise", sigma=50, channels=1))
    assert report.gain["psnr"] == pytest.approx(10 * math.log10(2), abs=0.5)  # half of the noise is cut off
    assert report.convention.name == "gray"


@needs_testdata
@pytest.mark.parametrize(("sigma", "published"), [(15, 24.62), (25, 20.18), (50, 14.16)])
def test_noisy_psnr_of_set12(sigma, published):
    pairs = made_pairs(Protocol("denoise", sigma=sigma, channels=1), IMAGES / "Set12")
    errors = [np.mean(np.square(pair.degraded.astype(np.float64) - pair.clean)) for pair in pairs]
    assert np.mean([-10 * math.log10(error) for error in errors]) == pytest.approx(published, abs=0.005)


@needs_testdata
def test_bicubic_scores_of_set5():
    report = evaluate_folder(partial(imresize, scale=4), IMAGES / "Set5", Protocol("sr", scale=4, channels=1))
    assert report.mean["psnr"] == pytest.approx(28.42, abs=0.005)
    assert report.mean["ssim"] == pytest.approx(0.8104, abs=5e-5)
    assert report.gain == {"psnr": 0.0, "ssim": 0.0}
    assert report.convention.name == "luma+border4+round8"
    assert "studio-range luma" in " ".join(report.notes)


def test_super_resolution_of_rgb_is_rounded_and_cropped(tmp_path):
    save(tmp_path / "clean" / "0.png", pixels(31, 29))
    (pair,) = made_pairs(Protocol("super_resolution", scale=3), tmp_path / "clean")
    assert pair.clean.shape == pair.baseline.shape == (30, 27, 3)
    assert pair.degraded.shape == (10, 9, 3)
    levels = 255.0 * pair.degraded
    np.testing.assert_allclose(levels, np.round(levels), atol=1e-4)
    np.testing.assert_allclose(levels, 255.0 * np.asarray(imresize(pair.clean, 1 / 3)), atol=0.501)


def test_luma_is_shrunk_without_rounding(folder):
    pair = next(made_pairs(Protocol("sr", scale=2, channels=1), folder))
    levels = 255.0 * pair.clean
    np.testing.assert_allclose(levels, np.round(levels), atol=1e-4)  # the luma itself is stored in 8 bits
    levels = 255.0 * pair.degraded
    assert np.abs(levels - np.round(levels)).max() > 0.1
    assert pair.degraded.shape == (12, 10, 1)


def test_jpeg_is_pillows(folder):
    for pair in made_pairs(Protocol("jpeg", quality=20), folder):
        file = io.BytesIO()
        Image.open(folder / pair.name).save(file, "JPEG", quality=20)  # Pillow's default is 4:2:0 as well
        np.testing.assert_allclose(255.0 * pair.degraded, np.asarray(Image.open(file)), atol=1e-4)
        assert pair.inputs == {"quality": 20}
    report = evaluate_folder(identity, folder, Protocol("jpeg", quality=20, channels=1))
    assert report.convention.name == "luma+round8"
    assert report.images[0].psnr < 40


def test_channels_follow_the_network(tmp_path):
    gray = pixels(channels=1)
    save(tmp_path / "gray" / "0.png", gray)
    save(tmp_path / "color" / "0.png", np.repeat(gray, 3, axis=-1))
    (three,) = made_pairs(Protocol("denoise"), tmp_path / "gray")
    (one,) = made_pairs(Protocol("denoise", channels=1), tmp_path / "color")
    np.testing.assert_array_equal(three.clean, np.repeat(gray, 3, axis=-1) / np.float32(255))
    np.testing.assert_array_equal(one.clean, gray / np.float32(255))
    assert "repeated" in three.remark
    assert "grey" in one.remark


def test_blurred_as_scipy_blurs(folder, tmp_path):
    kernel = np.random.default_rng(0).random((5, 3))
    np.save(tmp_path / "kernel.npy", 7 * kernel)
    protocol = Protocol("deblur", psf=str(tmp_path / "kernel.npy"), seed=4)
    (pair, _), random = made_pairs(protocol, folder), np.random.RandomState(4)
    blurred = scipy.ndimage.convolve(pair.clean.astype(np.float64), (kernel / kernel.sum())[..., None], mode="wrap")
    np.testing.assert_allclose(pair.degraded, blurred + random.randn(24, 20, 3) * 2 / 255, atol=1e-6)
    assert pair.inputs["sigma"] == 2
    np.testing.assert_allclose(pair.inputs["psf"], kernel / kernel.sum(), atol=1e-7)
    assert protocol.as_dict() | {"input": ""} == {
        "task": "deblur",
        "psf": str(tmp_path / "kernel.npy"),
        "sigma": 2.0,
        "seed": 4,
        "input": "",
    }


def test_a_recipe_erases_and_says_where(folder):
    protocol = Protocol("inpaint", recipe="erase:count=2:size=0.3:fill=0.5", seed=1)
    first, second = made_pairs(protocol, folder)
    for pair in (first, second):
        np.testing.assert_array_equal(pair.degraded, np.where(pair.inputs["mask"], np.float32(0.5), pair.clean))
        assert 0 < pair.inputs["mask"].mean() < 0.2
    assert np.any(first.inputs["mask"] != second.inputs["mask"])
    again = next(made_pairs(protocol, folder))
    np.testing.assert_array_equal(first.degraded, again.degraded)
    assert protocol.as_dict() == {"task": "inpaint", "recipe": protocol.recipe, "seed": 1}
    (noisy, _) = made_pairs(Protocol("denoise", recipe="salt_and_pepper:rate=1", sigma=3), folder)
    assert set(np.unique(noisy.degraded)) == {0, 1}
    assert noisy.inputs == {"sigma": 3}
    small = next(made_pairs(Protocol("sr", recipe="downsample:scale=2"), folder))
    assert (small.degraded.shape, small.baseline.shape) == ((12, 10, 3), (24, 20, 3))


def test_given_masks(folder, tmp_path):
    for i in range(2):
        mask = np.zeros((24, 20 + i, 1), np.uint8)
        mask[3:5, i] = 255
        save(tmp_path / "masks" / f"{i}.png", mask)
    first, second = made_pairs(Protocol("inpaint", mask=str(tmp_path / "masks")), folder)
    assert np.flatnonzero(first.inputs["mask"]).tolist() == [60, 80]
    assert (first.degraded[3:5, 0] == 0).all()
    np.testing.assert_array_equal(first.degraded[:, 1:], first.clean[:, 1:])
    assert "the mask has 24x21 pixels and the image 24x20" in second.reason
    ready = next(ready_pairs(Protocol("inpaint", mask=str(tmp_path / "masks" / "0.png"), sigma=1), folder, folder))
    assert ready.inputs["sigma"] == 1
    assert ready.inputs["mask"].sum() == 2
    (tmp_path / "masks" / "1.png").unlink()
    assert "no mask for 1.png" in list(made_pairs(Protocol("inpaint", mask=str(tmp_path / "masks")), folder))[1].reason


def test_ready_pairs(tmp_path):
    for i in range(3):
        save(tmp_path / "clean" / f"{i}.png", pixels(seed=i))
        save(tmp_path / "blurred" / f"{i}.png", np.minimum(pixels(seed=i) + np.uint8(10), 255))
    report = evaluate_folder(identity, tmp_path / "blurred", Protocol("deblur"), target=tmp_path / "clean")
    assert [image.name for image in report.images] == ["0.png", "1.png", "2.png"]
    assert report.mean["psnr"] == pytest.approx(20 * math.log10(25.5), abs=1e-3)
    assert report.convention.name == "rgb+round8"
    assert report.protocol["target"] == str(tmp_path / "clean")


def test_ready_pairs_of_super_resolution_carry_the_scale_in_their_names(tmp_path):
    for name in ("0801", "0802", "x4"):
        save(tmp_path / "hr" / f"{name}.png", pixels(26, 25))
        save(tmp_path / "lr" / f"{name}x4.png", pixels(6, 6))
    pairs = list(ready_pairs(Protocol("sr", scale=4), tmp_path / "lr", tmp_path / "hr"))
    assert [pair.name for pair in pairs] == ["0801.png", "0802.png", "x4.png"]
    assert {pair.clean.shape for pair in pairs} == {pair.baseline.shape for pair in pairs} == {(24, 24, 3)}


def test_what_cannot_be_used_is_listed_and_the_rest_measured(tmp_path):
    for i in range(4):
        save(tmp_path / "clean" / f"{i}.png", pixels(seed=i))
        save(tmp_path / "noisy" / f"{i}.png", pixels(seed=i))
    (tmp_path / "noisy" / "0.png").write_text("no picture")
    save(tmp_path / "noisy" / "1.png", pixels(23))
    (tmp_path / "clean" / "2.png").unlink()
    report = evaluate_folder(identity, tmp_path / "noisy", Protocol("denoise"), target=tmp_path / "clean")
    assert [image.name for image in report.images] == ["3.png"]
    assert list(report.failures) == ["0.png", "1.png", "2.png"]
    for reason, expected in zip(report.failures.values(), ("not a picture", "24x20 pixels and .* 23x20", "no partner"), strict=True):
        assert re.search(expected, reason)
        assert "\n" not in reason


@pytest.mark.parametrize(("broken", "reason"), [(lambda x: x[1:], "the shape"), (lambda x: x * np.float32(np.nan), "not finite")])
def test_a_restorer_that_breaks_on_one_image(broken, reason):
    clean = np.full((12, 12, 1), 0.5, np.float32)
    pairs = [Pair("good", clean, clean), Pair("bad", clean, clean), Failure("file", "was empty")]
    calls = iter([identity, broken])
    report = evaluate(lambda image: next(calls)(image), pairs, "gray")
    assert [image.name for image in report.images] == ["good"]
    assert reason in report.failures["bad"]
    assert report.failures["file"] == "was empty"
    assert report.input == {"psnr": None, "ssim": None}


def test_other_measures(folder):
    report = evaluate_folder(identity, folder, Protocol("denoise", sigma=10), measures=("rmse", "psnr"))
    assert list(report.mean) == ["rmse", "psnr"]
    assert report.mean["rmse"] == pytest.approx(10 / 255, rel=0.1)
    with pytest.raises(InputError, match="measure 'lpips' is unknown"):
        evaluate_folder(identity, folder, Protocol("denoise"), measures=("lpips",))


def test_every_score_is_handed_out(folder):
    seen = []
    report = evaluate_folder(identity, folder, Protocol("denoise"), convention="gray+border2", on_score=seen.append)
    assert tuple(seen) == report.images
    assert report.convention.border == 2


def test_bad_requests_are_refused(folder, tmp_path):
    for task, given in (("deblur", "--psf"), ("inpainting", "--recipe or --mask")):
        with pytest.raises(InputError, match=f"give {given}, or .* with --target"):
            evaluate_folder(identity, folder, Protocol(task))
    (tmp_path / "empty").mkdir()
    save(tmp_path / "other" / "else.png", pixels())
    with pytest.raises(InputError, match="holds no pictures"):
        evaluate_folder(identity, tmp_path / "empty", Protocol("denoise"))
    with pytest.raises(InputError, match="no file name in common"):
        evaluate_folder(identity, folder, Protocol("denoise"), target=tmp_path / "other")
    save(tmp_path / "other" / "else.bmp", pixels())
    with pytest.raises(InputError, match=r"else\.png and else\.bmp have one name"):
        evaluate_folder(identity, folder, Protocol("denoise"), target=tmp_path / "other")
    with pytest.raises(InputError, match=r"no image could be scored: .* cannot be shrunk by 32"):
        evaluate_folder(identity, folder, Protocol("sr", scale=32))
    with pytest.raises(InputError, match="'hsv' is not a colour"):
        evaluate_folder(identity, folder, Protocol("denoise"), convention="hsv")
    for fields, complaint in [
        ({"task": "dehaze"}, "'dehaze' is unknown"),
        ({"task": "jpeg", "quality": 0}, "quality is 0"),
        ({"task": "denoise", "sigma": -1.0}, "sigma is -1"),
        ({"task": "denoise", "seed": -1}, "seed is -1"),
        ({"task": "sr", "channels": 4}, "channels is 4"),
    ]:
        with pytest.raises(InputError, match=complaint):
            Protocol(**fields)
