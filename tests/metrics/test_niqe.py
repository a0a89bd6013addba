"""NIQE against its definition in NumPy and SciPy, and on real photographs: noise and blur raise it."""

from functools import cache

import jax
import numpy as np
import pytest
from scipy import ndimage
from scipy.special import gamma

from jaxrestore.data.images import find_images, read_image
from jaxrestore.errors import InputError
from jaxrestore.metrics import NiqeModel, fit_niqe, niqe
from jaxrestore.metrics.niqe import niqe_features
from jaxrestore.ops.resize import imresize
from tests.shared import SHARED, needs_testdata


def texture(seed: int = 0, shape=(200, 290), flat: bool = False) -> np.ndarray:
    """Grey in whole levels with smooth and rough parts, one block of which may have no contrast; two rows and columns are too many."""
    random = np.random.default_rng(seed)
    image = 128 + 25 * ndimage.gaussian_filter(random.standard_normal(shape), 1.5) / 0.19 + 6 * random.standard_normal(shape)
    image = np.clip(np.round(image), 0, 255).astype(np.uint8)
    if flat:
        image[:104, :104] = 200
    return image[..., None]


def fitted(values: np.ndarray) -> tuple[float, float, float, float]:
    """Shape and widths as MATLAB code finds them: the nearest ratio in a list."""
    shapes = np.arange(0.2, 10.0005, 0.001)
    ratios = gamma(2 / shapes) ** 2 / (gamma(1 / shapes) * gamma(3 / shapes))
    left, right = np.sqrt(np.mean(values[values < 0] ** 2)), np.sqrt(np.mean(values[values > 0] ** 2))
    skew = left / right
    wanted = np.mean(np.abs(values)) ** 2 / np.mean(values**2) * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    shape = shapes[np.argmin((ratios - wanted) ** 2)]
    width = np.sqrt(gamma(1 / shape) / gamma(3 / shape))
    return shape, (right - left) * width * gamma(2 / shape) / gamma(1 / shape), left * width, right * width


def by_numpy(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features (blocks, 36) and sharpness of a grey image in 0..255, block by block."""
    image = image[: 96 * (image.shape[0] // 96), : 96 * (image.shape[1] // 96)].astype(np.float64)
    taps = np.exp(-0.5 * (np.arange(-3, 4) / (7 / 6)) ** 2)
    window = np.outer(taps, taps) / taps.sum() ** 2
    rows, sharpness = [], []
    for side in (96, 48):
        mean = ndimage.correlate(image, window, mode="nearest")
        contrast = np.sqrt(np.abs(ndimage.correlate(image**2, window, mode="nearest") - mean**2))
        normalised = (image - mean) / (contrast + 1)
        found = []
        for top in range(0, image.shape[0], side):
            for left in range(0, image.shape[1], side):
                block = normalised[top : top + side, left : left + side]
                shape, _, below, above = fitted(block.ravel())
                features = [shape, (below + above) / 2]
                for shift in ((0, 1), (1, 0), (1, 1), (1, -1)):
                    features += fitted((block * np.roll(block, shift, (0, 1))).ravel())
                found.append(features)
                sharpness += [contrast[top : top + side, left : left + side].mean()] * (side == 96)
        rows.append(found)
        image = np.asarray(imresize(image[..., None], 0.5))[..., 0]
    return np.hstack(rows), np.array(sharpness)


def test_features_equal_their_definition():
    image = texture()
    with jax.enable_x64(True):
        features, sharpness = niqe_features(image / 255.0)
        expected, expected_sharpness = by_numpy(image[..., 0])
    assert features.shape == (6, 36)
    np.testing.assert_allclose(features, expected, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(sharpness, expected_sharpness, rtol=1e-10)
    single, _ = niqe_features(image)
    np.testing.assert_allclose(single, expected, rtol=2e-3, atol=2e-3)  # a shape may move by a step of 0.001


@cache
def some_model() -> NiqeModel:
    return fit_niqe([texture(seed) for seed in range(1, 10)], "textures")


def test_distance_from_the_model():
    model = some_model()
    assert model.about == "textures: 54 blocks of 9 images"
    images = np.stack([texture(20), texture(21)])
    features = [by_numpy(image[..., 0])[0] for image in images]
    values = [niqe(image, model) for image in images]
    for value, rows in zip(values, features, strict=True):
        difference = rows.mean(0) - model.mean
        spread = (np.cov(rows.T) + model.covariance) / 2
        assert value == pytest.approx(np.sqrt(difference @ np.linalg.solve(spread, difference)), rel=0.02)
    np.testing.assert_allclose(niqe(np.repeat(images, 3, axis=-1), model), values, rtol=5e-6)  # in colours, and together


def test_blocks_without_contrast_do_not_count():
    features, _ = niqe_features(texture(flat=True))
    assert [bool(np.isfinite(row).all()) for row in np.asarray(features)] == [False, True, True, True, True, True]
    assert np.isfinite(niqe(texture(flat=True), some_model()))


def test_a_model_is_kept_in_a_file(tmp_path):
    some_model().save(tmp_path / "model.npz")
    model = NiqeModel.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(niqe(texture(30), model), niqe(texture(30), some_model()))
    assert model.about == some_model().about
    with pytest.raises(InputError, match=r"nothing\.npz is no model of NIQE"):
        NiqeModel.load(tmp_path / "nothing.npz")
    NiqeModel(np.zeros(3), np.zeros((3, 3)), "").save(tmp_path / "small.npz")
    with pytest.raises(InputError, match=r"its mean has the shape \(3,\)"):
        NiqeModel.load(tmp_path / "small.npz")


def test_what_is_refused():
    with pytest.raises(InputError, match=r"two blocks of 96x96 pixels, got the shape \(191, 191, 1\)"):
        niqe(np.zeros((191, 191, 1), np.uint8), some_model())
    with pytest.raises(InputError, match="fewer than two blocks of the image have any contrast"):
        niqe(np.full((200, 290, 1), 7, np.uint8), some_model())
    with pytest.raises(InputError, match="6 sharp blocks in 1 images: a model of NIQE needs more than 36"):
        fit_niqe([texture()], "one")


@needs_testdata
def test_rises_with_noise_and_blur():
    folder = SHARED / "testdata/images"
    photographs = (read_image(path).color for path in find_images(folder / "BSDS400")[::8])
    model = fit_niqe((image for image in photographs if image.shape[0] < image.shape[1]), "BSDS400, a part")
    random = np.random.default_rng(0)
    clean = read_image(folder / "Set12/08.png").color / np.float32(255)
    noisy = [np.clip(clean + sigma / 255 * random.standard_normal(clean.shape), 0, 1) for sigma in (0, 10, 25, 50)]
    blurred = [ndimage.gaussian_filter(clean, (sigma, sigma, 0)) for sigma in (0.0, 0.7, 1.2, 2.0)]
    values = niqe(np.stack(noisy + blurred).astype(np.float32), model).reshape(2, 4)
    assert (np.diff(values) > 0.5).all(), values
    assert 2 < values[0, 0] < 7  # as natural pictures have it with the authors' model too
    assert (values[:, -1] > 10).all()
