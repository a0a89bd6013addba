"""Harmonic and biharmonic inpainting against scikit-image, SciPy's direct solver and surfaces known beforehand."""

import jax
import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.linalg import spsolve
from skimage.restoration import inpaint_biharmonic

from jaxrestore.classical.smooth_inpainting import biharmonic_inpainting, harmonic_inpainting
from jaxrestore.errors import InputError
from tests.classical.photograph import decibels, photograph
from tests.parity.golden import Golden
from tests.shared import needs_parity

METHODS = (harmonic_inpainting, biharmonic_inpainting)


def holes(size: int = 96) -> np.ndarray:
    """A wide hole, a scratch to the border, and scattered pixels."""
    mask = np.random.default_rng(0).random((size, size, 1)) < 0.05
    mask[size // 4 : size // 2, size // 3 : size // 2] = True
    mask[:, 3 * size // 4 : 3 * size // 4 + 3] = True
    mask[-5:, :9] = True
    return mask


@needs_parity
def test_biharmonic_equals_the_golden():
    tensors = Golden("ops/classical-deconv-inpaint").tensors
    mask = tensors["mask"].astype(bool)[..., None]
    with jax.enable_x64(True):
        filled = biharmonic_inpainting(np.where(mask, 0.0, tensors["clean"][..., None]), mask=mask)
        np.testing.assert_allclose(filled[..., 0], tensors["inpaint_biharmonic"], rtol=0, atol=1e-11)


def test_biharmonic_equals_scikit_image():
    image, mask = photograph().astype(np.float64), holes()
    theirs = inpaint_biharmonic(np.where(mask, 0.0, image), mask[..., 0], channel_axis=-1)
    with jax.enable_x64(True):
        np.testing.assert_allclose(biharmonic_inpainting(image, mask=mask), theirs, rtol=0, atol=1e-11)
    np.testing.assert_allclose(biharmonic_inpainting(photograph(), mask=mask), theirs, rtol=0, atol=1e-4)


def test_harmonic_equals_a_direct_solver():
    image, mask = photograph().astype(np.float64), holes()
    side = len(image)
    pixel = np.arange(side * side).reshape(side, side)
    pairs = np.concatenate(
        [np.stack([pixel[:-1].ravel(), pixel[1:].ravel()], 1), np.stack([pixel[:, :-1].ravel(), pixel[:, 1:].ravel()], 1)]
    )
    incidence = csr_array(
        (np.repeat([[1.0, -1.0]], len(pairs), 0).ravel(), (np.repeat(np.arange(len(pairs)), 2), pairs.ravel())), (len(pairs), side * side)
    )
    matrix, missing = (incidence.T @ incidence).tocsr(), mask.ravel()
    known = matrix[missing][:, ~missing] @ image.reshape(-1, 3)[~missing]
    expected = spsolve(matrix[missing][:, missing].tocsc(), -known)
    with jax.enable_x64(True):
        filled = np.asarray(harmonic_inpainting(image, mask=mask))
    np.testing.assert_allclose(filled.reshape(-1, 3)[missing], expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("method", METHODS)
def test_a_plane_is_continued(method):
    rows, columns = np.mgrid[:96, :96] / 200.0
    plane = np.stack([0.2 + rows, 0.9 - columns, 0.1 + 0.7 * rows + columns], -1)
    mask = holes()
    mask[-5:, :9] = mask[:, 72:75] = False  # a surface ends freely at the image's border
    mask[[0, -1]] = mask[:, [0, -1]] = mask[[1, -2]] = mask[:, [1, -2]] = False
    with jax.enable_x64(True):
        np.testing.assert_allclose(method(np.where(mask, 0.5, plane), mask=mask), plane, rtol=0, atol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_known_pixels_stay_and_a_batch_is_its_images(method):
    images = np.stack([photograph(), photograph()[::-1]])
    masks = np.stack([holes(), holes()[:, ::-1]])
    together = np.asarray(method(images, mask=masks))
    np.testing.assert_array_equal(np.where(masks, 0, together), np.where(masks, 0, images))
    np.testing.assert_allclose(together[1], method(images[1], mask=masks[1]), atol=2e-5)
    np.testing.assert_allclose(method(images, mask=masks[0])[0], together[0], atol=2e-5)
    np.testing.assert_array_equal(method(images, mask=np.zeros_like(masks)), images)
    # What lies below the mask is not looked at.
    np.testing.assert_allclose(method(np.where(masks, 3.0, images), mask=masks), together, atol=2e-5)


def test_slopes_help():
    mask = holes()
    mean = np.where(mask, photograph().mean((0, 1), where=~mask), photograph())
    scores = [decibels(image, photograph(), mask) for image in (mean, *(method(photograph(), mask=mask) for method in METHODS))]
    assert scores[1] > scores[0] + 4.0, scores
    assert scores[2] > scores[0] + 4.0, scores
    scattered = np.random.default_rng(0).random((96, 96, 1)) < 0.5
    harmonic, biharmonic = (decibels(method(photograph(), mask=scattered), photograph(), scattered) for method in METHODS)
    assert biharmonic > harmonic + 0.5


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((4, 5, 1), bool), r"mask has the shape \(4, 5, 1\): for an image of shape \(2, 6, 5, 3\) it must be \(2, 6, 5, 1\)"),
        (np.zeros((6, 5, 3), bool), r"mask has the shape \(6, 5, 3\)"),
        (np.zeros((6, 5, 1), np.float32), "mask is float32: it must be boolean"),
        (np.ones((6, 5, 1), bool), "mask marks all of an image as missing"),
        (np.stack([np.ones((6, 5, 1), bool), np.zeros((6, 5, 1), bool)]), "mask marks all of an image as missing"),
    ],
)
def test_bad_masks(mask, message):
    with pytest.raises(InputError, match=message):
        harmonic_inpainting(np.zeros((2, 6, 5, 3), np.float32), mask=mask)
