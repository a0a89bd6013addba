"""Inpainting by copying patches: periodic patterns come back exactly, photographs better than by smooth surfaces."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.classical.exemplar_inpainting import exemplar_inpainting
from jaxrestore.classical.patch_search import distances, place_of_least, refresh, whole_patches
from jaxrestore.classical.patchmatch_inpainting import patchmatch_inpainting
from jaxrestore.classical.smooth_inpainting import biharmonic_inpainting, harmonic_inpainting
from jaxrestore.classical.texture_synthesis import texture_synthesis
from jaxrestore.errors import InputError
from tests.classical.photograph import decibels, photograph

METHODS = (exemplar_inpainting, texture_synthesis, patchmatch_inpainting)


def hole(size: int = 48) -> np.ndarray:
    mask = np.zeros((size, size, 1), bool)
    mask[14:30, 15:33] = True
    mask[-6:, :5] = True
    return mask


def patterns() -> np.ndarray:
    """A chessboard, slanted stripes, and dots in three colours: (3, 48, 48, 3)."""
    rows, columns = np.indices((48, 48))
    board = ((rows // 4 + columns // 4) % 2)[..., None] * [1.0, 0.5, 0.2]
    stripes = ((rows + columns) % 6 < 2)[..., None] * [0.3, 0.9, 0.4]
    dots = (rows % 5 == 2)[..., None] * (columns % 4 == 1)[..., None] * [0.6, 0.1, 0.8]
    return np.stack([board, stripes, dots]).astype(np.float32)


@pytest.mark.parametrize("method", METHODS)
def test_patterns_come_back_exactly(method):
    damaged = np.where(hole(), 0.5, patterns()).astype(np.float32)
    restored = np.asarray(method(damaged, mask=hole()))
    np.testing.assert_array_equal(restored, patterns())
    np.testing.assert_array_equal(method(damaged[1], mask=hole()), restored[1])


@pytest.mark.parametrize("method", METHODS)
def test_a_photograph_is_filled_with_what_is_known(method):
    image, mask = photograph()[::2, ::2], hole()
    restored = np.asarray(method(np.where(mask, np.float32(7.0), image), mask=mask))
    np.testing.assert_array_equal(np.where(mask, 0, restored), np.where(mask, 0, image))
    known = {tuple(color) for color in image[~mask[..., 0]]}
    assert {tuple(color) for color in restored[mask[..., 0]]} <= known
    mean = np.where(mask, image.mean((0, 1), where=~mask), image)
    assert decibels(restored, image, mask) > decibels(mean, image, mask) + 2.0


def test_an_edge_is_continued_where_a_membrane_blurs_it():
    rows, columns = np.indices((48, 48))
    image = (0.2 + 0.6 * (2 * rows + columns > 70))[..., None].astype(np.float32)
    restored = exemplar_inpainting(np.where(hole(), 0, image), mask=hole())
    np.testing.assert_array_equal(restored, image)
    assert decibels(np.asarray(harmonic_inpainting(image, mask=hole())), image, hole()) < 20.0


def test_draws_follow_the_key():
    image = np.random.default_rng(0).random((48, 48, 3)).astype(np.float32)
    first, again, other = (np.asarray(texture_synthesis(image, mask=hole(), tolerance=1.0, key=jax.random.key(seed))) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any(-1)[hole()[..., 0]].mean() > 0.5
    # Without tolerance there is nothing to draw: one place alone is the best.
    best = [np.asarray(texture_synthesis(image, mask=hole(), tolerance=0.0, key=jax.random.key(seed))) for seed in (1, 2)]
    np.testing.assert_array_equal(*best)
    # An image of a batch is drawn with a key of its own.
    batch = np.asarray(texture_synthesis(np.stack([image] * 3), mask=hole(), tolerance=1.0, key=jax.random.key(1)))
    assert (batch[0] != batch[1]).any()
    np.testing.assert_array_equal(
        batch[2], texture_synthesis(image, mask=hole(), tolerance=1.0, key=jax.random.fold_in(jax.random.key(1), 2))
    )


def test_a_texture_goes_on_where_a_plate_is_smooth():
    """Woven bands, in which a hole as wide as two of them is filled: nearer to the truth than a thin plate, and as rough as the rest."""
    rows, columns = np.indices((48, 48))
    woven = np.sin(rows * 0.9) * np.cos(columns * 1.1) + 0.3 * np.sin((rows + columns) * 0.31)
    rough = 0.05 * np.random.default_rng(0).standard_normal((48, 48, 3))
    image = (0.5 + 0.25 * woven[..., None] * [1.0, 0.8, 0.5] + rough).astype(np.float32)
    restored, smooth = (np.asarray(method(image, mask=hole())) for method in (patchmatch_inpainting, biharmonic_inpainting))
    assert decibels(restored, image, hole()) > decibels(smooth, image, hole()) + 3.0
    inner = (slice(15, 29), slice(16, 32))
    steps = [np.abs(np.diff(x[inner], axis=0)).mean() for x in (restored, image)]
    assert 0.8 < steps[0] / steps[1] < 1.2


def test_a_map_is_refreshed_where_its_image_changed():
    before = jnp.asarray(
        np.random.default_rng(0).integers(0, 99, (30, 26, 1)), jnp.float32
    )  # whole numbers: every order of adding is exact

    def function(image: jax.Array) -> jax.Array:  # depends on two pixels above and one on the left, and on the border
        padded = jnp.pad(image[..., 0], ((2, 0), (1, 0)), "edge")
        return padded[:-2, 1:] + 3.0 * padded[2:, :-1]

    @jax.jit
    def both(after: jax.Array, middle: tuple) -> tuple[jax.Array, jax.Array, jax.Array]:
        refreshed = refresh(function(before), function, (after,), middle, 2, 2)
        return refreshed, function(after), refreshed[place_of_least(refreshed)]

    for row, column in ((2, 3), (15, 12), (27, 23)):
        after = np.array(before)
        after[row - 2 : row + 3, column - 2 : column + 3] += 1.0
        refreshed, expected, least = both(after, (row, column))
        np.testing.assert_array_equal(refreshed, expected)
        assert least == expected.min()


def test_distances_by_numpy():
    random = np.random.default_rng(0)
    image, patch, weights = random.random((9, 8, 2)), random.random((3, 3, 2)), random.random((3, 3, 1))
    windows = np.moveaxis(np.lib.stride_tricks.sliding_window_view(image, (3, 3), (0, 1)), 2, -1)
    with jax.enable_x64(True):
        ours = distances(jnp.asarray(np.moveaxis(image, -1, 0)), jnp.asarray(patch), jnp.asarray(weights))
        np.testing.assert_allclose(ours, (weights * (windows - patch) ** 2).sum((2, 3, 4)), rtol=1e-12)
    known = random.random((9, 8, 1)) < 0.9
    expected = np.lib.stride_tricks.sliding_window_view(known[..., 0], (3, 3)).all((2, 3))
    np.testing.assert_array_equal(whole_patches(jnp.asarray(known), 3), expected)


@pytest.mark.parametrize("method", METHODS)
def test_bad_input_is_said(method):
    image, scattered = np.zeros((20, 20, 1), np.float32), np.zeros((20, 20, 1), bool)
    scattered[::4, ::4] = True
    with pytest.raises(InputError, match="radius is 0: it must be at least 1"):
        method(image, mask=scattered, radius=0)
    with pytest.raises(InputError, match="leaves no patch of 9x9 known"):
        method(image, mask=scattered, radius=4)
    with pytest.raises(InputError, match="20x20: smaller than a patch of 41x41"):
        method(image, mask=scattered, radius=20)
    with pytest.raises(InputError, match="mask marks all"):
        method(image, mask=np.ones_like(scattered))
    with pytest.raises(InputError, match=r"copied is 9: it must be in 0\.\.5"):
        texture_synthesis(image, mask=scattered, copied=9)
