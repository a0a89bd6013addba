"""BSRGAN and Real-ESRGAN: the same statistics as the usual form in NumPy and OpenCV, image by image."""

from functools import partial

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from benchmarks import second_order as plain
from jaxrestore.degradations.random_kernels import bsrgan_kernel, esrgan_final_sinc, esrgan_kernel
from jaxrestore.degradations.second_order import _drawn_factor, bsrgan, real_esrgan
from tests.compiled import compiled

KEY = jax.random.key(17)
COUNT = 200


def scene() -> np.ndarray:
    rng = np.random.default_rng(0)
    rough = [cv2.resize(rng.random((n, n, 3)).astype(np.float32), (64, 64), interpolation=cv2.INTER_CUBIC) for n in (4, 12, 40)]
    return np.clip(0.5 * rough[0] + 0.3 * rough[1] + 0.2 * rough[2], 0.0, 1.0)


def measures(low: np.ndarray, clean: np.ndarray) -> dict[str, np.ndarray]:
    """What a degradation leaves, image by image: how far from the clean image, how rough, how colourful, how bright."""
    inner = low[:, 2:-2, 2:-2]  # the two forms treat borders differently
    error = inner - clean[2:-2, 2:-2]
    gray = inner.mean(-1)
    return {
        "error": np.sqrt(np.mean(error**2, axis=(1, 2, 3))),
        "roughness": np.sqrt(np.mean(np.diff(gray, axis=2) ** 2, axis=(1, 2))),
        "colour noise": np.mean(np.abs(np.diff(inner - gray[..., None], axis=1)), axis=(1, 2, 3)),
        "brightness": np.mean(error, axis=(1, 2, 3)),
    }


@pytest.mark.parametrize(("ours", "theirs"), [(real_esrgan, plain.real_esrgan), (bsrgan, plain.bsrgan)], ids=("real_esrgan", "bsrgan"))
def test_has_the_statistics_of_the_usual_form(ours, theirs):
    image, rng = scene(), np.random.default_rng(1)
    clean = cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA)
    mine = np.asarray(compiled(ours)(KEY, np.broadcast_to(image, (COUNT, *image.shape))))
    assert mine.shape == (COUNT, 16, 16, 3)
    np.testing.assert_allclose(mine * 255, np.round(mine * 255), atol=1e-3)
    expected = measures(np.stack([theirs(rng, image) for _ in range(COUNT)]), clean)
    for name, values in measures(mine, clean).items():
        assert stats.ks_2samp(values, expected[name]).pvalue > 1e-3, name


def test_sizes_are_rounded_up_and_grey_stays_grey():
    for function, scale in ((real_esrgan, 2), (bsrgan, 3)):
        low = jax.eval_shape(partial(function, scale=scale), KEY, jax.ShapeDtypeStruct((2, 37, 50, 1), np.float32))
        assert low.shape == (2, -(-37 // scale), -(-50 // scale), 1)


def test_kernels_have_the_published_distribution():
    keys = jax.random.split(KEY, 1000)
    first, support = compiled(jax.vmap(lambda key: esrgan_kernel(key, (0.2, 3.0))))(keys)
    final, final_support = compiled(jax.vmap(esrgan_final_sinc))(keys)
    other, other_support = compiled(jax.vmap(lambda key: bsrgan_kernel(key, jnp.asarray(4.0))))(keys)
    for kernels, sides, least, most in ((first, support, 7, 21), (final, final_support, 7, 21), (other, other_support, 7, 25)):
        np.testing.assert_allclose(np.sum(kernels, axis=(1, 2)), 1.0, atol=1e-5)
        assert stats.chisquare([np.sum(sides == n) for n in range(least, most + 1, 2)]).pvalue > 1e-4
        outside = np.abs(np.arange(most) - most // 2)[None, :] > np.asarray(sides)[:, None] // 2
        np.testing.assert_array_equal(np.asarray(kernels).transpose(0, 2, 1)[outside], 0.0)
    negative = np.min(first, axis=(1, 2)) < -1e-4  # only the sinc filters ring
    assert abs(negative.mean() - 0.1) < 5 * np.sqrt(0.1 * 0.9 / 1000)
    rng = np.random.default_rng(0)
    theirs = [plain.esrgan_kernel(rng, (0.2, 3.0)) for _ in range(1000)]
    for statistic in (np.max, lambda k: np.sum(k**2)):
        assert stats.ks_2samp([statistic(k) for k in np.asarray(first)], [statistic(k) for k in theirs]).pvalue > 1e-3


def test_resizing_factors():
    drawn = np.asarray(compiled(jax.vmap(lambda key: _drawn_factor(key, (0.2, 0.7, 0.1), (0.15, 1.5))))(jax.random.split(KEY, 4000)))
    for share, found in ((0.2, drawn > 1), (0.7, drawn < 1), (0.1, drawn == 1)):
        assert abs(found.mean() - share) < 5 * np.sqrt(share * (1 - share) / 4000)
    assert stats.kstest(drawn[drawn > 1], stats.uniform(1.0, 0.5).cdf).pvalue > 1e-4
    assert stats.kstest(drawn[drawn < 1], stats.uniform(0.15, 0.85).cdf).pvalue > 1e-4
