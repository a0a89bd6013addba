"""TIFF files row by row: the rows are what the whole picture holds, whoever wrote the file; nothing half-written stays."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from jaxrestore.data.images import Picture, encode, read_image
from jaxrestore.data.strips import cut, open_rows, write_bands
from jaxrestore.errors import InputError

LAYOUTS = {
    "one strip": {},
    "strips": {"rowsperstrip": 5},
    "deflate": {"compression": "zlib", "rowsperstrip": 7},
    "differences": {"compression": "zlib", "predictor": True, "rowsperstrip": 4},
    "tiles": {"tile": (16, 32)},
    "deflated tiles": {"compression": "zlib", "tile": (32, 16)},
    "the other byte order": {"byteorder": ">", "rowsperstrip": 6},
    "deflate in the other byte order": {"byteorder": ">", "compression": "zlib", "rowsperstrip": 6},
    "64 bit offsets": {"bigtiff": True, "rowsperstrip": 9},
    "white is zero": {"photometric": "miniswhite", "compression": "zlib", "rowsperstrip": 9},
}


def noise(*shape: int, dtype=np.uint8) -> np.ndarray:
    generator = np.random.default_rng(0)
    return generator.random(shape, np.float32) if dtype == np.float32 else generator.integers(0, np.iinfo(dtype).max, shape, dtype)


def all_rows(path: Path, step: int) -> np.ndarray:
    with open_rows(path) as picture:
        assert picture is not None
        height, width, channels = picture.shape
        result = np.empty(picture.shape, picture.dtype)
        for start in range(0, height, step):
            stop = min(start + step, height)
            band = np.empty((stop - start, width, channels), picture.dtype)
            picture.read(start, stop, band)
            result[start:stop] = band
        return result


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_rows_are_those_of_the_whole(tmp_path, layout, dtype):
    if layout == "differences" and dtype == np.float32:
        pytest.skip("tifffile needs another package to write it")
    options, path = {"photometric": "minisblack", **LAYOUTS[layout]}, tmp_path / "a.tif"
    written = noise(50, 41, dtype=dtype)
    tifffile.imwrite(path, written, **options)
    expected = read_image(path).pixels
    if "miniswhite" not in options.values():
        np.testing.assert_array_equal(expected[..., 0], written)
    for step in (1, 8, 13, 50):
        np.testing.assert_array_equal(all_rows(path, step), expected)


@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("layout", ["one strip", "strips", "deflate", "differences", "deflated tiles"])
def test_colours_together_and_in_planes(tmp_path, planes, layout):
    pixels = noise(37, 21, 3, dtype=np.uint16)
    stored = pixels if planes == "contig" else np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planes, **LAYOUTS[layout])
    np.testing.assert_array_equal(all_rows(tmp_path / "a.tif", 10), pixels)


@pytest.mark.parametrize("shape", [(130, 70, 1), (5, 3, 2), (300, 400, 3), (64, 65, 4)])
def test_written_in_bands_is_the_same_file(tmp_path, shape):
    pixels = noise(*shape, dtype=np.uint16)
    source = tmp_path / "source.tif"
    source.write_bytes(encode(Picture(pixels, b"profile", orientation=6), source))
    bands = (pixels[start : start + 17] for start in range(0, shape[0], 17))
    with open_rows(source) as like:
        write_bands(tmp_path / "new" / "a.tif", bands, shape, like)
    assert (tmp_path / "new" / "a.tif").read_bytes() == source.read_bytes()


def test_cutting():
    bands = [np.arange(a, b)[:, None] for a, b in ((0, 3), (3, 4), (4, 20), (20, 21))]
    strips = list(cut(iter(bands), 6))
    assert [len(strip) for strip in strips] == [6, 6, 6, 3]
    np.testing.assert_array_equal(np.concatenate(strips)[:, 0], np.arange(21))


def test_nothing_half_written_stays(tmp_path):
    tifffile.imwrite(tmp_path / "source.tif", noise(600, 700))

    def broken():
        yield noise(512, 700, 1)
        raise InputError("enough")

    with open_rows(tmp_path / "source.tif") as like, pytest.raises(InputError, match="enough"):
        write_bands(tmp_path / "a.tif", broken(), (600, 700, 1), like)
    assert [file.name for file in tmp_path.iterdir()] == ["source.tif"]


def test_what_is_read_whole(tmp_path):
    from PIL import Image

    Image.fromarray(noise(9, 8)).save(tmp_path / "a.tif", compression="tiff_lzw")
    Image.fromarray(noise(9, 8)).save(tmp_path / "a.png")
    Image.fromarray(noise(9, 8)).convert("P").save(tmp_path / "p.tif")
    for name in ("a.tif", "a.png", "p.tif"):
        with open_rows(tmp_path / name) as picture:
            assert picture is None


def test_bad_files(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise(40, 30), compression="zlib", rowsperstrip=8)
    whole = path.read_bytes()
    with pytest.raises(InputError, match="says that it is 30x40"), open_rows(path, max_pixels=1000):
        pass
    path.write_bytes(whole[:-200])
    with pytest.raises(InputError, match="cannot be decoded"):
        all_rows(path, 8)
    path.write_bytes(whole[:100])
    with pytest.raises(InputError, match="cannot be decoded"), open_rows(path):
        pass
    tifffile.imwrite(path, np.full((4, 4), np.nan, np.float32))
    with pytest.raises(InputError, match="not finite"):
        all_rows(path, 2)
    with pytest.raises(InputError, match="does not exist"), open_rows(tmp_path / "b.tif"):
        pass
