"""Tiles cover the image once, have one shape, and give what the whole image gives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jaxrestore.errors import InputError
from jaxrestore.inference.field import ReceptiveField, apply_network
from jaxrestore.inference.tiles import plan, smallest_tile, spans, tile_shape
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.nn.initialise import initialise


@settings(deadline=None, max_examples=200)
@given(size=st.integers(1, 300), multiple=st.sampled_from((1, 2, 3, 8)), blocks=st.integers(0, 5), extra=st.integers(0, 60))
def test_spans_cover_once_with_their_halo(size, multiple, blocks, extra):
    radius = blocks * multiple
    side = 2 * radius + 2 * multiple - 1 + extra
    result = spans(size, side, radius, multiple)
    assert result[0].first == 0
    assert result[-1].last == size
    assert [s.last for s in result[:-1]] == [s.first for s in result[1:]]
    assert len({s.stop - s.start for s in result}) == 1
    for s in result:
        assert 0 <= s.start <= s.first < s.last <= s.stop <= size
        assert s.stop - s.start <= max(side, 1)
        assert s.start % multiple == 0
        assert (s.stop - s.start) % multiple == size % multiple
        assert s.start == 0 or s.first - s.start >= radius
        assert s.stop == size or s.stop // multiple * multiple - s.last >= radius


@settings(deadline=None, max_examples=200)
@given(size=st.integers(1, 400), multiple=st.sampled_from((1, 2, 3, 8)), blocks=st.integers(0, 5), extra=st.integers(0, 90))
def test_tiles_are_even(size, multiple, blocks, extra):
    field = ReceptiveField(blocks * multiple, multiple)
    largest = smallest_tile(field) + extra

    def count(side: int) -> int:
        return len(spans(size, side, field.radius, multiple))

    even, _ = tile_shape(size, 1, largest, field)
    assert even <= largest
    assert count(even) == count(largest)
    smaller = even - multiple
    assert count(even) == 1 or smaller < smallest_tile(field) or count(smaller) > count(even)
    assert [tile.rows for tile in plan(size, 1, largest, field)] == spans(size, even, field.radius, multiple)


NETWORKS = {
    (model.unshuffle, model.channels): (model, initialise(model, jax.random.key(3), jnp.zeros((1, 8, 8, model.channels))), field)
    for model, field in (
        (DnCNN(depth=4, features=6), ReceptiveField(4)),
        (DnCNN(depth=3, features=6, channels=3, unshuffle=2), ReceptiveField(6, 2)),
    )
}


@settings(deadline=None, max_examples=5)
@given(which=st.sampled_from(sorted(NETWORKS)), height=st.integers(1, 61), width=st.integers(1, 61), side=st.integers(15, 70))
@example(which=(1, 1), height=53, width=47, side=15)
@example(which=(2, 3), height=53, width=48, side=17)
@example(which=(2, 3), height=1, width=59, side=23)
def test_tiled_is_whole(which, height, width, side):
    model, variables, field = NETWORKS[which]
    image = np.random.default_rng(height * 64 + width).random((1, height, width, model.channels), np.float32)
    whole = np.asarray(apply_network(model, variables, image))
    tiled = np.full_like(whole, np.nan)
    for tile in plan(height, width, side, field):
        tiled[:, *tile.target(1)] = apply_network(model, variables, image[:, *tile.source()])[:, *tile.core(1)]
    np.testing.assert_allclose(tiled, whole, atol=2e-6, rtol=0)


def test_tiles_that_are_all_halo_are_refused():
    field = ReceptiveField(17)
    with pytest.raises(InputError, match="at least 35"):
        list(plan(100, 100, smallest_tile(field) - 1, field))
    assert list(plan(20, 20, 20, field))  # the whole image needs no halo
