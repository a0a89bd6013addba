"""Multi-scale SSIM against pytorch_msssim, piq and the formula in NumPy; SSIM on their larger pictures."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.ndimage import correlate1d, uniform_filter

from jaxrestore.errors import InputError
from jaxrestore.metrics import ms_ssim, ssim
from jaxrestore.ops.filtering import gaussian_taps
from jaxrestore.ops.structural_similarity import MULTISCALE_WEIGHTS, multiscale_similarity
from tests.parity.golden import Golden
from tests.shared import needs_parity

GOLDEN = Golden("ops/metrics_ms_ssim")
PIQ = {"piq.ssim": ssim, "piq.ssim_nodown": ssim, "piq.ms_ssim": ms_ssim}
PYTORCH_MSSSIM = {"ssim": (1, 1e-6), "ssim_nonneg": (1, 1e-6), "ms_ssim": (5, 1e-6), "ssim_f64": (1, 1e-10), "ms_ssim_f64": (5, 1e-10)}

THEIR_WINDOW = [0.0010283804, 0.007598758, 0.036000773, 0.10936069, 0.21300553, 0.26601171]


def by_numpy(a: np.ndarray, b: np.ndarray, scales: int, taps: np.ndarray) -> float:
    """SSIM (one scale) or MS-SSIM of (H, W, C) in 0..255, by the formulas as they are printed."""

    def local_mean(x):
        return correlate1d(correlate1d(x, taps, 0), taps, 1)[5:-5, 5:-5]

    a, b, result = a.astype(np.float64), b.astype(np.float64), 1.0
    for scale in range(scales):
        m, n = local_mean(a), local_mean(b)
        structure = (2 * (local_mean(a * b) - m * n) + 58.5225) / (local_mean(a * a) - m * m + local_mean(b * b) - n * n + 58.5225)
        luminance = (2 * m * n + 6.5025) / (m * m + n * n + 6.5025)
        last = scale == scales - 1
        factor = (structure * luminance if last else structure).mean((0, 1))
        result = result * factor ** (MULTISCALE_WEIGHTS[scale] if scales > 1 else 1)
        # MATLAB's imfilter with "symmetric": SciPy's "reflect" mirrors with the edge pixel too; its even windows reach one pixel back.
        a, b = (uniform_filter(x, (2, 2, 1), mode="reflect", origin=(-1, -1, 0))[::2, ::2] for x in (a, b))
    return float(np.mean(result))


@cache
def images() -> tuple[np.ndarray, np.ndarray]:
    return GOLDEN.tensors["img1_uint8"], GOLDEN.tensors["img2_uint8"]


@needs_parity
class TestGoldens:
    @pytest.fixture(autouse=True)
    def double_precision(self):
        with jax.enable_x64(True):
            yield

    @pytest.mark.parametrize("name", PIQ)
    def test_piq(self, name):
        np.testing.assert_allclose(PIQ[name](*images()), GOLDEN.tensors[name][0], rtol=0, atol=1e-12)

    @pytest.mark.parametrize("name", PYTORCH_MSSSIM)
    def test_pytorch_msssim_but_for_its_window(self, name):
        scales, tolerance = PYTORCH_MSSSIM[name]
        ours = (ssim if scales == 1 else ms_ssim)(*images())
        np.testing.assert_allclose(ours, by_numpy(*images(), scales, gaussian_taps(11, 1.5)), rtol=0, atol=1e-12)
        # Their window is float32 also in double precision. Its sum is not one, so that variances depend on the mean.
        window = np.array(THEIR_WINDOW + THEIR_WINDOW[-2::-1], np.float32).astype(np.float64)
        np.testing.assert_allclose(by_numpy(*images(), scales, window), GOLDEN.tensors[name][0], rtol=0, atol=tolerance)

    def test_every_golden_is_compared(self):
        assert {*PIQ, *PYTORCH_MSSSIM, "img1_uint8", "img2_uint8"} == set(GOLDEN.tensors)


def pictures(shape=(161, 175, 3)) -> tuple[np.ndarray, np.ndarray]:
    """Odd sizes at every scale, structure at every scale."""
    random = np.random.default_rng(0)
    rows, columns = np.indices(shape[:2])[..., None].astype(np.float32)
    clean = 0.5 + 0.3 * np.sin(rows / 7 + columns / 11 + np.arange(shape[2])) + 0.1 * random.standard_normal(shape)
    return clean.astype(np.float32), (clean + 0.2 * random.standard_normal(shape)).astype(np.float32)


def test_odd_sizes_as_the_authors_halve_them():
    clean, noisy = pictures()
    value, same = ms_ssim(np.stack([clean, noisy]), np.stack([noisy, noisy]))
    np.testing.assert_allclose(value, by_numpy(255.0 * clean, 255.0 * noisy, 5, gaussian_taps(11, 1.5)), rtol=0, atol=2e-6)
    assert 0.5 < value < 0.99
    assert same == 1.0


def test_negative_correlation_counts_as_zero_and_has_a_gradient():
    image = np.random.default_rng(0).uniform(size=(9, 10, 1)).astype(np.float32)
    similarity = partial(multiscale_similarity, 1.0 - image, taps=np.full(3, 1 / 3), weights=(0.4, 0.6))
    value, gradient = jax.jit(jax.value_and_grad(lambda x: similarity(b=x)))(jnp.asarray(image))
    assert value == 0.0
    assert np.isfinite(gradient).all()


def test_needs_room_for_five_scales():
    clean, noisy = pictures()
    with pytest.raises(InputError, match=r"MS-SSIM in the convention luma\+border1 needs 161x161 pixels inside the border, got the shape"):
        ms_ssim(clean, noisy, "luma+border1")
    with pytest.raises(InputError, match="MS-SSIM of 5 scales needs images of at least 161x161 pixels"):
        multiscale_similarity(clean[:160], noisy[:160], gaussian_taps(11, 1.5))
