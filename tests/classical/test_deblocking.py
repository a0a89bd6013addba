"""Deblocking against Pillow's files, a plain loop over shifts with SciPy's DCT, and the definition of a minimum."""

import io

import jax
import numpy as np
import pytest
from PIL import Image
from scipy.fft import dctn, idctn

from jaxrestore.classical.deblocking import shifted_jpeg, tv_deblocking
from jaxrestore.classical.quantisation_cells import cells, coefficients
from jaxrestore.errors import InputError
from jaxrestore.ops.jpeg_tables import quantisation_tables
from tests.classical.photograph import decibels, photograph

METHODS = (shifted_jpeg, tv_deblocking)


def compressed(channels: int, quality: int = 10, subsampling: str = "4:2:0", size: int = 96) -> np.ndarray:
    file = io.BytesIO()
    pixels = np.round(255 * photograph(size, channels)).astype(np.uint8)
    Image.fromarray(pixels.squeeze()).save(file, "JPEG", quality=quality, **({"subsampling": subsampling} if channels == 3 else {}))
    return np.asarray(Image.open(file), np.float32).reshape(pixels.shape) / 255


def test_the_original_lies_in_the_cells_of_its_file():
    table = quantisation_tables(30)[0]
    with jax.enable_x64(True):
        boxes = cells(compressed(1, 30).astype(np.float64), table)
        distance = np.abs(coefficients(photograph(96, 1).astype(np.float64)) - boxes.centre)
        # libjpeg's integer transform and the rounding to 8 bits leave a little doubt at the cells' borders.
        assert (distance < boxes.half + 1.0).all()
        assert (distance / boxes.half).max() > 0.9
        np.testing.assert_allclose(boxes.nearest(photograph(96, 1).astype(np.float64)), photograph(96, 1), atol=2 / 255)
        narrow = cells(compressed(1, 30).astype(np.float64), table, 0.3)
        inside = narrow.nearest(photograph(96, 1).astype(np.float64))
        assert np.abs(coefficients(inside) - narrow.centre).max() < 0.15 * table.max() + 1e-9


def test_shifts_one_after_the_other():
    image, table = compressed(1, size=24)[..., 0].astype(np.float64), quantisation_tables(10)[0].astype(float)

    def blockwise(picture, change):
        changed = np.empty_like(picture)
        for i in range(0, picture.shape[0], 8):
            for j in range(0, picture.shape[1], 8):
                block = np.s_[i : i + 8, j : j + 8]
                changed[block] = idctn(change(dctn(255 * picture[block] - 128, norm="ortho"), block), norm="ortho")
        return (changed + 128) / 255

    def again(frequencies, _):
        return table * np.round(frequencies / table)

    padded, total = np.pad(image, 8, "symmetric"), 0.0
    for i in range(8):
        for j in range(8):
            total = total + blockwise(padded[i : i + 32, j : j + 32], again)[8 - i :, 8 - j :][:24, :24] / 64

    def near(frequencies, block):
        centre = again(dctn(255 * image[block] - 128, norm="ortho"), block)
        return np.clip(frequencies, centre - 0.35 * table, centre + 0.35 * table)

    with jax.enable_x64(True):
        ours = shifted_jpeg(image[..., None], quality=10, width=0.7)[..., 0]
        np.testing.assert_allclose(ours, blockwise(total, near), rtol=0, atol=1e-12)


def test_variation_is_least_among_what_is_allowed():
    image, table = compressed(1, size=24).astype(np.float64), quantisation_tables(10)[0]

    def variation(u):
        return np.hypot(np.diff(u, axis=0, append=u[-1:]), np.diff(u, axis=1, append=u[:, -1:])).sum()

    with jax.enable_x64(True):
        best = np.asarray(tv_deblocking(image, quality=10, width=0.8, iterations=20_000))
        allowed = cells(image, table, 0.8)
        np.testing.assert_allclose(allowed.nearest(best), best, rtol=0, atol=1e-12)
        random = np.random.default_rng(0)
        for size in (1e-1, 1e-3):
            for _ in range(8):
                other = np.asarray(allowed.nearest(best + size * random.standard_normal(best.shape)))
                assert variation(other) > variation(best) * (1 - 1e-7)
        assert variation(best) < 0.9 * variation(image)


@pytest.mark.parametrize("method", METHODS)
def test_photographs_gain(method):
    for channels in (1, 3):
        decoded = compressed(channels)
        restored = method(decoded, quality=10)
        gain = decibels(restored, photograph(96, channels)) - decibels(decoded, photograph(96, channels))
        assert gain > 0.3, (channels, gain)


@pytest.mark.parametrize("method", METHODS)
def test_sizes_tables_and_batches(method):
    decoded = compressed(3, subsampling="4:4:4")
    images = np.stack([decoded[:37, :29], decoded[:37, 56:85]])[None]
    together = np.asarray(method(images, subsampled=False))
    clean = np.stack([photograph()[:37, :29], photograph()[:37, 56:85]])[None]
    assert decibels(together, clean) > decibels(images, clean) + 0.3
    np.testing.assert_allclose(together[0, 1], method(images[0, 1], subsampled=False), atol=3e-5)
    np.testing.assert_allclose(together, method(images, subsampled=False, quality=90, tables=quantisation_tables(10)), atol=1e-6)
    flat = np.full((24, 24, 1), 128 / 255, np.float32)
    np.testing.assert_allclose(method(flat), flat, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"quality": 0}, r"quality is 0: it must be in 1\.\.100"),
        ({"quality": 101}, r"quality is 101: it must be in 1\.\.100"),
        ({"width": 0.0}, "width is 0: it must be greater than 0 and at most 1"),
        ({"tables": np.ones((8, 8))}, r"tables have the shape \(8, 8\)"),
        ({"tables": np.zeros((2, 8, 8))}, "they must be positive"),
    ],
)
def test_bad_arguments(method, arguments, message):
    with pytest.raises(InputError, match=message):
        method(np.zeros((16, 16, 1), np.float32), **arguments)
    with pytest.raises(InputError, match="2 channels: a JPEG picture has 1 or 3"):
        method(np.zeros((16, 16, 2), np.float32))
