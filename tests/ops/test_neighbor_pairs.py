"""Neighbor2Neighbor's sub-sampler against the authors' sub-images, and as random choices."""

import chex
import jax
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.ops.neighbor_pairs import PAIRS, neighbor_pair, random_pairs
from jaxrestore.ops.pixel_shuffle import pixel_unshuffle
from tests.parity.golden import Golden
from tests.shared import needs_parity


def stored_choices(golden: dict[str, np.ndarray]) -> np.ndarray:
    """Rows of PAIRS from the authors' masks, which mark one of four places in every cell."""
    first, second = (golden[f"mask{i}"].reshape(2, 4, 6, 4).argmax(-1) for i in (1, 2))
    return np.argmax((PAIRS[:, 0] == first[..., None]) & (PAIRS[:, 1] == second[..., None]), -1)


@needs_parity
def test_equals_the_authors():
    golden = Golden("ops/neighbor2neighbor").tensors
    image = np.moveaxis(golden["img"], 1, -1)
    for ours, name in zip(neighbor_pair(image, stored_choices(golden)), ("sub1", "sub2"), strict=True):
        np.testing.assert_array_equal(np.moveaxis(ours, -1, 1), golden[name])
    np.testing.assert_array_equal(np.moveaxis(pixel_unshuffle(image, 2), -1, 1), golden["space_to_depth"])


def test_pairs_are_all_neighbours_in_both_orders():
    rows, columns = PAIRS // 2, PAIRS % 2
    np.testing.assert_array_equal(abs(rows[:, 0] - rows[:, 1]) + abs(columns[:, 0] - columns[:, 1]), 1)
    assert len({tuple(pair) for pair in PAIRS}) == 8


class Variants(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True)
    def test_random_pairs_are_even_and_replayed(self):
        draw = self.variant(lambda key: random_pairs(key, (2, 64, 50, 3)))
        choices = draw(jax.random.key(0))
        chex.assert_shape(choices, (2, 32, 25))
        counts = np.bincount(np.asarray(choices).ravel(), minlength=8)
        assert np.abs(counts - 200).max() < 5 * np.sqrt(200)
        np.testing.assert_array_equal(choices, draw(jax.random.key(0)))


def test_bad_input_is_said():
    with pytest.raises(InputError, match="5x4: both sides must be even"):
        random_pairs(jax.random.key(0), (5, 4, 1))
    with pytest.raises(InputError, match=r"choices have the shape \(2, 3\)"):
        neighbor_pair(np.zeros((4, 4, 1), np.float32), np.zeros((2, 3), np.int32))
