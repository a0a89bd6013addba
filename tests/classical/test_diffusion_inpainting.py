"""Inpainting by edge-enhancing diffusion and by the Navier-Stokes equations."""

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.classical import diffusion_inpainting as diffusion
from jaxrestore.classical import navier_stokes as fluid
from jaxrestore.classical.diffusion_inpainting import diffusion_inpainting
from jaxrestore.classical.navier_stokes import navier_stokes
from jaxrestore.classical.smooth_inpainting import biharmonic_inpainting, harmonic_inpainting
from jaxrestore.errors import InputError
from jaxrestore.ops.differences import laplacian
from tests.classical.photograph import decibels, photograph

METHODS = (diffusion_inpainting, navier_stokes)


def scratches() -> np.ndarray:
    mask = np.zeros((64, 64, 1), bool)
    mask[20:24, 5:60] = mask[10:58, 40:45] = mask[45:55, 13:23] = True
    return mask


def test_flow_is_symmetric_positive_and_the_laplacian_where_nothing_is_an_edge():
    random = np.random.default_rng(0)
    with jax.enable_x64(True):
        u, v = (jnp.asarray(random.standard_normal((7, 8, 2))) for _ in range(2))
        one, zero = jnp.ones((7, 8, 1)), jnp.zeros((7, 8, 1))
        np.testing.assert_allclose(diffusion._flow(u, (one, zero, one)), -laplacian(u), atol=1e-14)
        tensor = diffusion._tensor(jnp.asarray(random.random((7, 8, 3))), 0.02)
        matrices = np.stack([jnp.concatenate(tensor[:2], -1), jnp.concatenate(tensor[1:], -1)], -1)
        values = np.linalg.eigvalsh(matrices)
        np.testing.assert_allclose(values[..., 1], 1.0, atol=1e-12)
        assert (values[..., 0] > 0).all()
        assert values[..., 0].min() < 0.1
        flow = jax.jit(diffusion._flow)
        np.testing.assert_allclose((flow(u, tensor) * v).sum(), (u * flow(v, tensor)).sum(), rtol=1e-12)
        dense = np.stack([flow(jnp.asarray(e.reshape(7, 8, 1)), tensor).ravel() for e in np.eye(56)])
        assert np.linalg.eigvalsh(dense)[0] > -1e-12
        assert np.linalg.eigvalsh(dense)[1] > 1e-4  # constants alone stand still


def test_diffusion_runs_along_the_edge():
    rows, columns = np.indices((48, 48))
    edge = (rows + 2 * columns)[..., None] / 48.0
    tensor = diffusion._tensor(jnp.asarray(edge, jnp.float32), 1e-3)
    dd, dr, rr = (float(part[20, 20, 0]) for part in tensor)
    np.testing.assert_allclose([2 * dd - dr, 2 * dr - rr], [2, -1], atol=0.05)  # (2, -1) lies along the edge: D leaves it as it is
    np.testing.assert_allclose([dd + 2 * dr, dr + 2 * rr], [0, 0], atol=0.05)  # (1, 2) lies across


def test_an_edge_is_continued():
    rows, columns = np.indices((64, 64))
    image = np.repeat(np.clip(0.5 + 0.1 * (rows - columns - 3), 0.2, 0.8)[..., None], 3, -1).astype(np.float32)
    mask = np.zeros((64, 64, 1), bool)
    mask[28:40, 25:36] = True
    harmonic, edges = (
        decibels(np.asarray(method(image, mask=mask)), image, mask) for method in (harmonic_inpainting, diffusion_inpainting)
    )
    assert edges > harmonic + 6.0, (harmonic, edges)


def test_photographs_gain():
    mask, clean = scratches(), np.ascontiguousarray(photograph(128)[::2, ::2])
    damaged = np.where(mask, np.float32(0), clean)
    methods = (harmonic_inpainting, biharmonic_inpainting, *METHODS)
    harmonic, biharmonic, edges, stokes = (decibels(np.asarray(method(damaged, mask=mask)), clean, mask) for method in methods)
    assert edges > max(harmonic, biharmonic) + 0.5
    assert stokes > harmonic
    theirs = cv2.inpaint(np.round(255 * damaged).astype(np.uint8), mask[..., 0].astype(np.uint8), 3, cv2.INPAINT_NS) / 255.0
    assert stokes > decibels(theirs, clean, mask) + 0.5
    # Without iterations they are what they begin with.
    np.testing.assert_allclose(diffusion_inpainting(damaged, mask=mask, iterations=0), harmonic_inpainting(damaged, mask=mask), atol=2e-5)
    np.testing.assert_allclose(navier_stokes(damaged, mask=mask, iterations=0), biharmonic_inpainting(damaged, mask=mask), atol=2e-5)


def test_steady_states_stay():
    rows, columns = np.mgrid[:64, :64] / 64.0
    plane = np.repeat((0.2 + 0.5 * rows + 0.2 * columns)[..., None], 3, -1)
    bowl = np.repeat((0.1 + 0.4 * ((rows - 0.5) ** 2 + (columns - 0.4) ** 2))[..., None], 3, -1)  # round stream lines of one vorticity
    for method, image in ((diffusion_inpainting, plane), (navier_stokes, plane), (navier_stokes, bowl)):
        image = image.astype(np.float32)
        np.testing.assert_allclose(method(np.where(scratches(), np.float32(0.5), image), mask=scratches()), image, rtol=0, atol=2e-4)


def test_transport_by_hand():
    w = jnp.asarray([0.0, 1.0, 4.0, 9.0]).reshape(1, 4, 1)
    still, one = jnp.zeros_like(w), jnp.ones_like(w)
    np.testing.assert_array_equal(fluid._transport(w, (still, one)).ravel(), [0, 1, 3, 5])  # from the left
    np.testing.assert_array_equal(fluid._transport(w, (still, -one)).ravel(), [-1, -3, -5, 0])


@pytest.mark.parametrize("method", METHODS)
def test_known_pixels_stay_and_a_batch_is_its_images(method):
    images = np.stack([photograph(64), photograph(64)[::-1]])
    together = np.asarray(method(images, mask=scratches()))
    mask = np.broadcast_to(scratches(), (2, 64, 64, 1))
    np.testing.assert_array_equal(np.where(mask, 0, together), np.where(mask, 0, images))
    np.testing.assert_allclose(together[1], method(images[1], mask=scratches()), atol=2e-3)


@pytest.mark.parametrize("method", METHODS)
def test_bad_input_is_said(method):
    image, mask = np.zeros((8, 8, 1), np.float32), np.zeros((8, 8, 1), bool)
    with pytest.raises(InputError, match="contrast is 0: it must be greater than 0"):
        method(image, mask=mask, contrast=0)
    with pytest.raises(InputError, match="iterations is -1"):
        method(image, mask=mask, iterations=-1)
    with pytest.raises(InputError, match="mask has the shape"):
        method(image, mask=mask[1:])
    with pytest.raises(InputError, match="sigma_spatial is 0"):
        diffusion_inpainting(image, mask=mask, sigma_spatial=0)
    with pytest.raises(InputError, match="viscosity is -1"):
        navier_stokes(image, mask=mask, viscosity=-1)
