"""Patches against NumPy's windows, torch's fold, and as adjoint maps."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from jaxrestore.errors import InputError
from jaxrestore.ops.padding import pad
from jaxrestore.ops.patches import aggregate_patches, extract_patches, overlap_add, patch_grid
from tests.parity.golden import Golden
from tests.shared import needs_parity


@needs_parity
def test_equals_torchs_unfold_and_fold():
    golden = Golden("ops/layers").tensors
    # torch's columns: (N, C * 3 * 3, positions), here of the image padded by one zero; fold crops that border.
    patches = extract_patches(pad(np.moveaxis(golden["x4"], 1, -1), (1, 1), (1, 1), "zeros"), 3)
    columns = np.transpose(patches, (0, 5, 3, 4, 1, 2)).reshape(1, 27, 63)
    np.testing.assert_array_equal(columns, golden["unfold.k3p1"])
    folded = overlap_add(patches, (9, 11))[:, 1:-1, 1:-1]
    np.testing.assert_allclose(np.moveaxis(folded, -1, 1), golden["fold.k3p1"], atol=2e-6)


@pytest.mark.parametrize(("size", "stride"), [(3, 1), (4, 2), (3, 2), (2, 3)])
def test_equals_numpy_and_its_adjoint(size, stride):
    random = np.random.default_rng(0)
    image = random.normal(size=(2, 8, 9, 2))
    with jax.enable_x64(True):
        patches = extract_patches(image, size, stride)
        expected = sliding_window_view(image, (size, size), (1, 2))[:, ::stride, ::stride]
        np.testing.assert_array_equal(patches, np.moveaxis(expected, 3, -1))
        other = random.normal(size=patches.shape)
        added = overlap_add(other, (8, 9), stride)
        chex.assert_shape(added, image.shape)
        np.testing.assert_allclose(np.vdot(patches, other), np.vdot(image, added), rtol=1e-11)
        pushed = jax.jvp(lambda x: extract_patches(x, size, stride), (image,), (image,))[1]
        np.testing.assert_array_equal(pushed, patches)
        np.testing.assert_allclose(added, jax.vjp(lambda x: extract_patches(x, size, stride), image)[1](jnp.asarray(other))[0], atol=1e-12)


class Variants(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True)
    def test_aggregation_undoes_extraction(self):
        image = np.random.default_rng(1).random((2, 8, 10, 3), np.float32)
        patches = extract_patches(image, 4, 2)
        for weights in (None, np.arange(1.0, 17.0).reshape(4, 4, 1), np.arange(1.0, 13.0).reshape(3, 4, 1, 1, 1)):
            back = self.variant(aggregate_patches, static_argnums=(1, 2))(patches, (8, 10), 2, weights)
            np.testing.assert_allclose(back, image, rtol=1e-6)


def test_weighted_mean_by_hand():
    patches = np.array([[1.0, 2.0], [4.0, 6.0]], np.float32).reshape(1, 2, 1, 2, 1)[:, :, [0, 0]]  # two patches of 2x2 side by side
    mean = aggregate_patches(patches, (2, 3), 1, np.array([1.0, 3.0], np.float32).reshape(2, 1, 1, 1))
    np.testing.assert_allclose(mean[0, :, 0], [1.0, (2.0 + 3 * 4.0) / 4, 6.0])
    rest = aggregate_patches(patches[:, :1], (2, 3), 2)
    np.testing.assert_array_equal(rest[1, :, 0], [1.0, 2.0, 0.0])


def test_bad_input_is_said():
    assert patch_grid(9, 8, 3, 2) == (4, 3)
    with pytest.raises(InputError, match="9x9 do not fit into an image of 8x12"):
        extract_patches(np.zeros((8, 12, 1), np.float32), 9)
    with pytest.raises(InputError, match="stride is 0"):
        patch_grid(8, 8, 3, 0)
    with pytest.raises(InputError, match="do not come from an image of 5x5"):
        overlap_add(np.zeros((2, 2, 3, 3, 1), np.float32), (5, 5))
    with pytest.raises(InputError, match="must broadcast"):
        aggregate_patches(np.zeros((2, 2, 3, 3, 1), np.float32), (4, 4), 1, np.ones((2, 1)))
