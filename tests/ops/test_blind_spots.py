"""Hidden pixels: as the reference hides them, as many as are asked for, and hidden indeed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.ops.blind_spots import grid_spots, hide, random_neighbors, restore_hidden, stratified_spots
from tests.compiled import compiled
from tests.parity.golden import Golden, goldens


@pytest.mark.parametrize("golden", goldens("restoration/noise2self-babyunet"), ids=str)
@pytest.mark.parametrize("phase", [0, 5])
@pytest.mark.parametrize("mode", ["interpolate", "zero"])
def test_grids_and_what_is_left_are_those_of_the_reference(golden: Golden, phase: int, mode: str):
    spots = grid_spots(golden.input.shape[1:3], 4, phase)
    np.testing.assert_array_equal(spots[..., 0], golden.tensors[f"mask.{mode}.{phase}"] == 1)
    hidden = hide(golden.input, spots, mode == "interpolate")
    np.testing.assert_allclose(hidden, np.moveaxis(golden.tensors[f"masked.{mode}.{phase}"], 1, -1), atol=3e-7)


def test_every_pixel_is_in_one_grid():
    assert (sum(np.asarray(grid_spots((9, 7), 3, phase), int) for phase in range(9)) == 1).all()


@pytest.mark.parametrize("interpolate", [True, False])
def test_hidden_pixels_do_not_matter(interpolate: bool):
    image, other = (np.random.default_rng(i).random((2, 9, 10, 3), np.float32) for i in range(2))
    spots = grid_spots((9, 10), 3, 4)
    mixed = np.where(spots, other, image)
    np.testing.assert_array_equal(hide(image, spots, interpolate), hide(mixed, spots, interpolate))
    assert not np.array_equal(image, mixed)
    np.testing.assert_array_equal(np.where(spots, 0, hide(image, spots, interpolate)), np.where(spots, 0, image))


def test_restoring_hidden_pixels_depends_on_none_of_them():
    image = np.random.default_rng(0).random((1, 6, 7, 1), np.float32)
    blur = lambda x: 0.7 * x + 0.3 * jnp.roll(x, 1, 2)  # noqa: E731
    jacobian = jax.jacobian(lambda x: restore_hidden(blur, x, 2))(jnp.asarray(image)).reshape(42, 42)
    assert not np.diag(jacobian).any()
    assert (np.abs(jacobian).sum(1) > 0).all()


def test_stratified_spots_are_one_in_each_box():
    spots = np.asarray(compiled(stratified_spots, static_argnums=(1, 2))(jax.random.key(0), (2, 20, 15, 3), 0.04))
    assert spots.shape == (2, 20, 15, 3)
    assert (spots.reshape(2, 4, 5, 3, 5, 3).sum((2, 4)) == 1).all()
    assert not np.array_equal(spots[..., 0], spots[..., 1])
    assert not np.array_equal(spots[0], spots[1])


def test_every_place_of_a_box_is_equally_likely():
    spots = np.asarray(stratified_spots(jax.random.key(1), (1, 400, 400, 1), 1 / 16)).reshape(100, 4, 100, 4).sum((0, 2))
    assert spots.sum() == 10_000
    assert np.abs(spots - 625).max() < 5 * 625**0.5


def test_boxes_over_the_border_may_hide_nothing():
    counts = [int(stratified_spots(jax.random.key(i), (6, 6, 1), 1 / 16).sum()) for i in range(40)]
    assert set(counts) <= {1, 2, 3, 4}
    assert len(set(counts)) > 1
    assert stratified_spots(jax.random.key(0), (3, 3, 1), 1.0).all()


@pytest.mark.parametrize("centre", [True, False])
def test_random_neighbors_are_near_and_all_equally_likely(centre: bool):
    height, width, count = 5, 4, 20_000
    image = np.broadcast_to(np.arange(20, dtype=np.float32).reshape(height, width, 1), (count, height, width, 1))
    drawn = np.asarray(compiled(random_neighbors, static_argnums=(2, 3))(jax.random.key(0), image, 1, centre)).astype(int)
    for row in range(height):
        for column in range(width):
            near = [
                r * width + c
                for r in range(max(row - 1, 0), min(row + 2, height))
                for c in range(max(column - 1, 0), min(column + 2, width))
                if centre or (r, c) != (row, column)
            ]
            values, found = np.unique(drawn[:, row, column, 0], return_counts=True)
            assert list(values) == near
            expected = count / len(near)
            assert np.abs(found - expected).max() < 5 * expected**0.5


def test_random_neighbors_of_one_channel_come_from_it():
    image = np.stack([np.zeros((6, 6)), np.ones((6, 6))], -1).astype(np.float32)
    np.testing.assert_array_equal(random_neighbors(jax.random.key(0), image, 2), image)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stratified_spots(jax.random.key(0), (4, 4, 1), 0.0), "share is 0"),
        (lambda: random_neighbors(jax.random.key(0), jnp.zeros((4, 4, 1)), 0), "radius is 0"),
        (lambda: random_neighbors(jax.random.key(0), jnp.zeros((1, 1, 1)), 2, False), "1x1 has no neighbours"),
        (lambda: grid_spots((4, 4), 1, 0), "width is 1"),
    ],
)
def test_refuses_what_makes_no_sense(call, message: str):
    with pytest.raises(InputError, match=message):
        call()
