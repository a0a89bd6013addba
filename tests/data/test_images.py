"""Every kind of picture file against other decoders, bit by bit; then the files that are none."""

import io
import os
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
import skimage.data
import skimage.io
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from jaxrestore.data.codecs import exif as exif_block
from jaxrestore.data.codecs import png16
from jaxrestore.data.images import Picture, encode, find_images, from_float, read_image, read_size, to_float, upright, write_image
from jaxrestore.errors import InputError

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def noise(channels: int, dtype=np.uint8, size=(13, 17)) -> np.ndarray:
    generator = np.random.default_rng(channels)
    if np.dtype(dtype).kind == "f":
        return generator.normal(0.5, 1.0, (*size, channels)).astype(dtype)
    return generator.integers(0, np.iinfo(dtype).max, (*size, channels), dtype, endpoint=True)


def exif_of(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    exif[0x0112] = orientation
    exif[0x9003] = "2020:02:02 02:02:02"
    return exif.tobytes()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_is_what_opencv_and_pillow_see(tmp_path, channels, dtype):
    pixels = noise(channels, dtype)
    path = tmp_path / "a.png"
    write_image(path, Picture(pixels))
    np.testing.assert_array_equal(read_image(path).pixels, pixels)
    theirs = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert theirs.dtype == dtype
    order = {1: [0], 2: [0, 0, 0, 1], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[channels]
    np.testing.assert_array_equal(theirs.reshape(13, 17, -1), pixels[..., order])
    if dtype == np.uint8:
        np.testing.assert_array_equal(np.asarray(Image.open(path)).reshape(pixels.shape), pixels)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_reads_16_bit_png_of_opencv(tmp_path, channels):
    pixels = noise(channels, np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), pixels[..., [2, 1, 0, 3][:channels]] if channels > 1 else pixels)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").pixels, pixels)


def test_reads_png_of_low_depth_and_palettes(tmp_path):
    bits = (noise(1) > 100)[..., 0]
    Image.fromarray(bits).save(tmp_path / "one.png", bits=1)
    np.testing.assert_array_equal(read_image(tmp_path / "one.png").pixels[..., 0], 255 * bits)
    palette = Image.fromarray(noise(3)).quantize(32)
    palette.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(read_image(tmp_path / "palette.png").pixels, np.asarray(palette.convert("RGB")))
    palette.save(tmp_path / "transparent.png", transparency=3)
    pixels = read_image(tmp_path / "transparent.png").pixels
    np.testing.assert_array_equal(pixels[..., 3], np.where(np.asarray(palette) == 3, 0, 255))


@pytest.mark.parametrize("channels", [1, 3])
def test_transparent_colour_becomes_alpha(tmp_path, channels):
    pixels = noise(channels, np.uint16)
    plain = png16.encode(pixels, None, None)
    key = struct.pack(f">{channels}H", *pixels[2, 3])
    chunk = struct.pack(">I", len(key)) + b"tRNS" + key + struct.pack(">I", zlib.crc32(b"tRNS" + key))
    (tmp_path / "a.png").write_bytes(plain[:33] + chunk + plain[33:])
    picture = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(picture.color, pixels)
    assert picture.alpha[2, 3] == 0
    assert np.count_nonzero(picture.alpha == 65535) == picture.alpha.size - 1


def test_reads_interlaced_16_bit_png(tmp_path):
    pixels = noise(3, np.uint16, (5, 3))
    scanlines = b""
    for x, y, across, down in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        for row in pixels[y::down, x::across] if pixels[y::down, x::across].size else ():
            scanlines += b"\x00" + row.astype(">u2").tobytes()

    (tmp_path / "a.png").write_bytes(png_of(3, 5, 16, scanlines, interlaced=1))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").pixels, pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_tiff_is_what_tifffile_sees(tmp_path, channels, dtype):
    pixels = noise(channels, dtype)
    path = tmp_path / "a.tiff"
    write_image(path, Picture(pixels, PROFILE, None, 6))
    picture = read_image(path)
    assert (picture.icc_profile, picture.orientation) == (PROFILE, 6)
    np.testing.assert_array_equal(picture.pixels, pixels)
    np.testing.assert_array_equal(tifffile.imread(path).reshape(pixels.shape), pixels)
    if dtype == np.uint8:
        with Image.open(path) as image:
            assert image.getexif()[0x0112] == 6


@pytest.mark.parametrize("orientation", [1, 6])
def test_reads_other_tiffs(tmp_path, orientation):
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "tiff_lzw"):
        Image.fromarray(noise(3)).save(tmp_path / "a.tif", compression=compression, tiffinfo={274: orientation})
        picture = read_image(tmp_path / "a.tif")
        np.testing.assert_array_equal(picture.pixels, noise(3))
        assert picture.orientation == orientation
    Image.fromarray(noise(1)[..., 0] > 100).save(tmp_path / "one.tif", compression="group4")
    np.testing.assert_array_equal(read_image(tmp_path / "one.tif").pixels, 255 * (noise(1) > 100))
    cv2.imwrite(str(tmp_path / "lzw16.tif"), noise(3, np.uint16)[..., ::-1])
    np.testing.assert_array_equal(read_image(tmp_path / "lzw16.tif").pixels, noise(3, np.uint16))
    tifffile.imwrite(
        tmp_path / "planes.tif", noise(3, np.uint16).transpose(2, 0, 1), photometric="rgb", planarconfig="separate", byteorder=">"
    )
    np.testing.assert_array_equal(read_image(tmp_path / "planes.tif").pixels, noise(3, np.uint16))
    tifffile.imwrite(tmp_path / "white.tif", noise(1, np.uint16)[..., 0], photometric="miniswhite")
    np.testing.assert_array_equal(read_image(tmp_path / "white.tif").pixels, 65535 - noise(1, np.uint16))
    tifffile.imwrite(tmp_path / "pages.tif", noise(3).repeat(2, 0).reshape(2, 13, 17, 3), photometric="rgb")
    assert read_image(tmp_path / "pages.tif").pixels.shape == (13, 17, 3)


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3), ("CMYK", 3)])
def test_jpeg_is_what_scikit_image_sees(tmp_path, mode, channels):
    smooth = cv2.GaussianBlur(noise(3, size=(40, 50)), (0, 0), 4)
    Image.fromarray(smooth).convert(mode).save(tmp_path / "a.jpg", quality=90)
    pixels = read_image(tmp_path / "a.jpg").pixels
    assert pixels.shape == (40, 50, channels)
    if mode == "CMYK":
        assert np.abs(pixels.astype(int) - smooth).max() < 40
    else:
        np.testing.assert_array_equal(pixels.squeeze(), skimage.io.imread(tmp_path / "a.jpg"))


def test_jpeg_keeps_profile_exif_and_nearly_the_pixels(tmp_path):
    smooth = cv2.GaussianBlur(noise(3, size=(40, 50)), (0, 0), 4)
    write_image(tmp_path / "a.jpg", Picture(smooth, PROFILE, exif_of(6), 6), quality=97)
    picture = read_image(tmp_path / "a.jpg")
    assert (picture.icc_profile, picture.exif, picture.orientation) == (PROFILE, exif_of(6), 6)
    assert np.abs(picture.pixels.astype(int) - smooth).max() <= 4


@pytest.mark.parametrize(("suffix", "channels"), [(".bmp", 1), (".bmp", 3), (".webp", 3), (".webp", 4), (".webp", 1), (".webp", 2)])
def test_bmp_and_webp(tmp_path, suffix, channels):
    path = tmp_path / f"a{suffix}"
    pixels = noise(channels)
    if channels in (2, 4):
        pixels[:3, :, -1] = 0  # colours that cannot be seen are kept
    write_image(path, Picture(pixels), quality=100)
    if suffix == ".webp" and channels <= 2:
        pixels = pixels[..., [0, 0, 0, 1][: channels + 2]]
    np.testing.assert_array_equal(read_image(path).pixels, pixels)
    np.testing.assert_array_equal(np.asarray(Image.open(path)).reshape(pixels.shape), pixels)


@pytest.mark.parametrize(("suffix", "dtype"), [(".png", np.uint8), (".png", np.uint16), (".webp", np.uint8)])
def test_profile_and_exif_survive(tmp_path, suffix, dtype):
    write_image(tmp_path / f"a{suffix}", Picture(noise(3, dtype), PROFILE, exif_of(8), 8), quality=100)
    picture = read_image(tmp_path / f"a{suffix}")
    assert (picture.icc_profile, picture.exif, picture.orientation) == (PROFILE, exif_of(8), 8)
    with Image.open(tmp_path / f"a{suffix}") as image:
        assert image.info["icc_profile"] == PROFILE
        assert image.getexif()[0x010F] == "a maker"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_is_what_pillow_does(tmp_path, orientation):
    exif = exif_of(orientation)
    Image.fromarray(noise(3)).save(tmp_path / "a.png", exif=exif)
    picture = upright(read_image(tmp_path / "a.png"))
    np.testing.assert_array_equal(picture.pixels, np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "a.png"))))
    assert (picture.orientation, exif_block.orientation(picture.exif)) == (1, 1)
    write_image(tmp_path / "a.bmp", read_image(tmp_path / "a.png"))
    np.testing.assert_array_equal(read_image(tmp_path / "a.bmp").pixels, picture.pixels)
    write_image(tmp_path / "b.jpg", Picture(noise(3), orientation=orientation))
    assert read_image(tmp_path / "b.jpg").orientation == orientation


def test_parts_of_a_picture():
    picture = Picture(noise(4, np.uint16), PROFILE, None, 3)
    assert (picture.bits, picture.color.shape, picture.alpha.shape) == (16, (13, 17, 3), (13, 17, 1))
    brighter = picture.with_color(picture.color + 1)
    np.testing.assert_array_equal(brighter.alpha, picture.alpha)
    assert (brighter.icc_profile, brighter.orientation) == (PROFILE, 3)
    grey = picture.with_color(picture.color[..., :1])
    assert grey.pixels.shape == (13, 17, 2)
    assert grey.icc_profile is None
    assert picture.with_color(noise(3, size=(26, 34)), None).alpha is None
    with pytest.raises(ValueError, match="give alpha to match"):
        picture.with_color(noise(3, np.uint16, (26, 34)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_float_and_back(dtype):
    levels = np.arange(np.iinfo(dtype).max + 1).astype(dtype)
    floats = to_float(levels)
    assert floats.dtype == np.float32
    assert (floats.min(), floats.max()) == (0.0, 1.0)
    np.testing.assert_array_equal(from_float(floats, dtype), levels)


def test_halves_round_up_and_the_rest_is_clipped():
    np.testing.assert_array_equal(from_float(np.array([-1.0, 0.5 / 255, 1.5 / 255, 2.49 / 255, 3.0]), np.uint8), [0, 1, 2, 2, 255])


def png_of(width: int, height: int, bits: int, scanlines: bytes, interlaced: int = 0) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, interlaced)
    data = b"IDAT" + zlib.compress(scanlines)
    return png16.SIGNATURE + b"".join(struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, data, b"IEND"))


def whole(suffix: str, dtype=np.uint8) -> bytes:
    pixels = noise(3, dtype, (64, 64))
    if suffix == ".tif":
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, pixels, photometric="rgb")
        return buffer.getvalue()
    if dtype == np.uint16:
        return cv2.imencode(suffix, pixels)[1].tobytes()
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, {".png": "PNG", ".jpg": "JPEG", ".bmp": "BMP", ".webp": "WebP"}[suffix])
    return buffer.getvalue()


def middle_damaged(data: bytes) -> bytes:
    half = len(data) // 2
    return data[:half] + bytes(byte ^ 0x5A for byte in data[half : half + 9]) + data[half + 9 :]


LZW = cv2.imencode(".tif", noise(3, np.uint16))[1].tobytes()
BAD = {
    "empty.png": (b"", "is empty"),
    "text.png": (b"this is no picture", "is not a picture"),
    "bomb.png": (png_of(60000, 60000, 8, bytes(1000)), "3600 million pixels, and the limit is 500 million"),
    "bomb16.png": (png_of(60000, 60000, 16, bytes(1000)), "the limit is 500 million.*raise max_pixels"),
    "signature.png": (png16.SIGNATURE, "cannot be decoded"),
    "damaged16.png": (middle_damaged(whole(".png", np.uint16)), "checksum of its part b'IDAT' is wrong"),
    **{f"truncated{s}": (whole(s)[: len(whole(s)) // 2], "cannot be decoded") for s in (".png", ".jpg", ".bmp", ".webp", ".tif")},
    "short16.png": (png_of(2, 3, 16, bytes(38)), "does not hold the pixels that its header promises"),
    "long16.png": (png_of(2, 3, 16, bytes(40)), "does not hold the pixels that its header promises"),
    "filter16.png": (png_of(2, 3, 16, bytes(26) + b"\x05" + bytes(12)), "filter that does not exist"),
    "damaged16.tif": (
        LZW[:500] + b"\xff" * 400 + LZW[900:],
        "16 bit pixels with LZW compression are damaged",
    ),
    "truncated16.png": (whole(".png", np.uint16)[:-900], "it is truncated"),
    "cut.tif": (LZW[:700], "cannot be decoded: it is damaged"),
    "truncated16.tif": (whole(".tif", np.uint16)[:-900], "cannot be decoded"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_one_clear_line(tmp_path, capfd, caplog, name):
    content, message = BAD[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_image(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_what_decoders_only_warn_of_is_read_in_silence(tmp_path, capfd, caplog):
    Image.fromarray(noise(3)).save(tmp_path / "a.jpg", exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x05\x00\x01")
    picture = read_image(tmp_path / "a.jpg")
    assert picture.orientation == 1
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_no_file_and_folders(tmp_path):
    with pytest.raises(InputError, match=r"no\.png does not exist"):
        read_image(tmp_path / "no.png")
    with pytest.raises(InputError, match="is a folder"):
        read_image(tmp_path)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(InputError, match="not an ordinary file"):
        read_image(tmp_path / "pipe.png")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".bmp"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_size_from_the_header(tmp_path, suffix, orientation):
    path = tmp_path / f"a{suffix}"
    write_image(path, Picture(noise(3), orientation=orientation))
    assert read_size(path) == upright(read_image(path)).pixels.shape[:2] == ((13, 17) if orientation == 1 else (17, 13))
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(InputError, match="cannot be decoded"):
        read_size(path)


def test_encodes_by_suffix_alone():
    assert encode(Picture(noise(1)), ".png").startswith(png16.SIGNATURE)


def test_a_larger_limit_lifts_the_refusal(tmp_path):
    write_image(tmp_path / "a.png", Picture(noise(1)))
    with pytest.raises(InputError, match="17x13"):
        read_image(tmp_path / "a.png", max_pixels=220)
    assert read_image(tmp_path / "a.png", max_pixels=221).pixels.shape == (13, 17, 1)


def test_numbers_that_are_none_are_refused(tmp_path):
    pixels = noise(1, np.float32)
    pixels[3, 4] = np.nan
    tifffile.imwrite(tmp_path / "a.tif", pixels[..., 0])
    with pytest.raises(InputError, match="not finite"):
        read_image(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "b.tif", np.zeros((3, 4), np.int32), photometric="minisblack")
    with pytest.raises(InputError, match="type int32"):
        read_image(tmp_path / "b.tif")


START = {
    "nothing": b"",
    "png": whole(".png")[:60],
    "png16": whole(".png", np.uint16)[:60],
    "jpg": whole(".jpg")[:200],
    "tif": whole(".tif")[:8],
}
WHOLE = [whole(".png"), whole(".png", np.uint16), whole(".jpg"), whole(".bmp"), whole(".tif"), whole(".tif", np.uint16), whole(".webp")]
FUZZ = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read_or_refuse(path, capfd) -> None:
    try:
        outcome = read_image(path, max_pixels=1e6)
    except InputError as error:
        outcome = str(error)
    assert isinstance(outcome, Picture) or ("\n" not in outcome and path.name in outcome)
    assert capfd.readouterr() == ("", "")


@FUZZ
@given(start=st.sampled_from(sorted(START)), rest=st.binary(max_size=200))
def test_any_bytes_give_a_picture_or_an_input_error(tmp_path, capfd, start, rest):
    (tmp_path / "a.png").write_bytes(START[start] + rest)
    read_or_refuse(tmp_path / "a.png", capfd)


@FUZZ
@given(data=st.sampled_from(WHOLE), place=st.floats(0, 1), change=st.binary(min_size=1, max_size=4), cut=st.floats(0, 1))
def test_any_damage_gives_a_picture_or_an_input_error(tmp_path, capfd, data, place, change, cut):
    at = int(place * len(data))
    (tmp_path / "a.png").write_bytes((data[:at] + change + data[at + len(change) :])[: len(data) if cut < 0.5 else int(cut * len(data))])
    read_or_refuse(tmp_path / "a.png", capfd)


@pytest.mark.parametrize(
    ("name", "pixels", "message"),
    [
        ("a.jpg", noise(3, np.uint16), "JPEG cannot hold 16 bits; write a .png or .tiff"),
        ("a.bmp", noise(3, np.uint16), "BMP cannot hold 16 bits"),
        ("a.jpg", noise(4), "JPEG cannot hold an alpha channel"),
        ("a.png", noise(3, np.float32), "PNG cannot hold floating-point"),
        ("a.gif", noise(3), r"suffix '\.gif' is none of \.png"),
        ("no/a.png", noise(3), "cannot be written: No such file"),
    ],
)
def test_what_cannot_be_written_leaves_nothing(tmp_path, name, pixels, message):
    with pytest.raises(InputError, match=message):
        write_image(tmp_path / name, Picture(pixels))
    assert not list(tmp_path.iterdir())


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    write_image(tmp_path / "a.png", Picture(noise(3)))
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(InputError, match="No space left"):
        write_image(tmp_path / "a.png", Picture(noise(1)))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").pixels, noise(3))


def test_finds_pictures(tmp_path):
    (tmp_path / "below").mkdir()
    for name in ("b.PNG", "a.jpeg", "below/c.tif", ".hidden.png", "text.txt"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in find_images(tmp_path)] == ["a.jpeg", "b.PNG"]
    assert [path.name for path in find_images(tmp_path, recursive=True)] == ["a.jpeg", "b.PNG", "c.tif"]
    with pytest.raises(InputError, match="does not exist"):
        find_images(tmp_path / "no")
    (tmp_path / "below" / "c.tif").unlink()
    with pytest.raises(InputError, match="holds no pictures"):
        find_images(tmp_path / "below")


def test_importing_it_is_light():
    code = "import sys, jaxrestore.data.images; print([m for m in ('jax', 'grain', 'tensorflow_datasets', 'cv2') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("name", ["astronaut", "page", "horse"])
def test_fast_png_files_are_no_larger(name):
    """A photograph, a grey scan stored in colour and a drawing, beside Pillow's own slow search."""
    pixels = getattr(skimage.data, name)()
    pixels = pixels.astype(np.uint8) * (255 if pixels.dtype == bool else 1)
    pixels = np.stack([pixels] * 3, axis=-1) if name == "page" else pixels
    slow = io.BytesIO()
    Image.fromarray(pixels).save(slow, "PNG")
    data = encode(Picture(pixels.reshape(*pixels.shape[:2], -1)), ".png")
    assert len(data) <= 1.02 * len(slow.getvalue())
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), pixels)
