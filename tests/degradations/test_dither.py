"""Error diffusion against Pillow, the loop of the snippet, and a plain loop."""

import jax
import numpy as np
import pytest
from PIL import Image

from jaxrestore.degradations.dither import dither_error_diffusion
from jaxrestore.errors import InputError
from tests.parity.golden import Golden, goldens

KEY = jax.random.key(0)


def in_8_bits(image: jax.Array) -> np.ndarray:
    exact = np.asarray(image) * 255.0
    assert np.abs(exact - np.round(exact)).max() < 1e-4
    return np.round(exact).astype(np.uint8)


@pytest.mark.parametrize("golden", goldens("ops/dither_error_diffusion"), ids=str)
def test_equals_the_goldens(golden: Golden):
    tensors = golden.tensors
    color = tensors["rgb_u8"].astype(np.float32) / 255
    np.testing.assert_array_equal(in_8_bits(dither_error_diffusion(KEY, color, method="in_place")), tensors["seed_snippet"])
    gray = tensors["gray_u8"][..., None].astype(np.float32) / 255
    np.testing.assert_array_equal(in_8_bits(dither_error_diffusion(KEY, gray, method="pillow"))[..., 0], tensors["pillow_mode1"])


def test_equals_pillow_on_a_batch():
    noise = np.random.default_rng(0).integers(0, 256, (2, 23, 17), np.uint8)
    ours = dither_error_diffusion(KEY, noise[..., None].astype(np.float32) / 255, method="pillow")
    for picture, dithered in zip(noise, in_8_bits(ours), strict=True):
        np.testing.assert_array_equal(dithered[..., 0], np.asarray(Image.fromarray(picture).convert("1")) * np.uint8(255))


def plain_loop(image: np.ndarray, levels: int) -> np.ndarray:
    image = image.copy()
    height, width, _ = image.shape
    for y in range(height):
        for x in range(width):
            chosen = np.clip(np.floor(image[y, x] * (levels - 1) + 0.5), 0, levels - 1) / (levels - 1)
            error, image[y, x] = image[y, x] - chosen, chosen
            for down, right, weight in ((0, 1, 7), (1, -1, 3), (1, 0, 5), (1, 1, 1)):
                if y + down < height and 0 <= x + right < width:
                    image[y + down, x + right] += error * weight / 16
    return image


@pytest.mark.parametrize("levels", [2, 5])
def test_equals_the_plain_loop(levels: int):
    # Sixteenths of eighths of whole numbers: nothing is rounded for a while, and double precision decides the rest alike.
    image = np.random.default_rng(1).integers(0, 9, (9, 14, 2)) / 8
    with jax.enable_x64(True):
        dithered = dither_error_diffusion(KEY, image, levels=levels)
    np.testing.assert_allclose(dithered, plain_loop(image, levels), atol=1e-12)


def test_keeps_the_mean():
    ramp = np.broadcast_to(np.linspace(0.2, 0.8, 64, dtype=np.float32)[None, :, None], (64, 64, 1))
    dithered = np.asarray(dither_error_diffusion(KEY, ramp))
    assert set(np.unique(dithered)) == {0.0, 1.0}
    np.testing.assert_allclose(dithered.reshape(4, 16, 4, 16).mean(axis=(1, 3)), ramp.reshape(4, 16, 4, 16).mean(axis=(1, 3)), atol=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"levels": 1}, r"levels is 1: it must be in 2\.\.256"),
        ({"method": "bayer"}, "method is 'bayer': it must be one of floyd_steinberg, pillow, in_place"),
        ({"levels": 4, "method": "pillow"}, "levels is 4: it must be 2 with method='pillow'"),
    ],
)
def test_bad_arguments(arguments: dict, message: str):
    with pytest.raises(InputError, match=message):
        dither_error_diffusion(KEY, np.full((4, 4, 1), 0.5, np.float32), **arguments)
