"""From file to file in strips: the pixels are those of the whole path, and neither picture is ever held."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from jaxrestore.data.images import Picture, read_image, write_image
from jaxrestore.errors import InputError
from jaxrestore.inference.strips import restore_in_strips
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.models.super_resolution.espcn import ESPCN
from jaxrestore.models.super_resolution.vdsr import VDSR
from tests.inference.networks import random_restorer

# So little that a small picture is large.
LITTLE = "150kB"
NETWORKS = {
    "grey": (DnCNN(depth=3, features=4), {}),
    "colour": (DnCNN(depth=3, features=4, channels=3, unshuffle=2), {}),
    "enlarging": (ESPCN(2, (4, 3)), {}),
    "interpolated": (VDSR(2, 4), {"scale": 2}),
}


def picture(channels: int, dtype=np.uint8) -> Picture:
    pixels = np.random.default_rng(channels).integers(0, np.iinfo(dtype).max + 1, (131, 97, channels), dtype)
    pixels[20:90, 30:60, -1] = 77  # flat transparency is kept
    return Picture(pixels, icc_profile=b"profile", orientation=8)


@pytest.mark.parametrize(("network", "channels"), [("grey", 4), ("colour", 2), ("colour", 3), ("enlarging", 4), ("interpolated", 3)])
def test_the_same_bits_as_the_whole(tmp_path, network, channels):
    model, settings = NETWORKS[network]
    restorer = random_restorer(model, memory="400kB" if settings or network == "enlarging" else LITTLE, **settings)
    write_strips(tmp_path / "a.tif", picture(channels, np.uint16))
    original = read_image(tmp_path / "a.tif")
    assert restore_in_strips(restorer, tmp_path / "a.tif", tmp_path / "b.tif")
    restored, expected = read_image(tmp_path / "b.tif"), restorer.restore_picture(original)
    np.testing.assert_array_equal(restored.pixels, expected.pixels)
    assert (restored.icc_profile, restored.orientation) == (b"profile", 8)


def write_strips(path: Path, given: Picture) -> None:
    color, alpha = given.pixels.shape[-1] >= 3, given.alpha is not None
    options = {"photometric": "rgb" if color else "minisblack", "extrasamples": ["unassalpha"] if alpha else None, "iccprofile": b"profile"}
    options |= {"planarconfig": "contig"} if given.pixels.shape[-1] > 1 else {}
    tags = [(274, 3, 1, given.orientation, True)]
    pixels = given.pixels if given.pixels.shape[-1] > 1 else given.pixels[..., 0]
    tifffile.imwrite(path, pixels, compression="zlib", rowsperstrip=9, extratags=tags, **options)


def test_what_is_restored_whole(tmp_path):
    model = NETWORKS["grey"][0]
    write_strips(tmp_path / "a.tif", picture(1, np.uint16))
    write_image(tmp_path / "a.png", picture(1, np.uint16))
    tifffile.imwrite(tmp_path / "one.tif", picture(1, np.uint16).pixels[..., 0], compression="zlib", rowsperstrip=131)
    target = tmp_path / "b.tif"
    assert not restore_in_strips(random_restorer(model, memory="1GiB"), tmp_path / "a.tif", target)
    assert not restore_in_strips(random_restorer(model, memory=LITTLE, ensemble=True), tmp_path / "a.tif", target)
    assert not restore_in_strips(random_restorer(model, memory=LITTLE, tile="off"), tmp_path / "a.tif", target)
    assert not restore_in_strips(random_restorer(model, memory=LITTLE), tmp_path / "a.png", target)
    assert not restore_in_strips(random_restorer(model, memory=LITTLE), tmp_path / "a.tif", tmp_path / "b.png")
    assert not restore_in_strips(random_restorer(model, memory=LITTLE), tmp_path / "one.tif", target)
    assert not target.exists()


def test_a_damaged_picture_leaves_nothing(tmp_path):
    write_strips(tmp_path / "a.tif", picture(1, np.uint16))
    whole = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "b.tif").write_bytes(b"what was there")
    with pytest.raises(InputError, match="cannot be decoded"):
        restore_in_strips(random_restorer(NETWORKS["grey"][0], memory=LITTLE), tmp_path / "a.tif", tmp_path / "b.tif")
    assert (tmp_path / "b.tif").read_bytes() == b"what was there"
    assert len(list(tmp_path.iterdir())) == 2
