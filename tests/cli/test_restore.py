"""`jaxrestore restore`: with a network that changes nothing, every picture comes back bit for bit; folders; what is refused."""

import os
import pickle
import struct
import zlib
from pathlib import Path

import jax
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageCms
from safetensors.numpy import save_file

from jaxrestore.classical.median import median
from jaxrestore.data.images import Picture, from_float, read_image, to_float, write_image
from jaxrestore.models.restoration.edcnn import EDCNN
from jaxrestore.models.super_resolution.vdsr import VDSR
from jaxrestore.nn.initialise import initialise
from jaxrestore.ops.resize import imresize
from jaxrestore.weights import save_weights
from tests.cli.command import files_in, identity_weights, refused, refused_in_one_line, run

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    return {channels: identity_weights(folder, channels) for channels in (1, 3)}


@pytest.fixture(scope="module")
def vdsr(tmp_path_factory) -> Path:
    """Interpolates and adds nothing."""
    model = VDSR(2, 2)
    variables = jax.tree.map(np.zeros_like, initialise(model, jax.random.key(0), np.zeros((1, 8, 8, 1), np.float32)))
    path = tmp_path_factory.mktemp("vdsr") / "weights.safetensors"
    save_weights(path, variables, model)
    return path


@pytest.fixture
def photo(tmp_path) -> Path:
    path = tmp_path / "photo.png"
    write_image(path, Picture(np.random.default_rng(0).integers(0, 256, (6, 7, 3), np.uint8)))
    return path


def pixels(height: int, width: int, channels: int, dtype) -> np.ndarray:
    if dtype == np.float32:
        return np.random.default_rng(channels).normal(0.5, 1.0, (height, width, channels)).astype(dtype)
    return np.random.default_rng(channels).integers(0, np.iinfo(dtype).max + 1, (height, width, channels), dtype)


@pytest.mark.parametrize("network", [1, 3])
@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_every_kind_comes_back_bit_for_bit(tmp_path, weights, suffix, network):
    originals = {
        f"{np.dtype(dtype)}-{channels}-{height}x{width}{suffix}": Picture(pixels(height, width, channels, dtype))
        for dtype in (np.uint8, np.uint16, np.float32)[: 3 if suffix == ".tiff" else 2]
        for channels in (1, 2, 3, 4)
        for height, width in ((5, 4),) + ((1, 1), (1, 6)) * (channels in (1, 4))
    }
    (tmp_path / "in").mkdir()
    for name, picture in originals.items():
        write_image(tmp_path / "in" / name, picture)
    run("restore", tmp_path / "in", "-o", tmp_path / "out", "--weights", weights[network])
    assert files_in(tmp_path / "out") == set(originals)
    for name, picture in originals.items():
        np.testing.assert_array_equal(read_image(tmp_path / "out" / name).pixels, picture.pixels, err_msg=name)


def test_profile_and_orientation_stay(tmp_path, weights):
    profile = SRGB
    exif = Image.Exif()
    exif[0x0112], exif[0x0110] = 6, "camera"
    original = pixels(4, 5, 3, np.uint8)
    Image.fromarray(original).save(tmp_path / "a.png", icc_profile=profile, exif=exif)
    run("restore", tmp_path / "a.png", "-o", tmp_path / "b.png", "--weights", weights[3])
    with Image.open(tmp_path / "b.png") as restored:  # read by Pillow, not by the code that wrote it
        np.testing.assert_array_equal(np.asarray(restored), original)
        assert restored.info["icc_profile"] == profile
        assert dict(restored.getexif()) == {0x0112: 6, 0x0110: "camera"}


@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), network=st.sampled_from((1, 3)))
def test_any_folder_comes_back_bit_for_bit(tmp_path_factory, weights, data, network):
    folder = tmp_path_factory.mktemp("any")
    (folder / "in").mkdir()
    sides, dtypes = st.sampled_from((1, 2, 7)), (np.uint8, np.uint16, np.float32)
    originals = {}
    for n in range(data.draw(st.integers(1, 6))):
        suffix = data.draw(st.sampled_from((".png", ".tiff")))
        dtype = data.draw(st.sampled_from(dtypes if suffix == ".tiff" else dtypes[:2]))
        shape = (data.draw(sides), data.draw(sides), data.draw(st.integers(1, 4)))
        # Below 1.2e-38 (subnormal numbers) processors that compute as accelerators do take zero.
        elements = st.floats(-(2.0**10), 2.0**10, width=32, allow_subnormal=False) if dtype == np.float32 else None
        values = data.draw(arrays.arrays(dtype, shape, elements=elements))
        profile = data.draw(st.sampled_from((None, SRGB))) if shape[-1] >= 3 else None
        originals[f"{n}{suffix}"] = Picture(values, profile, None, data.draw(st.integers(1, 8)))
        write_image(folder / "in" / f"{n}{suffix}", originals[f"{n}{suffix}"])
    run("restore", folder / "in", "-o", folder / "out", "--weights", weights[network])
    assert files_in(folder / "out") == set(originals)
    for name, original in originals.items():
        restored = read_image(folder / "out" / name)
        np.testing.assert_array_equal(restored.pixels, original.pixels)
        assert restored.pixels.dtype == original.pixels.dtype
        assert (restored.icc_profile, restored.orientation) == (original.icc_profile, original.orientation)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_palettes_and_cmyk_come_back_as_what_they_show(tmp_path, weights, suffix):
    """Their own kinds of pixels cannot hold what a network gives."""
    photo = Image.fromarray(pixels(8, 9, 3, np.uint8))
    indexed = photo.quantize(16)
    indexed.save(tmp_path / "palette.png")
    indexed.save(tmp_path / "transparent.png", transparency=3)
    photo.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    with Image.open(tmp_path / "cmyk.jpg") as cmyk, Image.open(tmp_path / "transparent.png") as transparent:
        assert (cmyk.mode, transparent.mode) == ("CMYK", "P")
        shown = {"palette.png": indexed.convert("RGB"), "transparent.png": transparent.convert("RGBA"), "cmyk.jpg": cmyk.convert("RGB")}
    for name, expected in shown.items():
        restored = tmp_path / f"{name}{suffix}"
        run("restore", tmp_path / name, "-o", restored, "--weights", weights[3])
        np.testing.assert_array_equal(read_image(restored).pixels, np.asarray(expected))


class TestSeveralNetworks:
    MODELS = ("--model", "median:size=3", "--model", "median:size=5")

    def test_their_mean_and_spread(self, photo, tmp_path):
        image = to_float(read_image(photo).pixels)
        each = np.stack([np.asarray(median(image, size=size)) for size in (3, 5)])
        run("restore", photo, "-o", tmp_path / "b.png", *self.MODELS, "--spread", tmp_path / "spread.tiff")
        np.testing.assert_array_equal(read_image(tmp_path / "b.png").pixels, from_float(each.mean(axis=0), np.uint8))
        np.testing.assert_allclose(read_image(tmp_path / "spread.tiff").pixels, each.std(axis=0), atol=1e-6)
        run("restore", photo, "-o", tmp_path / "b.png", *self.MODELS, "--spread", tmp_path / "spread.png")
        stored = read_image(tmp_path / "spread.png").pixels
        assert stored.dtype == np.uint16
        np.testing.assert_allclose(to_float(stored), each.std(axis=0), atol=1 / 65535)

    def test_spreads_of_a_folder(self, tmp_path):
        (tmp_path / "in" / "deep").mkdir(parents=True)
        for name in ("a.png", "deep/b.jpg"):
            write_image(tmp_path / "in" / name, Picture(pixels(4, 5, 1, np.uint8)))
        run("restore", tmp_path / "in", "-o", tmp_path / "out", *self.MODELS, "--spread", tmp_path / "spreads")
        assert files_in(tmp_path / "out") == {"a.png", "deep/b.jpg"}
        assert files_in(tmp_path / "spreads") == {"a.tiff", "deep/b.tiff"}

    def test_several_weights(self, photo, tmp_path, weights):
        run("restore", photo, "-o", tmp_path / "b.png", "--weights", weights[3], "--weights", weights[1])
        np.testing.assert_array_equal(read_image(tmp_path / "b.png").pixels, read_image(photo).pixels)

    def test_refusals(self, photo, tmp_path, capsys, weights):
        arguments = ["restore", photo, "-o", tmp_path / "out", "--spread"]
        assert "is alone" in refused_in_one_line(capsys, *arguments, tmp_path / "spreads", "--weights", weights[3])
        assert "suffix '.jpg' is none" in refused_in_one_line(capsys, *arguments[:3], tmp_path / "b.png", "--spread", "s.jpg", *self.MODELS)
        assert "need one" in refused_in_one_line(capsys, *arguments, tmp_path / "s.tiff", *self.MODELS)
        assert "overwrite" in refused_in_one_line(capsys, *arguments[:3], tmp_path / "b.png", "--spread", photo, *self.MODELS)
        assert files_in(tmp_path) == {photo.name}


def test_options_reach_the_restorer(photo, tmp_path, weights):
    run("restore", photo, "-o", tmp_path / "b.png", "--weights", weights[3], "--tile", "off", "--ensemble", "--memory", "1GiB")
    np.testing.assert_array_equal(read_image(tmp_path / "b.png").pixels, read_image(photo).pixels)


class TestEnlarging:
    def test_by_the_scale_that_is_given(self, photo, tmp_path, vdsr):
        run("restore", photo, "-o", tmp_path / "b.png", "--weights", vdsr, "--scale", 3)
        expected = from_float(np.asarray(imresize(to_float(read_image(photo).pixels), 3)), np.uint8)
        difference = np.abs(read_image(tmp_path / "b.png").pixels.astype(int) - expected)
        assert difference.max() <= 1  # where float noise decides how a half is rounded
        assert (difference > 0).mean() < 0.01

    def test_refusals(self, photo, tmp_path, vdsr, weights, capsys):
        arguments = ["restore", photo, "-o", tmp_path / "b.png", "--weights"]
        assert "give scale, 2, 3 or 4" in refused_in_one_line(capsys, *arguments, vdsr)
        assert "scale is 5: VDSR enlarges by 2, 3 or 4" in refused_in_one_line(capsys, *arguments, vdsr, "--scale", 5)
        assert "keeps the size" in refused_in_one_line(capsys, *arguments, weights[3], "--scale", 2)
        assert not (tmp_path / "b.png").exists()


class TestFolders:
    def test_structure_is_kept(self, tmp_path, weights):
        for name in ("in/a.png", "in/deep/er/a.png"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            write_image(tmp_path / name, Picture(pixels(3, 3, 3, np.uint8)))
        run("restore", tmp_path / "in", "-o", tmp_path / "out", "--weights", weights[3])
        assert files_in(tmp_path / "out") == {"a.png", "deep/er/a.png"}

    def test_output_below_the_input_is_not_read_again(self, tmp_path, photo, weights):
        for _ in range(2):
            run("restore", tmp_path, "-o", tmp_path / "out", "--weights", weights[3])
        assert files_in(tmp_path / "out") == {"photo.png"}

    def test_several_inputs(self, tmp_path, photo, weights):
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            write_image(tmp_path / name / "a.png", Picture(pixels(3, 3, 3, np.uint8)))
        run("restore", tmp_path / "one", tmp_path / "two", photo, "-o", tmp_path / "out", "--weights", weights[3])
        assert files_in(tmp_path / "out") == {"one/a.png", "two/a.png", "photo.png"}

    def test_one_file_into_a_folder(self, tmp_path, photo, weights):
        run("restore", photo, "-o", tmp_path / "out", "--weights", weights[3])
        assert files_in(tmp_path / "out") == {"photo.png"}

    def test_a_bad_file_stops_no_other(self, tmp_path, capsys, weights):
        source = tmp_path / "in"
        source.mkdir()
        for name in ("a.png", "c.png"):
            write_image(source / name, Picture(pixels(3, 3, 3, np.uint8)))
        (source / "b.png").write_text("no picture at all")
        lines = refused(capsys, "restore", source, tmp_path / "absent.png", "-o", tmp_path / "out", "--weights", weights[3])
        assert files_in(tmp_path / "out") == {"in/a.png", "in/c.png"}
        assert "absent.png does not exist" in lines[0]
        assert "b.png is not a picture" in lines[1]
        assert "2 of 4" in lines[2]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb() -> bytes:
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


class TestBadPictures:
    @pytest.mark.parametrize(
        ("name", "content", "word"),
        [
            ("empty.png", b"", "is empty"),
            ("text.png", b"hello", "not a picture"),
            ("bomb.png", bomb(), "100000x100000"),
            ("pickle.png", pickle.dumps([1, 2]), "not a picture"),
        ],
    )
    def test_hostile_files(self, tmp_path, capsys, weights, name, content, word):
        (tmp_path / name).write_bytes(content)
        line = refused_in_one_line(capsys, "restore", tmp_path / name, "-o", tmp_path / "out" / "b.png", "--weights", weights[3])
        assert word in line
        assert name in line
        assert files_in(tmp_path / "out") == set()

    @pytest.mark.parametrize("suffix", [".png", ".jpg", ".tiff", ".bmp", ".webp"])
    def test_truncated_files(self, tmp_path, capsys, weights, suffix):
        whole = tmp_path / f"whole{suffix}"
        write_image(whole, Picture(pixels(40, 40, 3, np.uint8)))
        half = tmp_path / f"half{suffix}"
        half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
        line = refused_in_one_line(capsys, "restore", half, "-o", tmp_path / "out", "--weights", weights[3])
        assert half.name in line
        assert files_in(tmp_path / "out") == set()

    def test_the_limit_of_size_can_be_moved(self, photo, tmp_path, capsys, weights):
        arguments = ["restore", photo, "-o", tmp_path / "out", "--weights", weights[3], "--max-pixels"]
        assert "raise max_pixels (--max-pixels)" in refused_in_one_line(capsys, *arguments, 41)
        assert "max-pixels is 0" in refused_in_one_line(capsys, *arguments, 0)
        assert files_in(tmp_path / "out") == set()
        for limit in (42, "inf"):
            run(*arguments, limit)
        assert files_in(tmp_path / "out") == {photo.name}

    def test_pixels_that_are_not_finite(self, tmp_path, capsys, weights):
        values = np.full((3, 3, 3), 0.5, np.float32)
        values[1, 1, 1] = np.nan
        write_image(tmp_path / "a.tiff", Picture(values))
        line = refused_in_one_line(capsys, "restore", tmp_path / "a.tiff", "-o", tmp_path / "out", "--weights", weights[3])
        assert "a.tiff" in line
        assert "NaN" in line
        assert files_in(tmp_path / "out") == set()


class TestBadArguments:
    def test_missing_input(self, tmp_path, capsys):
        assert "does not exist" in refused_in_one_line(capsys, "restore", tmp_path / "absent", "-o", tmp_path / "out")

    def test_folder_without_pictures(self, tmp_path, capsys):
        assert "no pictures" in refused_in_one_line(capsys, "restore", tmp_path, "-o", tmp_path / "out")

    def test_no_input(self, tmp_path, capsys):
        assert "no input" in refused_in_one_line(capsys, "restore", "-o", tmp_path / "out")

    def test_overwriting_the_input(self, photo, capsys, weights):
        before = photo.read_bytes()
        link = photo.with_name("link.png")
        os.symlink(photo, link)
        for output in (photo, photo.parent, link):
            assert "overwrite" in refused_in_one_line(capsys, "restore", photo, "-o", output, "--weights", weights[3])
        assert photo.read_bytes() == before

    def test_two_pictures_for_one_place(self, photo, tmp_path, capsys, weights):
        (tmp_path / "more").mkdir()
        twin = tmp_path / "more" / photo.name
        twin.write_bytes(photo.read_bytes())
        assert "two pictures" in refused_in_one_line(capsys, "restore", photo, twin, "-o", tmp_path / "out", "--weights", weights[3])

    def test_output_that_cannot_be(self, photo, tmp_path, capsys, weights):
        blocked = tmp_path / "file"
        blocked.write_text("")
        assert "suffix" in refused_in_one_line(capsys, "restore", photo, "-o", tmp_path / "b.gif", "--weights", weights[3])
        assert "folder" in refused_in_one_line(capsys, "restore", photo, photo, "-o", blocked, "--weights", weights[3])
        assert "folder" in refused_in_one_line(capsys, "restore", photo, "-o", blocked / "b.png", "--weights", weights[3])

    def test_format_that_cannot_hold_the_picture(self, tmp_path, capsys, weights):
        write_image(tmp_path / "a.png", Picture(pixels(3, 3, 4, np.uint8)))
        line = refused_in_one_line(capsys, "restore", tmp_path / "a.png", "-o", tmp_path / "b.jpg", "--weights", weights[3])
        assert "alpha" in line
        assert not (tmp_path / "b.jpg").exists()

    @pytest.mark.parametrize(
        ("extra", "word"),
        [
            (["--model", "dncnn_grey"], "did you mean"),
            (["--model", "dncnn_gray"], "ships no weights"),
            (["--model", "dncnn_gray.nothing"], "not among"),
            (["--weights", "absent.pth"], "absent.pth"),
            (["--tile", "big"], "tile"),
            (["--memory", "much"], "memory"),
        ],
    )
    def test_model_and_settings(self, photo, tmp_path, capsys, weights, extra, word):
        extra = extra if "--model" in extra or "--weights" in extra else ["--weights", weights[3], *extra]
        assert word in refused_in_one_line(capsys, "restore", photo, "-o", tmp_path / "out", *extra)
        assert files_in(tmp_path / "out") == set()

    def test_weights_of_another_network(self, photo, tmp_path, capsys, weights):
        line = refused_in_one_line(capsys, "restore", photo, "-o", tmp_path / "out", "--model", "dncnn_gray", "--weights", weights[3])
        assert "dncnn_gray" in line

    def test_tensors_of_another_network_are_named(self, photo, tmp_path, capsys):
        save_file({"conv1.weight": np.zeros((8, 3, 3, 3), np.float32)}, tmp_path / "other.safetensors")
        arguments = ["restore", photo, "-o", tmp_path / "out", "--model", "ircnn_set_gray", "--weights", tmp_path / "other.safetensors"]
        line = refused_in_one_line(capsys, *arguments)
        for word in ("other.safetensors", "do not fit ircnn_set_gray", "conv1.weight"):
            assert word in line

    def test_a_network_for_another_task(self, photo, tmp_path, capsys):
        model = EDCNN(features=2, levels=1, classes=5)
        save_weights(tmp_path / "classes.safetensors", initialise(model, jax.random.key(0), np.zeros((1, 8, 8, 3), np.float32)), model)
        line = refused_in_one_line(capsys, "restore", photo, "-o", tmp_path / "out", "--weights", tmp_path / "classes.safetensors")
        assert "does not restore images" in line
        assert files_in(tmp_path / "out") == set()

    def test_output_that_is_read_only(self, photo, tmp_path, capsys, weights, monkeypatch):
        def refuse(*_, **__):
            raise OSError(30, "Read-only file system")

        monkeypatch.setattr(Path, "write_bytes", refuse)
        monkeypatch.setattr(Path, "unlink", refuse)
        line = refused_in_one_line(capsys, "restore", photo, "-o", tmp_path / "out", "--weights", weights[3])
        assert "photo.png cannot be written: Read-only file system" in line

    def test_half_a_checkpoint(self, photo, tmp_path, capsys, weights):
        half = tmp_path / "half.safetensors"
        half.write_bytes(weights[3].read_bytes()[: weights[3].stat().st_size // 2])
        assert "half.safetensors" in refused_in_one_line(capsys, "restore", photo, "-o", tmp_path / "out", "--weights", half)

    def test_a_pickle_that_calls_code(self, photo, tmp_path, capsys):
        proof = tmp_path / "called"

        class Hostile:
            def __reduce__(self):
                return os.mkdir, (str(proof),)

        (tmp_path / "hostile.pth").write_bytes(pickle.dumps({"weight": Hostile()}))
        line = refused_in_one_line(capsys, "restore", photo, "-o", tmp_path / "out", "--weights", tmp_path / "hostile.pth")
        assert "hostile.pth" in line
        assert not proof.exists()

    def test_no_network_named_and_none_shipped(self, photo, tmp_path, capsys, monkeypatch):
        import jaxrestore.weights

        monkeypatch.setattr(jaxrestore.weights, "list_pretrained", lambda: ())
        assert "--weights" in refused_in_one_line(capsys, "restore", photo, "-o", tmp_path / "out")
