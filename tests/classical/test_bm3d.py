"""BM3D: equal to loops over blocks, its transforms, and what it makes of noise."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.classical import bm3d as module
from jaxrestore.classical.block_matching import similar_blocks, tile_of
from jaxrestore.classical.bm3d import bm3d
from jaxrestore.classical.collaborative_filtering import bior_1_5, haar_across, hard_threshold, inverse_haar_across, wiener_shrinkage
from jaxrestore.errors import InputError
from jaxrestore.ops.dct8 import BASIS
from tests.classical.photograph import decibels, photograph
from tests.compiled import compiled

SIZE = (32, 38)
DENOISE = compiled(partial(bm3d, sigma=25))


def _noisy(clean, sigma=25.0, seed=0):
    return (clean + sigma / 255.0 * np.random.default_rng(seed).standard_normal(clean.shape)).astype(np.float32)


def _haar(size):
    """The orthonormal Haar matrix, by its recursion."""
    if size == 1:
        return np.ones((1, 1))
    return np.concatenate([np.kron(_haar(size // 2), [1, 1]), np.kron(np.eye(size // 2), [1, -1])]) / np.sqrt(2)


def _loop_stage(planes, guide, transform, tau, most, shrink):
    """A stage as it is told: block after block, group after group."""
    height, width, channels = planes.shape
    places = [(i, j) for i in range(height - 7) for j in range(width - 7)]
    blocks = np.array([guide[i : i + 8, j : j + 8, 0] for i, j in places])
    window, sums, weights = np.outer(np.kaiser(8, 2), np.kaiser(8, 2)), np.zeros(planes.shape), np.zeros(planes.shape)
    for i in range(0, height - 7, 3):
        for j in range(0, width - 7, 3):
            near = [n for n, (k, m) in enumerate(places) if abs(k - i) <= 19 and abs(m - j) <= 19]
            distance = np.square(blocks[near] - guide[i : i + 8, j : j + 8, 0]).mean((1, 2)) * 255**2
            order = [near[n] for n in np.argsort(distance) if distance[n] <= tau][:most]
            group = [places[n] for n in order[: 2 ** int(np.log2(len(order)))]]
            haar = _haar(len(group))
            for channel in range(channels):
                stacks = [np.array([x[k : k + 8, m : m + 8, channel] for k, m in group]) for x in (planes, guide)]
                spectra = [np.einsum("gk,kij,ui,vj->guv", haar, stack, transform, transform) for stack in stacks]
                factors = shrink(*spectra)
                factors[0, 0, 0] = 1.0
                inverse = np.linalg.inv(transform)
                filtered = np.einsum("gk,guv,iu,jv->kij", haar, factors * spectra[0], inverse, inverse)
                for (k, m), block in zip(group, filtered, strict=True):
                    sums[k : k + 8, m : m + 8, channel] += window * block / np.square(factors).sum()
                    weights[k : k + 8, m : m + 8, channel] += window / np.square(factors).sum()
    return sums / weights


@pytest.mark.parametrize(("sigma", "shape"), [(20.0, (23, 26, 1)), (60.0, (14, 17, 3))])
def test_equals_loops_over_blocks(sigma, shape, monkeypatch):
    monkeypatch.setattr(module, "_STRIP", 20)  # 3 strips, and 1
    height, width, channels = shape
    clean = photograph(80, 3)[20 : 20 + height, 30 : 30 + width, :channels].astype(np.float64)
    noisy = clean + sigma / 255.0 * np.random.default_rng(0).standard_normal(clean.shape)
    opponent = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]]) if channels == 3 else np.eye(1)
    planes, level, strong = noisy @ opponent.T, sigma / 255.0, sigma > 40
    # The noise of the mean of three channels is that of one over sqrt(3).
    taus = np.array([5000, 3500] if strong else [2500, 400]) * channels
    limit = (2.8 if strong else 2.7) * level
    basic = _loop_stage(planes, planes, bior_1_5(), taus[0], 16, lambda x, _: 1.0 * (np.abs(x) > limit))
    expected = _loop_stage(planes, basic, BASIS, taus[1], 32, lambda _, x: x**2 / (x**2 + level**2)) @ opponent
    with jax.enable_x64(True):
        ours = np.asarray(compiled(partial(bm3d, sigma=sigma))(noisy))
    assert ours.dtype == np.float64
    np.testing.assert_allclose(ours, expected, atol=1e-10)
    assert decibels(ours, clean) > decibels(noisy, clean) + 4.0


def test_similar_blocks_equal_a_loop():
    random, reach, step, count = np.random.default_rng(0), 4, 3, 8
    tiles, tile = tile_of(18)
    assert tiles > 1
    rows, columns = step + 1 + 2 * reach, step * (tiles * tile - 1) + 1 + 2 * reach
    blocks, valid = random.random((rows, columns, 5)), random.random((rows, columns)) < 0.01
    valid[reach : rows - reach : step, reach : columns - reach : step] = True
    with jax.enable_x64(True):
        distances, places = similar_blocks(jnp.asarray(blocks), jnp.asarray(valid), count=count, reach=reach, step=step)
    assert np.isinf(distances).any()
    for i in range(2):
        for j in range(tiles * tile):
            row, column = reach + step * i, reach + step * j
            found = [
                (np.square(blocks[k, m] - blocks[row, column]).sum(), k * columns + m)
                for k in range(row - reach, row + reach + 1)
                for m in range(column - reach, column + reach + 1)
                if valid[k, m]
            ]
            near = np.array(sorted(found)[:count])
            np.testing.assert_allclose(distances[i, j, : len(near)], near[:, 0], atol=1e-12)
            np.testing.assert_array_equal(places[i, j, : len(near)], near[:, 1])
            assert np.isinf(distances[i, j, len(near) :]).all()


def test_bior_1_5_and_its_inverse():
    transform = bior_1_5()
    inverse = np.linalg.inv(transform)
    np.testing.assert_allclose(np.linalg.norm(transform, axis=1), 1.0)
    np.testing.assert_allclose(transform[:, :].sum(axis=1)[1:], 0.0, atol=1e-12)
    # The spline of order 1 is a box: blocks are built from steps, and its dual has five vanishing moments.
    np.testing.assert_allclose(inverse[:, 0], inverse[0, 0])
    np.testing.assert_allclose(np.abs(transform[4:]).max(axis=1), np.sqrt(0.5))
    assert np.count_nonzero(np.abs(transform[4:]) > 1e-12) == 8
    turned = np.roll(inverse[:, 5], 1)  # the wavelet of the pair (2, 3), away from where the circle closes
    assert turned.sum() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_haar_across_is_orthonormal_at_every_size(size):
    groups, sizes = np.random.default_rng(0).standard_normal((8, 3, 4)).astype(np.float32), jnp.full(3, size)
    coefficients = np.asarray(haar_across(jnp.asarray(groups), sizes))
    # Scales that a small group does not have lie between: what is not zero is the Haar matrix's rows in their order.
    used = np.abs(coefficients).max(axis=(1, 2)) > 0
    assert used.sum() == size
    np.testing.assert_allclose(coefficients[used], np.einsum("uk,kgp->ugp", _haar(size), groups[:size]), atol=1e-6)
    restored = np.asarray(inverse_haar_across(jnp.asarray(coefficients), sizes))
    np.testing.assert_allclose(restored[:size], groups[:size], atol=1e-6)
    assert not restored[size:].any()


def test_shrinking_by_hand():
    groups, sizes = np.zeros((4, 2, 64), np.float32), jnp.array([2, 4])
    groups[:2, 0, 3], groups[:, 1, 5] = [3.0, 1.0], [1.0, 1.0, -1.0, -1.0]
    # 4 / sqrt(2) stays, 2 / sqrt(2) does not; 4 / 2 is not above 2.
    filtered, weights = hard_threshold(jnp.asarray(groups), sizes, jnp.float32(2.0))
    np.testing.assert_allclose(filtered[:2, 0, 3], 2.0, rtol=1e-6)
    assert not np.asarray(filtered[:, 1]).any()
    np.testing.assert_allclose(weights, [1 / 2, 1.0])  # each with its mean
    filtered, weights = wiener_shrinkage(jnp.asarray(groups), jnp.asarray(groups), sizes, jnp.float32(2.0))
    np.testing.assert_allclose(filtered[:2, 0, 3], [2 * 8 / 12 + 2 / 6, 2 * 8 / 12 - 2 / 6], rtol=1e-6)
    np.testing.assert_allclose(filtered[:, 1, 5], groups[:, 1, 5] / 2, rtol=1e-6)
    np.testing.assert_allclose(weights, [1 / (1 + (8 / 12) ** 2 + (2 / 6) ** 2), 1 / (1 + 1 / 4)], rtol=1e-6)


def test_a_flat_image_stays_and_so_does_any_without_noise():
    for value in (0.0, 0.002, 0.7):
        flat = np.full((*SIZE, 3), value, np.float32)
        np.testing.assert_allclose(DENOISE(flat), flat, atol=2e-6)
    image = photograph(80, 3)[: SIZE[0], : SIZE[1]]
    np.testing.assert_array_equal(bm3d(image, sigma=0), image)


def test_noise_goes_and_edges_stay():
    clean = np.full((*SIZE, 3), 0.3, np.float32)
    clean[8:24, 10:30] = [0.8, 0.6, 0.1]
    noisy = _noisy(clean)
    restored = np.asarray(DENOISE(noisy))
    assert decibels(restored, clean) > decibels(noisy, clean) + 14.0
    assert np.abs(restored - clean).max() < 0.2  # blurred by a pixel, the edges would be 0.25 off


def test_a_batch_is_its_images():
    images = _noisy(np.stack([photograph(80, 3)[: SIZE[0], : SIZE[1]], photograph(80, 3)[40 : 40 + SIZE[0], : SIZE[1]]]))
    restored = np.asarray(DENOISE(images))
    np.testing.assert_allclose(restored[1], DENOISE(images[1]), atol=1e-5)
    assert DENOISE(images[1].astype(np.float16)).dtype == np.float16


@pytest.mark.parametrize(
    ("shape", "sigma", "message"),
    [
        ((8, 8, 1), -1.0, "sigma is -1: it must be at least 0"),
        ((8, 8, 2), 5.0, "image has 2 channels: this method takes luma"),
        ((7, 9, 1), 5.0, "image is 7x9: it must be at least 8x8"),
    ],
)
def test_bad_input(shape, sigma, message):
    with pytest.raises(InputError, match=message):
        bm3d(np.ones(shape, np.float32), sigma=sigma)
