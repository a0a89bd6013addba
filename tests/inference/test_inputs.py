"""Kernels and masks from text and files."""

import jax
import numpy as np
import pytest
from PIL import Image

from jaxrestore.degradations.erase import erase_mask
from jaxrestore.degradations.erased import recipe_mask
from jaxrestore.degradations.recipes import parse
from jaxrestore.errors import InputError
from jaxrestore.inference.inputs import picture_key, read_mask, read_psf


def test_named_kernels():
    psf = read_psf("gaussian:sigma=1.6")
    assert (psf.shape, psf.dtype) == ((25, 25), np.float32)
    distance = np.square(np.arange(25) - 12.0)
    expected = np.exp(-(distance[:, None] + distance[None, :]) / (2 * 1.6**2))
    np.testing.assert_allclose(psf, expected / expected.sum(), atol=1e-7)
    np.testing.assert_allclose(read_psf("box:width=3; size = 5")[1:4, 1:4], 1 / 9, atol=1e-7)


def test_kernels_in_files(tmp_path):
    weights = np.array([[0, 1, 2], [3, 4, 5]], np.uint8)
    np.save(tmp_path / "kernel.npy", weights)
    Image.fromarray(weights * 10).save(tmp_path / "kernel.png")
    for name in ("kernel.npy", "kernel.png"):
        np.testing.assert_allclose(read_psf(tmp_path / name), weights / 15, atol=1e-7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gausian:sigma=1", "unknown kernel: 'gausian', did you mean gaussian"),
        ("gaussian:width=1", "unknown argument of gaussian: 'width'; there are size, sigma"),
        ("gaussian", "gaussian needs sigma: write gaussian:sigma=..."),
        ("gaussian:sigma=wide", "gaussian: sigma is 'wide': it must be a number"),
        ("gaussian:sigma=-1", "sigma is -1: it must be at least 0"),
        ("gaussian:sigma=1:size=4", "size is 4: a kernel's size must be odd"),
        ("absent.npy", "absent.npy cannot be read"),
        ("absent.png", "absent.png"),
        ("cube.npy", "a kernel has two dimensions"),
        ("zero.npy", "its sum is positive|their sum is positive"),
        ("broken.npy", "broken.npy cannot be read as a NumPy array"),
    ],
)
def test_what_is_no_kernel(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    np.save("cube.npy", np.ones((2, 2, 2)))
    np.save("zero.npy", np.zeros((2, 2)))
    (tmp_path / "broken.npy").write_text("no array")
    with pytest.raises(InputError, match=message) as raised:
        read_psf(text)
    assert "\n" not in str(raised.value)


def test_white_is_missing(tmp_path):
    levels = np.array([[0, 100, 155, 255]], np.uint8)
    Image.fromarray(levels).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png")[..., 0], levels > 127)
    np.testing.assert_array_equal(read_mask(tmp_path, "a.jpg"), read_mask(tmp_path / "a.png"))
    with pytest.raises(InputError, match=r"no mask for b\.png"):
        read_mask(tmp_path, "b.png")


def test_the_mask_of_a_recipe_is_what_it_erases():
    key = picture_key(3, "a.png")
    mask = recipe_mask(parse("gaussian:sigma=5,erase:count=3:fill=0.3,gaussian:sigma=2"), key, (20, 30, 3))
    # Each step of a recipe has a key of its own.
    np.testing.assert_array_equal(mask, erase_mask(jax.random.fold_in(key, 1), np.zeros((20, 30, 3), np.float32), count=3))
    with pytest.raises(InputError, match="changes the size"):
        recipe_mask(parse("downsample:scale=2"), key, (20, 30, 3))
