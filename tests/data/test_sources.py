"""Sources give what other decoders see, with the channels and bits that were asked for; files with random access give the same again."""

import pickle
import sys

import cv2
import numpy as np
import pytest
import skimage.io
from PIL import Image

from jaxrestore.data.builders import build_tfds, write_array_record
from jaxrestore.data.images import Picture, from_float, write_image
from jaxrestore.data.sources import ArrayRecordImages, ImageFolder, PairedFolders, TFDSImages, convert, pack, unpack
from jaxrestore.errors import InputError


def noise(channels: int, dtype=np.uint8, size=(13, 17)) -> np.ndarray:
    return np.random.default_rng(channels).integers(0, np.iinfo(dtype).max, (*size, channels), dtype, endpoint=True)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    for name, picture in {
        "rgb.png": Picture(noise(3)),
        "grey.png": Picture(noise(1)),
        "alpha.png": Picture(noise(4)),
        "deep.png": Picture(noise(3, np.uint16)),
        "turned.tif": Picture(noise(3), orientation=6),
    }.items():
        write_image(tmp_path / "pictures" / name, picture)
    return tmp_path / "pictures"


@pytest.mark.parametrize("cache", ["memory", "none"])
def test_folder_is_what_scikit_image_sees(folder, cache):
    source = ImageFolder(folder, cache=cache)
    assert source.names == ("alpha", "deep", "grey", "rgb", "turned")
    for _ in range(2):  # the second time from the cache
        images = {name: record["image"] for name, record in zip(source.names, source, strict=True)}
        assert {image.dtype for image in images.values()} == {np.dtype(np.uint8)}
        np.testing.assert_array_equal(images["rgb"], skimage.io.imread(folder / "rgb.png"))
        np.testing.assert_array_equal(images["alpha"], skimage.io.imread(folder / "alpha.png")[..., :3])
        np.testing.assert_array_equal(images["grey"], skimage.io.imread(folder / "grey.png")[..., None].repeat(3, -1))
        np.testing.assert_array_equal(images["turned"], np.rot90(noise(3), -1))
        deep = cv2.imread(str(folder / "deep.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
        np.testing.assert_array_equal(images["deep"], np.round(deep / 257))
    np.testing.assert_array_equal(ImageFolder(folder, bits=16)[1]["image"], deep)
    np.testing.assert_array_equal(ImageFolder(folder, bits=16)[3]["image"], 257 * images["rgb"].astype(np.uint16))


def test_luma_is_matlabs_luma():
    # MATLAB's rgb2ycbcr of uint8 black, white, red, green and blue.
    colors = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    np.testing.assert_array_equal(convert(colors, 1, 8, "luma")[0, :, 0], [16, 235, 81, 145, 41])
    halves = np.full((1, 1, 3), 0.5, np.float32)
    np.testing.assert_array_equal(convert(halves, 1, 16, "luma").ravel(), [round((16 + 219 / 2) / 255 * 65535)])


def test_grey_is_pillows_grey():
    grey = convert(noise(3, size=(200, 200)), 1, 8)
    assert grey.shape == (200, 200, 1)
    theirs = np.asarray(Image.fromarray(noise(3, size=(200, 200))).convert("L"))
    # Pillow computes in 16 bits of fraction: a tie may fall the other way, nothing more.
    difference = np.abs(grey[..., 0].astype(int) - theirs)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3
    np.testing.assert_array_equal(convert(noise(3, np.uint16), 1, 8), from_float(convert(noise(3, np.uint16), 1, 16) / 65535.0, np.uint8))


def test_cache_is_bounded_and_not_sent_to_workers(folder, monkeypatch):
    source = ImageFolder(folder, cache_bytes=2 * 13 * 17 * 3)
    first = [record["image"] for record in source]
    sent = pickle.dumps(source)
    assert len(sent) < 2000
    for path in folder.iterdir():
        path.unlink()
    np.testing.assert_array_equal(source[0]["image"], first[0])
    np.testing.assert_array_equal(source[1]["image"], first[1])
    with pytest.raises(InputError, match=r"grey\.png does not exist"):
        source[2]
    copy = pickle.loads(sent)
    assert repr(copy) == repr(source)
    with pytest.raises(InputError, match=r"alpha\.png does not exist"):
        copy[0]
    with pytest.raises(ValueError, match="read-only"):
        source[0]["image"][0, 0, 0] = 1  # nobody spoils what the next epoch reads


@pytest.mark.parametrize(
    ("option", "message"), [({"channels": 2}, "channels is 2"), ({"bits": 10}, "bits is 10"), ({"cache": "disk"}, "'disk'")]
)
def test_wrong_options(folder, option, message):
    with pytest.raises(InputError, match=message):
        ImageFolder(folder, **option)
    with pytest.raises(IndexError):
        ImageFolder(folder)[5]


@pytest.fixture
def pairs(tmp_path):
    for side in ("clean", "degraded"):
        (tmp_path / side).mkdir()
    for name, size in {"0001": (8, 10), "0002": (4, 6)}.items():
        write_image(tmp_path / "clean" / f"{name}.png", Picture(noise(3, size=size)))
        write_image(tmp_path / "degraded" / f"{name}x2.bmp", Picture(noise(3, size=size)[::2, ::2]))
    return tmp_path


def test_pairs(pairs):
    source = PairedFolders(pairs / "degraded", pairs / "clean", channels=3)
    assert (source.scale, source.names) == (2, ("0001", "0002"))
    for record in source:
        np.testing.assert_array_equal(record["degraded"], record["image"][::2, ::2])


def test_pairs_without_partner_or_size(pairs):
    degraded, clean = pairs / "degraded", pairs / "clean"
    write_image(clean / "0003.png", Picture(noise(1)))
    with pytest.raises(InputError, match=r"clean/0003\.png has no partner in .*degraded"):
        PairedFolders(degraded, clean)
    write_image(degraded / "0003.png", Picture(noise(1, size=(5, 5))))
    with pytest.raises(InputError, match=r"degraded/0003\.png is 5x5 and .*clean/0003\.png is 17x13"):
        PairedFolders(degraded, clean)
    write_image(degraded / "0003.png", Picture(noise(1)))
    with pytest.raises(InputError, match="keep scales apart"):
        PairedFolders(degraded, clean)
    write_image(degraded / "0004.png", Picture(noise(1)))
    with pytest.raises(InputError, match=r"degraded/0004\.png has no partner in .*clean"):
        PairedFolders(degraded, clean)
    (degraded / "0004.png").unlink()
    write_image(degraded / "0003.bmp", Picture(noise(1)))
    with pytest.raises(InputError, match="have one name"):
        PairedFolders(degraded, clean)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_array_record_is_exact(folder, tmp_path, channels, bits):
    source = ImageFolder(folder, channels=channels, bits=bits)
    path = write_array_record(source, tmp_path / "a.array_record")
    again = pickle.loads(pickle.dumps(ArrayRecordImages(path, channels=channels, bits=bits)))
    assert again.names == source.names
    for ours, theirs in zip(again, source, strict=True):
        np.testing.assert_array_equal(ours["image"], theirs["image"])
        assert ours["image"].dtype == theirs["image"].dtype
    assert {p.name for p in tmp_path.iterdir()} == {"pictures", "a.array_record"}


def test_array_record_of_pairs_and_bad_files(pairs, tmp_path):
    source = PairedFolders(pairs / "degraded", pairs / "clean")
    path = write_array_record(source, tmp_path / "a.array_record", compression="zstd:1")
    for ours, theirs in zip(ArrayRecordImages(path), source, strict=True):
        np.testing.assert_array_equal(ours["image"], theirs["image"])
        np.testing.assert_array_equal(ours["degraded"], theirs["degraded"])
    with pytest.raises(InputError, match="does not exist"):
        ArrayRecordImages(tmp_path / "no")
    (tmp_path / "half").write_bytes(path.read_bytes()[:100])
    (tmp_path / "text").write_bytes(b"text")
    for name in ("half", "text"):
        with pytest.raises(InputError, match="not an ArrayRecord file of images"):
            ArrayRecordImages(tmp_path / name)
    (pairs / "clean" / "0001.png").unlink()
    with pytest.raises(InputError, match="does not exist"):
        write_array_record(_fresh(source), tmp_path / "b.array_record")
    assert not list(tmp_path.glob("*b.array_record*"))


def _fresh(source):
    return pickle.loads(pickle.dumps(source))


def test_packed_records():
    record = {"image": noise(3, np.uint16), "degraded": noise(1)}
    again = unpack(pack(record))
    for name, pixels in record.items():
        np.testing.assert_array_equal(again[name], pixels)
        assert again[name].dtype == pixels.dtype


@pytest.mark.filterwarnings("default")  # of the libraries behind the builder
@pytest.mark.parametrize(("channels", "bits"), [(3, 8), (1, 16)])
def test_tfds_is_exact(folder, tmp_path, monkeypatch, channels, bits):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "data"))
    source = ImageFolder(folder, channels=channels, bits=bits)
    prepared = build_tfds(source, tmp_path / "data", name="mine")
    expected = {record["image"].tobytes() for record in source}
    for dataset in (
        TFDSImages(prepared, channels=channels, bits=bits),
        TFDSImages("restoration_images/mine", channels=channels, bits=bits, data_dir=tmp_path / "data"),
    ):
        again = pickle.loads(pickle.dumps(dataset))
        assert {record["image"].tobytes() for record in again} == expected
        assert {record["image"].dtype for record in again} == {np.dtype(f"uint{bits}")}
    assert len(TFDSImages(prepared, "train[:2]")) == 2
    with pytest.raises(InputError, match="'validation'"):
        TFDSImages(prepared, "validation")
    with pytest.raises(InputError, match="no feature 'hr'; it has"):
        TFDSImages(prepared, image="hr")
    assert "tensorflow" not in sys.modules


@pytest.mark.filterwarnings("default")
def test_tfds_of_pairs(pairs, tmp_path):
    source = PairedFolders(pairs / "degraded", pairs / "clean")
    records = list(TFDSImages(build_tfds(source, tmp_path / "data", name="pairs")))
    assert {r["image"].tobytes() + r["degraded"].tobytes() for r in records} == {
        r["image"].tobytes() + r["degraded"].tobytes() for r in source
    }
    with pytest.raises(InputError, match="no dataset with the split"):
        TFDSImages("no_such_dataset_of_ours", data_dir=tmp_path)
