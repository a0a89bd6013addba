"""PSNR, SSIM and MAE against BasicSR, scikit-image and double precision."""

from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import metrics as skimage

from jaxrestore.errors import InputError
from jaxrestore.metrics import mae, psnr, ssim
from tests.compiled import LATER_EMITTERS, compiled
from tests.parity.golden import Golden
from tests.shared import needs_parity

GOLDEN = Golden("ops/metrics_psnr_ssim")
close = partial(np.testing.assert_allclose, rtol=1e-6)


def pictures(shape=(16, 20, 3), sigma=0.1, seed=0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    clean = random.uniform(0.2, 0.8, shape).astype(np.float32)
    return clean, (clean + sigma * random.standard_normal(shape)).astype(np.float32)


@needs_parity
class TestBasicSR:
    @pytest.fixture(autouse=True)
    def double_precision(self):
        with jax.enable_x64(True):
            yield

    @pytest.fixture
    def images(self):
        return tuple(GOLDEN.tensors[f"img{i}_bgr_uint8"][..., ::-1] for i in (1, 2))

    @pytest.mark.parametrize("border", [0, 4])
    @pytest.mark.parametrize("luma", [0, 1])
    def test_equal(self, images, border, luma):
        case = f"crop{border}.y{luma}"
        for convention in ("luma" if luma else "rgb", "luma+round8" if luma else "rgb+round8"):  # 8-bit pictures do not change
            convention += f"+border{border}"
            close(psnr(*images, convention), GOLDEN.tensors[f"psnr.{case}"])
            close(ssim(*images, convention), GOLDEN.tensors[f"ssim.{case}"])
            close(ssim(*images, convention), GOLDEN.tensors[f"ssim_pt.{case}"][0])
            error = 10 ** (-0.1 * psnr(*images, convention))
            close(-10 * np.log10(error + 1e-8), GOLDEN.tensors[f"psnr_pt.{case}"][0])  # that one adds 1e-8 to the MSE

    def test_every_golden_is_compared(self):
        cases = [
            f"{metric}.crop{border}.y{luma}" for metric in ("psnr", "ssim", "psnr_pt", "ssim_pt") for border in (0, 4) for luma in (0, 1)
        ]
        others = ("img1_bgr_uint8", "img2_bgr_uint8", "skimage.psnr", "skimage.ssim_gaussian", "skimage.ssim_default")
        assert {*cases, *others} == set(GOLDEN.tensors)

    def test_scikit_image(self, images):
        close(psnr(*images), GOLDEN.tensors["skimage.psnr"])
        close(ssim(*images), GOLDEN.tensors["skimage.ssim_gaussian"])
        close(ssim(*images, "rgb+uniform"), GOLDEN.tensors["skimage.ssim_default"])


def test_scikit_image():
    clean, noisy = pictures()
    theirs = partial(skimage.structural_similarity, clean, noisy, data_range=1.0, channel_axis=2)
    close(psnr(clean, noisy), skimage.peak_signal_noise_ratio(clean, noisy, data_range=1.0))
    close(ssim(clean, noisy, "rgb+uniform"), theirs(), rtol=1e-5)
    close(ssim(clean, noisy), theirs(gaussian_weights=True, sigma=1.5, use_sample_covariance=False), rtol=1e-5)
    close(mae(clean, noisy), np.mean(np.abs(clean - noisy)))


def test_values_by_hand():
    black, gray = np.zeros((12, 12, 1), np.float32), np.full((12, 12, 1), 0.1, np.float32)
    close(psnr(black, gray), 20.0)
    close(psnr(black, gray, "rgb+peak2"), 20.0 + 20.0 * np.log10(2.0))
    close(ssim(black, gray), 1e-4 / (0.01 + 1e-4), rtol=1e-5)  # no structure: the luminance term alone
    close(mae(black, gray), 0.1)
    assert psnr(gray, gray) == np.inf
    assert ssim(gray, gray) == 1.0
    close(psnr(np.zeros((3, 3, 1), np.uint8), np.ones((3, 3, 1), np.uint8)), 20.0 * np.log10(255.0))


@pytest.mark.parametrize("convention", ["rgb", "luma+border4"])
def test_float32_is_enough(convention):
    clean, noisy = pictures((512, 512, 3), sigma=0.03)
    clean, noisy = clean * 0.1 + 0.9, noisy * 0.1 + 0.9  # bright and close: the hardest for float32
    with jax.enable_x64(True):
        exact = [float(f(clean.astype(np.float64), noisy.astype(np.float64), convention)) for f in (psnr, ssim)]
    assert abs(float(psnr(clean, noisy, convention)) - exact[0]) < 1e-5
    assert abs(float(ssim(clean, noisy, convention)) - exact[1]) < 1e-5


class Variants(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True)
    def test_one_value_for_each_image(self):
        clean, noisy = pictures((2, 3, 12, 13, 3))
        for metric in (psnr, ssim, mae):
            values = self.variant(lambda a, b, metric=metric: metric(a, b, "luma"))(clean, noisy)
            chex.assert_shape(values, (2, 3))
            chex.assert_type(values, jnp.float32)
            close(values[1, 2], metric(clean[1, 2], noisy[1, 2], "luma"), rtol=1e-5)
            chex.assert_shape(metric(clean[0, 0], noisy[0, 0], "luma"), ())


@settings(deadline=None, max_examples=15)
@given(
    seed=st.integers(0, 2**32 - 1),
    sigma=st.floats(0.01, 0.3),
    more=st.floats(1.1, 3.0),
    convention=st.sampled_from(["rgb", "gray+border2"]),
)
def test_properties(seed, sigma, more, convention):
    clean, noisy = pictures(sigma=sigma, seed=seed)
    noisier = clean + np.float32(more) * (noisy - clean)
    for metric in (psnr, ssim):
        close(metric(clean, noisy, convention), metric(noisy, clean, convention), rtol=1e-5)
        assert metric(clean, noisier, convention) < metric(clean, noisy, convention)
    close(psnr(clean, noisy, convention) - psnr(clean, noisier, convention), 20 * np.log10(more), atol=1e-3)
    close(psnr(clean + 0.5, noisy + 0.5, convention), psnr(clean, noisy, convention), atol=1e-4)  # a shift of both changes nothing
    assert -1.0 <= ssim(clean, 1.0 - clean, convention) <= ssim(clean, noisy, convention) <= 1.0


def test_border_is_left_out():
    clean, _ = pictures()
    edge = clean.copy()
    edge[:2], edge[-2:], edge[:, :2], edge[:, -2:] = 0.0, 0.0, 0.0, 0.0
    assert psnr(clean, edge, "rgb+border2") == np.inf
    assert np.isfinite(psnr(clean, edge, "rgb+border1"))


def test_what_cannot_be_compared_is_refused():
    image = np.zeros((12, 13, 3), np.float32)
    for metric in (psnr, ssim, mae):
        with pytest.raises(InputError, match=r"\(12, 13, 3\) and \(13, 12, 3\)"):
            metric(image, image.transpose(1, 0, 2))
        with pytest.raises(InputError, match=r"\(12, 13, 3\) and \(12, 13, 1\)"):
            metric(image, image[..., :1])
        with pytest.raises(InputError, match="'hsv' is not a colour"):
            metric(image, image, "hsv")
    with pytest.raises(InputError, match="needs 11x11 pixels"):
        ssim(image, image, "rgb+border1")
    assert ssim(image[:, :11], image[:, :11]) == 1.0


@pytest.mark.parametrize("convention", ["rgb", "rgb+round8", "luma+border4+round8", "gray+round8", "ycbcr+round8"])
def test_identical_images_are_infinitely_close_under_every_convention(convention):
    image = jax.random.uniform(jax.random.key(0), (33, 47, 3))
    assert compiled(lambda a, b: psnr(a, b, convention), LATER_EMITTERS)(image, image) == jnp.inf
