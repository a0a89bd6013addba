"""Goldens of the denoising filters, all of them: equal, or equal to a NumPy form of the reference that with its liberties is the golden."""

import jax
import numpy as np
import pytest

from jaxrestore.classical.adaptive_wiener import adaptive_wiener
from jaxrestore.classical.bilateral import bilateral
from jaxrestore.classical.gaussian import gaussian_filter, unsharp_mask
from jaxrestore.classical.median import median
from jaxrestore.classical.nonlocal_means import nonlocal_means, nonlocal_means_gaussian
from jaxrestore.classical.total_variation import bregman, total_variation
from tests.classical import scikit_image
from tests.classical.goldens import tensors
from tests.shared import needs_parity

pytestmark = needs_parity
SIGMA, H = 25 / 255, 0.08
INPUTS = {"clean", "noisy25", "saltpepper10", "rgb_clean", "rgb_noisy25"}

EQUAL = {
    "median3": lambda t: median(t["saltpepper10"]),
    "median5": lambda t: median(t["noisy25"], size=5),
    "gaussian1.5": lambda t: gaussian_filter(t["noisy25"], sigma_spatial=1.5),
    "skgaussian1": lambda t: gaussian_filter(t["noisy25"], sigma_spatial=1, padding="edge"),
    "unsharp": lambda t: unsharp_mask(t["clean"], sigma_spatial=2, amount=1),
    "scipy_wiener5": lambda t: adaptive_wiener(t["noisy25"], padding="constant"),
    "scipy_wiener5_noise": lambda t: adaptive_wiener(t["noisy25"], sigma=25, padding="constant"),
    "tv_chambolle.w0.1": lambda t: total_variation(t["noisy25"], weight=0.1),
    "tv_chambolle.w0.1.eps1e-12_iter100": lambda t: total_variation(t["noisy25"], weight=0.1, iterations=100, tolerance=1e-12),
    "tv_chambolle.rgb": lambda t: total_variation(t["rgb_noisy25"], weight=0.1, iterations=50, tolerance=1e-12),
}

# The reference in NumPy with its liberties or without, and ours.
NEARLY = {
    "bilateral": (
        lambda t, liberties: scikit_image.bilateral(t["noisy25"], 0.2, 2, 9, liberties),
        lambda t: bilateral(t["noisy25"], sigma_color=51, sigma_spatial=2, size=9, padding="constant"),
    ),
    "nl_means.slow": (
        lambda t, liberties: scikit_image.nl_means(t["noisy25"][:48, :56], 5, 6, H, SIGMA, False, liberties),
        lambda t: nonlocal_means_gaussian(t["noisy25"][:48, :56], sigma=25, h=255 * H, patch_size=5, reach=6),
    ),
    "nl_means.fast": (
        lambda t, liberties: scikit_image.nl_means(t["noisy25"][:48, :56], 5, 6, H, SIGMA, True, liberties),
        lambda t: nonlocal_means(t["noisy25"][:48, :56], sigma=25, h=255 * H, patch_size=5, reach=6),
    ),
    "nl_means.rgb.fast": (
        lambda t, liberties: scikit_image.nl_means(t["rgb_noisy25"][:40, :48], 5, 6, H, SIGMA, True, liberties),
        lambda t: nonlocal_means(t["rgb_noisy25"][:40, :48], sigma=25, h=255 * H, patch_size=5, reach=6),
    ),
}
# The reference's optimum is another: what stands beyond the border and how it shrinks differ (`scikit_image.tv_bregman`).
OTHER = {"tv_bregman": (lambda t: scikit_image.tv_bregman(t["noisy25"], 5, 100), lambda t: bregman(t["noisy25"]))}


def psnr(image, name):
    clean = tensors()["rgb_clean" if "rgb" in name else "clean"][: image.shape[0], : image.shape[1]]
    return -10 * np.log10(np.mean(np.square(np.asarray(image) - clean)))


def test_no_tensor_is_forgotten():
    assert tensors().keys() == INPUTS | EQUAL.keys() | NEARLY.keys() | OTHER.keys()


@pytest.mark.parametrize("name", EQUAL)
def test_equal(name):
    with jax.enable_x64(True):
        np.testing.assert_allclose(EQUAL[name](tensors()), tensors()[name], rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", NEARLY)
def test_equal_without_the_liberties(name):
    reference, ours = NEARLY[name]
    np.testing.assert_allclose(reference(tensors(), True), tensors()[name], rtol=0, atol=1e-14)
    with jax.enable_x64(True):
        restored = ours(tensors())
    np.testing.assert_allclose(restored, reference(tensors(), False), rtol=0, atol=1e-13)
    assert psnr(restored, name) > psnr(tensors()[name], name) - 0.05


@pytest.mark.parametrize("name", OTHER)
def test_not_worse(name):
    reference, ours = OTHER[name]
    np.testing.assert_allclose(reference(tensors()), tensors()[name], rtol=0, atol=1e-12)
    with jax.enable_x64(True):
        restored = ours(tensors())
    assert psnr(restored, name) > psnr(tensors()[name], name) - 0.05


def test_split_bregman_and_projection_find_one_optimum():
    with jax.enable_x64(True):
        image = tensors()["noisy25"][:24, :31]
        for weight in (0.05, 0.2):
            projected = total_variation(image, weight=weight, iterations=40000, tolerance=0)
            np.testing.assert_allclose(bregman(image, weight=weight, iterations=10000, tolerance=0), projected, atol=5e-5)
