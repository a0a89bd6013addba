"""JPEG equals libjpeg, to the bit: goldens of Pillow and OpenCV, and Pillow itself on a photograph with odd sides."""

import io
from functools import partial
from importlib import resources

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxrestore.degradations.jpeg import SUBSAMPLINGS, jpeg, quantisation_tables
from jaxrestore.errors import InputError
from tests.parity.golden import Golden, goldens

KEY = jax.random.key(0)
QUALITIES = (10, 30, 50, 90)
degrade = jax.jit(partial(jpeg, KEY), static_argnames=("subsampling", "rounding"))


def in_8_bits(image: jax.Array) -> np.ndarray:
    return np.round(np.asarray(image) * 255.0).astype(np.uint8)


def by_pillow(picture: np.ndarray, **options) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", **options)
    return np.asarray(Image.open(file))


@pytest.mark.parametrize("golden", goldens("ops/jpeg"), ids=str)
def test_equals_the_goldens(golden: Golden):
    tensors = golden.tensors
    color, gray = (tensors[name].astype(np.float32) / 255 for name in ("rgb_u8", "gray_u8"))
    qualities = np.float32(QUALITIES)
    for subsampling in (420, 444):
        files = in_8_bits(degrade(np.stack([color] * len(QUALITIES)), qualities, subsampling=subsampling))
        for quality, file in zip(QUALITIES, files, strict=True):
            np.testing.assert_array_equal(file, tensors[f"pillow.q{quality}.{subsampling}"])
            if subsampling == 420:
                np.testing.assert_array_equal(file, tensors[f"cv2.q{quality}"])
    files = in_8_bits(degrade(np.stack([gray[..., None]] * len(QUALITIES)), qualities))
    for quality, file in zip(QUALITIES, files, strict=True):
        np.testing.assert_array_equal(file[..., 0], tensors[f"cv2gray.q{quality}"])
        for i, table in enumerate(quantisation_tables(quality)):
            np.testing.assert_array_equal(table, tensors[f"qtable.q{quality}.{i}"])


def test_equals_pillow_on_odd_sides():
    path = resources.files("jaxrestore.cli") / "assets" / "coffee.jpg"
    photograph = np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("RGB"))[40:147, 60:193]
    qualities = (1, 5, 49, 75, 100)
    for subsampling, number in ((444, 0), (422, 1), (420, 2)):
        files = in_8_bits(degrade(np.stack([photograph] * 5).astype(np.float32) / 255, np.float32(qualities), subsampling=subsampling))
        for quality, file in zip(qualities, files, strict=True):
            np.testing.assert_array_equal(file, by_pillow(photograph, quality=quality, subsampling=number))


def test_every_quality_has_its_tables():
    tables = jax.jit(jax.vmap(quantisation_tables))(jnp.arange(1.0, 101.0))
    gray = Image.new("RGB", (8, 8))
    for quality in range(1, 101):
        file = io.BytesIO()
        gray.save(file, "JPEG", quality=quality)
        for ours, theirs in zip(tables, Image.open(file).quantization.values(), strict=True):
            np.testing.assert_array_equal(ours[quality - 1].ravel(), theirs)


def test_derivatives():
    image = np.random.default_rng(0).random((16, 16, 3), np.float32) * 0.5 + 0.25
    weights = np.random.default_rng(1).standard_normal(image.shape, np.float32)
    slopes = {r: jax.grad(lambda x, r=r: jnp.sum(weights * degrade(x, 90.0, 444, r)))(image) for r in ("straight_through", "cubic")}
    # Without rounding a fine JPEG is nearly the identity, and so is its derivative.
    assert np.corrcoef(slopes["straight_through"].ravel(), weights.ravel())[0, 1] > 0.99
    # The cubic's is 3 (x - round(x)) ** 2 of it: a quarter on average.
    assert np.isfinite(slopes["cubic"]).all()
    assert 0 < np.linalg.norm(slopes["cubic"]) < np.linalg.norm(slopes["straight_through"])


def test_the_cubic_is_close():
    image = np.random.default_rng(0).random((16, 16, 3), np.float32)
    exact, smooth = (np.asarray(degrade(image, 60.0, 420, r)) for r in ("straight_through", "cubic"))
    assert 0 < np.abs(exact - smooth).mean() < 0.02


def test_any_size():
    assert set(SUBSAMPLINGS) == {444, 422, 420}
    for size in ((1, 1), (3, 17), (9, 8)):
        picture = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
        np.testing.assert_array_equal(in_8_bits(jpeg(KEY, picture.astype(np.float32) / 255, 80.0)), by_pillow(picture, quality=80))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (partial(jpeg, quality=0), r"quality is 0: it must be in 1\.\.100"),
        (partial(jpeg, quality=101.0), "quality is 101"),
        (partial(jpeg, quality=float("nan")), "quality is nan"),
        (partial(jpeg, quality=50, subsampling=411), "subsampling is 411: it must be 444, 422 or 420"),
        (partial(jpeg, quality=50, rounding="soft"), "rounding is 'soft': it must be one of straight_through, cubic"),
    ],
)
def test_bad_arguments(call, message: str):
    with pytest.raises(InputError, match=message):
        call(KEY, np.full((8, 8, 3), 0.5, np.float32))


def test_bad_channels():
    with pytest.raises(InputError, match="image has 4 channels: a JPEG file has 1 or 3"):
        jpeg(KEY, np.zeros((8, 8, 4), np.float32), 50)
