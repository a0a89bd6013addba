"""Data sets and curricula of papers: levels in their numbers, bands in their places, low resolutions that do what they say."""

import math
from collections import Counter
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from jaxrestore.degradations.div2k import div2k
from jaxrestore.degradations.gopro import COUNTS, SIGMAS, gopro_noise, gopro_sigma
from jaxrestore.degradations.on_demand import BANDS, allocate
from jaxrestore.degradations.recipes import parse
from jaxrestore.errors import InputError
from tests.compiled import compiled

KEY = jax.random.key(13)


@pytest.mark.parametrize("split", COUNTS)
def test_gopro_levels_by_index_are_exact(split: str):
    levels = [gopro_sigma(i, split) for i in range(sum(COUNTS[split]))]
    assert Counter(levels) == dict(zip(SIGMAS, COUNTS[split], strict=True))
    assert np.mean(np.diff(levels) != 0) > 0.7  # neighbours differ
    for bad in (-1, len(levels)):
        with pytest.raises(InputError, match=rf"index is {bad}: .* images 0\.\.{len(levels) - 1}"):
            gopro_sigma(bad, split)


@pytest.mark.parametrize("split", COUNTS)
def test_gopro_noise_has_the_levels_in_proportion(split: str):
    noise = np.asarray(compiled(partial(gopro_noise, split=split))(KEY, jnp.zeros((3000, 12, 12, 1)))) * 255
    levels = np.sqrt(np.mean(noise**2, axis=(1, 2, 3)))
    nearest = np.argmin(np.abs(np.log(levels[:, None] / np.array(SIGMAS))), axis=1)
    # A level estimated from 144 values is 6 % off; 50 and 70 are 34 % apart.
    for level, count in enumerate(COUNTS[split]):
        share = count / sum(COUNTS[split])
        assert abs(np.mean(nearest == level) - share) < 5 * math.sqrt(share * (1 - share) / 3000)
        assert abs(levels[nearest == level].mean() / SIGMAS[level] - 1) < 0.03


def test_on_demand_bands():
    assert {task: len(bands) for task, bands in BANDS.items()} == dict.fromkeys(BANDS, 5)
    assert BANDS["denoising"][0] == "gaussian:sigma=0..20,clip"
    assert BANDS["denoising"][4] == "gaussian:sigma=80..100,clip"
    for bands in BANDS.values():
        for text in bands:
            assert parse(text).scale == 1
    images = jnp.ones((200, 64, 64, 1))
    for level, bounds in ((0, (1, 6)), (4, (25, 30))):
        erased = np.asarray(compiled(parse(BANDS["inpainting"][level]))(KEY, images)) != 1
        side = np.sqrt(erased.sum((1, 2, 3)))
        assert (side.min(), side.max()) == bounds
    lost = np.mean(np.asarray(compiled(parse(BANDS["interpolation"][2]))(KEY, images)) != 1, axis=(1, 2, 3))
    assert 0.27 < lost.min() < 0.33
    assert 0.42 < lost.max() < 0.48


def test_on_demand_allocation_by_hand():
    assert allocate((20.0, 20.0, 20.0, 20.0, 20.0), 100) == (20, 20, 20, 20, 20)
    assert allocate((40.0, 20.0), 30) == (10, 20)
    assert allocate((10.0, 20.0, 40.0), 10) == (6, 3, 1)  # shares 5.71, 2.86, 1.43
    assert allocate((30.0, 30.0, 30.0), 4) == (2, 1, 1)
    assert allocate((25.0,), 0) == (0,)
    for bad, message in (((), "psnr is empty"), ((0.0, 1.0), "psnr is 0"), ((1.0, math.inf), "psnr is inf")):
        with pytest.raises(InputError, match=message):
            allocate(bad, 10)
    with pytest.raises(InputError, match="total is -1"):
        allocate((1.0,), -1)


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    smooth = ndimage.gaussian_filter(np.random.default_rng(0).random((64, 64)), 4, mode="wrap")
    return (0.2 + 0.6 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.float32)[..., None]


def test_div2k_unknown_is_one_blur_without_noise(scene):
    images = np.stack([scene, scene])
    low = np.asarray(compiled(partial(div2k, track="unknown", scale=2))(KEY, images))
    assert low.shape == (2, 32, 32, 1)
    np.testing.assert_array_equal(low[0], low[1])
    middle = 0.25 * (scene[::2, ::2] + scene[1::2, ::2] + scene[::2, 1::2] + scene[1::2, 1::2])
    assert np.abs(low[0] - middle).max() < 0.02  # nothing is shifted


@pytest.mark.parametrize(("track", "peak", "shift"), [("mild", 300.0, (0.5, -0.5)), ("difficult", 100.0, (1.0, -1.0))])
def test_div2k_fixed_tracks_blur_shift_and_count_photons(scene, track: str, peak: float, shift):
    many = np.asarray(compiled(partial(div2k, track=track, scale=4))(KEY, np.stack([scene] * 400)), np.float64)
    counts = many * peak
    np.testing.assert_allclose(counts, np.round(counts), atol=2e-2)
    mean, variance = many.mean(0), many.var(0)
    assert abs(np.mean(variance * peak / mean) - 1) < 5 * math.sqrt(2 / 400 / mean.size)
    # Where the mean best matches the scene: at the shift, in pixels of the low resolution.
    fine = ndimage.uniform_filter(scene[..., 0].astype(np.float64), 4, mode="nearest")
    rows, columns = np.meshgrid(4 * np.arange(16) + 1.5, 4 * np.arange(16) + 1.5, indexing="ij")

    def misfit(down, right):
        moved = ndimage.map_coordinates(fine, [rows + 4 * down, columns + 4 * right], order=1, mode="nearest")
        return np.mean((moved - mean[..., 0])[2:-2, 2:-2] ** 2)

    candidates = [(down, right) for down in (-1, -0.5, 0, 0.5, 1) for right in (-1, -0.5, 0, 0.5, 1)]
    assert min(candidates, key=lambda c: misfit(*c)) == shift


def test_div2k_wild_varies(scene):
    low = np.asarray(compiled(partial(div2k, track="wild", scale=4))(KEY, np.stack([scene] * 8)))
    residue = low - ndimage.gaussian_filter(low, (0, 1.5, 1.5, 0))
    assert residue.std((1, 2, 3)).max() > 1.4 * residue.std((1, 2, 3)).min()


def test_bad_arguments():
    image = np.full((8, 8, 1), 0.5, np.float32)
    with pytest.raises(InputError, match="split is 'validation': it must be train or test"):
        gopro_noise(KEY, image, split="validation")
    with pytest.raises(InputError, match="track is 'tame': it must be one of unknown, mild, difficult, wild"):
        div2k(KEY, image, track="tame")
    with pytest.raises(InputError, match="scale is 0"):
        div2k(KEY, image, scale=0)
