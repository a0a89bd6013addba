"""Sub-pixel rearrangement against torch's results, and as a pair of inverse maps."""

import chex
import jax
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.ops.pixel_shuffle import pixel_shuffle, pixel_unshuffle
from tests.parity.golden import Golden
from tests.shared import needs_parity


def nhwc(name: str) -> np.ndarray:
    return np.moveaxis(Golden("ops/layers").tensors[name], 1, -1)


@needs_parity
def test_equals_torch():
    np.testing.assert_array_equal(pixel_shuffle(nhwc("x"), 2), nhwc("pixel_shuffle2"))
    np.testing.assert_array_equal(pixel_shuffle(nhwc("x9"), 3), nhwc("pixel_shuffle3"))
    np.testing.assert_array_equal(pixel_unshuffle(nhwc("pixel_shuffle2"), 2), nhwc("pixel_unshuffle2"))
    np.testing.assert_array_equal(pixel_unshuffle(nhwc("xe"), 2), nhwc("pixel_unshuffle.xe"))
    np.testing.assert_array_equal(pixel_unshuffle(nhwc("xe"), 2), nhwc("kair_pixel_unshuffle.xe"))


class Inverse(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True)
    def test_both_ways_for_any_batch(self):
        image = jax.random.normal(jax.random.key(0), (2, 3, 6, 12, 2))
        for scale in (1, 2, 3):
            apart = self.variant(pixel_unshuffle, static_argnums=1)(image, scale)
            chex.assert_shape(apart, (2, 3, 6 // scale, 12 // scale, 2 * scale**2))
            chex.assert_trees_all_equal(pixel_shuffle(apart, scale), image)

    def test_channel_order_by_hand(self):
        one = np.arange(8, dtype=np.float32).reshape(1, 1, 8)
        np.testing.assert_array_equal(pixel_shuffle(one, 2)[..., 0], [[0, 1], [2, 3]])
        np.testing.assert_array_equal(pixel_shuffle(one, 2)[..., 1], [[4, 5], [6, 7]])


def test_bad_input_is_said():
    image = np.zeros((1, 3, 4, 6), np.float32)
    with pytest.raises(InputError, match="scale squared"):
        pixel_shuffle(image, 2)
    with pytest.raises(InputError, match="multiples of the scale"):
        pixel_unshuffle(image, 2)
    with pytest.raises(InputError, match="at least 1"):
        pixel_shuffle(image, 0)
