"""Padding against torch and NumPy."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxrestore.errors import InputError
from jaxrestore.ops.padding import crop, pad, pad_to_multiple
from tests.parity.golden import Golden
from tests.shared import needs_parity

NUMPY_MODE = {"reflect": "reflect", "symmetric": "symmetric", "replicate": "edge", "circular": "wrap", "zeros": "constant"}


@needs_parity
@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular", "zeros"])
def test_equals_torch(mode):
    golden = Golden("ops/layers").tensors
    theirs = golden[f"pad.{'constant' if mode == 'zeros' else mode}.1_2_3_0"]
    ours = pad(np.moveaxis(golden["x4"], 1, -1), (3, 0), (1, 2), mode)
    np.testing.assert_array_equal(np.moveaxis(ours, -1, 1), theirs)


@settings(deadline=None, max_examples=12)
@given(st.integers(1, 5), st.integers(1, 5), st.sampled_from([1, 2, 8, 16]), st.sampled_from(sorted(NUMPY_MODE)))
def test_any_size_becomes_a_multiple_and_comes_back(height, width, multiple, mode):
    image = np.random.default_rng(0).random((1, height, width, 2), np.float32)
    padded = pad_to_multiple(image, multiple, mode)
    below, right = padded.shape[1] - height, padded.shape[2] - width
    assert padded.shape[1] % multiple == padded.shape[2] % multiple == 0
    assert max(below, right) < multiple
    np.testing.assert_array_equal(padded, np.pad(image, ((0, 0), (0, below), (0, right), (0, 0)), NUMPY_MODE[mode]))
    np.testing.assert_array_equal(crop(padded, (height, width)), image)


def test_reflection_bounces_and_one_pixel_repeats():
    row = jnp.arange(3.0).reshape(1, 3, 1)
    np.testing.assert_array_equal(pad(row, (0, 0), (0, 5))[0, :, 0], [0, 1, 2, 1, 0, 1, 2, 1])
    np.testing.assert_array_equal(pad_to_multiple(jnp.full((1, 1, 1), 0.5), 16), np.full((16, 16, 1), 0.5))


def test_nothing_to_do_gives_the_same_array():
    image = np.zeros((4, 8, 1), np.float32)
    assert pad_to_multiple(image, 4) is image


def test_bad_input_is_said():
    image = jnp.zeros((2, 3, 1))
    with pytest.raises(InputError, match="must be one of"):
        pad_to_multiple(image, 4, "mirror")
    with pytest.raises(InputError, match="at least 1"):
        pad_to_multiple(image, 0)
    with pytest.raises(InputError, match="negative"):
        pad(image, (-1, 0), (0, 0))
    with pytest.raises(InputError, match="no pixels"):
        pad(jnp.zeros((0, 3, 1)), (1, 1), (1, 1))


def test_numpys_names_mean_the_same():
    image = np.random.default_rng(0).random((3, 4, 1), np.float32)
    for name, mode in NUMPY_MODE.items():
        np.testing.assert_array_equal(pad(image, (2, 1), (1, 3), mode), pad(image, (2, 1), (1, 3), name))
