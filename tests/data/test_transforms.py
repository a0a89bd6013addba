"""Crops and flips: replayed from (seed, index), even over places and turns, the same for both pictures of a pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxrestore.data.transforms import CropAndFlip, dihedral, enlarge_to, record_generator, scale_between
from jaxrestore.errors import InputError


def ramp(height: int, width: int) -> np.ndarray:
    """Every pixel says where it is."""
    return np.indices((height, width)).transpose(1, 2, 0).astype(np.uint8)


def test_eight_different_ways_that_numpy_knows():
    image = ramp(3, 3)
    ours = {dihedral(image, which).tobytes() for which in range(8)}
    turned = [np.rot90(image, k) for k in range(4)]
    assert ours == {x.tobytes() for x in turned} | {np.fliplr(x).tobytes() for x in turned}
    assert len(ours) == 8


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 12), st.integers(0, 2**70), st.integers(0, 2**40))
def test_a_record_is_a_function_of_seed_and_index(height, width, patch, seed, index):
    cut = CropAndFlip(patch, seed)
    first, second = (cut(index, {"image": ramp(height, width)}) for _ in range(2))
    np.testing.assert_array_equal(first["image"], second["image"])
    assert first["image"].shape == (patch, patch, 2)
    assert first["index"] == index
    # With reflection or without, neighbours in the patch are neighbours in the picture.
    for axis in (0, 1):
        assert np.abs(np.diff(first["image"].astype(int), axis=axis)).sum(-1).max(initial=0) <= 1


def test_every_place_and_turn_comes_equally_often():
    cut, image = CropAndFlip(2, 5), ramp(4, 5)
    patches = [cut(index, {"image": image})["image"].tobytes() for index in range(9600)]
    counts = np.unique(patches, return_counts=True)[1]
    assert len(counts) == 3 * 4 * 8
    assert abs(counts - 100).max() < 50  # five standard deviations
    assert len({CropAndFlip(2, 5, augment=False)(i, {"image": image})["image"].tobytes() for i in range(300)}) == 12


def test_other_seeds_and_neighbouring_indices_differ():
    draws = [record_generator(seed, index).integers(2**62) for seed in range(10) for index in range(10)]
    assert len(set(draws)) == 100


@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize("size", [(8, 9), (2, 3), (1, 7)])
def test_pairs_are_cut_together(scale, size):
    small = ramp(*size)
    large = small.repeat(scale, 0).repeat(scale, 1)
    for index in range(30):
        pair = CropAndFlip(6, 1)(index, {"image": large, "degraded": small})
        assert pair["degraded"].shape == (6 // scale, 6 // scale, 2)
        np.testing.assert_array_equal(pair["image"], pair["degraded"].repeat(scale, 0).repeat(scale, 1))


def test_small_pictures_are_reflected():
    np.testing.assert_array_equal(enlarge_to(ramp(1, 3), 6)[0, :, 1], [0, 1, 2, 1, 0, 1])
    image = ramp(7, 6)
    assert enlarge_to(image, 6) is image


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="whole number of times"):
        scale_between(ramp(9, 8), ramp(4, 4))
    with pytest.raises(InputError, match="whole number of times"):
        scale_between(ramp(4, 4), ramp(8, 8))
    with pytest.raises(InputError, match="patch 5 is no multiple of 2"):
        CropAndFlip(5, 0)(0, {"image": ramp(8, 8), "degraded": ramp(4, 4)})


def test_patches_do_not_keep_their_pictures_alive():
    patch = CropAndFlip(2, 0)(0, {"image": ramp(8, 8)})["image"]
    assert patch.base is None
    assert patch.flags.c_contiguous
    assert patch.flags.writeable
