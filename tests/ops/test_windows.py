"""Windows by hand, as inverse maps, and masks against the paper's regions."""

import chex
import jax
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.ops.windows import cyclic_shift, merge_windows, partition_windows, shift_mask


class Variants(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True)
    def test_there_and_back(self):
        image = jax.random.normal(jax.random.key(0), (2, 3, 8, 12, 2))
        windows = self.variant(partition_windows, static_argnums=1)(image, 4)
        chex.assert_shape(windows, (2, 3, 6, 4, 4, 2))
        np.testing.assert_array_equal(windows[1, 2, 4], image[1, 2, 4:, 4:8])  # row 1, column 1
        np.testing.assert_array_equal(self.variant(merge_windows, static_argnums=1)(windows, (8, 12)), image)
        shifted = self.variant(cyclic_shift, static_argnums=1)(image, 3)
        np.testing.assert_array_equal(shifted[0, 0, 0, 0], image[0, 0, 3, 3])
        np.testing.assert_array_equal(cyclic_shift(shifted, -3), image)


@pytest.mark.parametrize("shift", [0, 1, 2, 3])
def test_mask_equals_the_papers_regions(shift):
    regions = np.zeros((8, 12, 1), np.float32)  # nine regions, as bands of rows and columns number them
    bands = (slice(0, -4), slice(-4, -shift), slice(-shift, None)) if shift else (slice(0, -4), slice(-4, None))
    for i, rows in enumerate(bands):
        for j, columns in enumerate(bands):
            regions[rows, columns] = 3 * i + j
    numbers = np.asarray(partition_windows(regions, 4)).reshape(6, 16)
    np.testing.assert_array_equal(shift_mask(8, 12, 4, shift), numbers[:, :, None] == numbers[:, None])


def test_attention_crosses_no_seam():
    position = np.stack(np.meshgrid(np.arange(8.0), np.arange(8.0), indexing="ij"), -1).astype(np.float32)
    squares = np.asarray(partition_windows(cyclic_shift(position, 2), 4)).reshape(4, 16, 2)
    distance = np.abs(squares[:, :, None] - squares[:, None]).max(-1)
    np.testing.assert_array_equal(shift_mask(8, 8, 4, 2), distance < 4)


def test_bad_input_is_said():
    with pytest.raises(InputError, match="8x10: both sides must be multiples of the window's 4"):
        partition_windows(np.zeros((8, 10, 1), np.float32), 4)
    with pytest.raises(InputError, match="do not make an image of 8x8"):
        merge_windows(np.zeros((3, 4, 4, 1), np.float32), (8, 8))
    with pytest.raises(InputError, match="shift is 4"):
        shift_mask(8, 8, 4, 4)
