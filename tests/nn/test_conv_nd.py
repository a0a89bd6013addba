"""Convolutions over time against torch's golden vectors, against each other, and by hand."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jaxrestore.nn.conv_nd import Conv3d, ConvTranspose1d, ConvTranspose3d, convolve_3d, convolve_transposed_3d
from jaxrestore.nn.initialise import initialise
from tests.compiled import compiled
from tests.parity.golden import Golden
from tests.shared import needs_parity

GOLDEN = Golden("ops/layers")


def last(name: str) -> np.ndarray:
    return np.moveaxis(GOLDEN.tensors[name], 1, -1)


@needs_parity
def test_equals_torch():
    kernel = np.transpose(GOLDEN.tensors["conv3d.weight"], (2, 3, 4, 1, 0))
    plain = Conv3d(5, use_bias=False).apply({"params": {"kernel": kernel}}, last("v"))
    np.testing.assert_allclose(plain, last("conv3d.k3s1p1"), atol=2e-5)
    kernel = np.flip(np.transpose(GOLDEN.tensors["convT3d.weight"], (2, 3, 4, 0, 1)), (0, 1, 2))
    enlarged = ConvTranspose3d(5, 4, 2, 1, use_bias=False).apply({"params": {"kernel_transposed": kernel}}, last("v"))
    np.testing.assert_allclose(enlarged, last("convT3d.k4s2p1"), atol=2e-5)


@pytest.mark.parametrize(("window", "strides", "padding"), [((3, 3, 3), (1, 2, 2), (1, 1, 1)), ((4, 4, 2), (2, 2, 1), (1, 1, 0))])
def test_forms_agree(window, strides, padding):
    random = np.random.default_rng(0)
    video, kernel = (jnp.asarray(random.standard_normal(shape), jnp.float32) for shape in ((2, 6, 7, 8, 3), (*window, 3, 4)))
    names = ("NDHWC", "DHWIO", "NDHWC")
    expected = lax.conv_general_dilated(video, kernel, strides, [(p, p) for p in padding], dimension_numbers=names)
    chex.assert_trees_all_close(convolve_3d(video, kernel, strides=strides, padding=padding), expected, atol=1e-4)
    border = [(k - 1 - p, k - 1 - p) for k, p in zip(window, padding, strict=True)]
    expected = lax.conv_general_dilated(video, kernel, (1, 1, 1), border, strides, dimension_numbers=names)
    chex.assert_trees_all_close(convolve_transposed_3d(video, kernel, strides=strides, padding=padding), expected, atol=1e-4)


def test_lengthens_a_sequence_by_hand():
    sequence = jnp.array([1.0, 10.0]).reshape(1, 2, 1)
    kernel = jnp.array([4.0, 3.0, 2.0, 1.0]).reshape(4, 1, 1)  # torch's 1, 2, 3, 4
    # Full result 1, 2, 3 + 10, 4 + 20, 30, 40 without a place on each side.
    result = ConvTranspose1d(1, 4, 2, 1, use_bias=False).apply({"params": {"kernel_transposed": kernel}}, sequence)
    np.testing.assert_allclose(result[0, :, 0], [2.0, 13.0, 24.0, 30.0])


@pytest.mark.parametrize("layer", [Conv3d(4, (3, 3, 2), (1, 2, 1), 1), ConvTranspose3d(4, 4, 2, 1), ConvTranspose1d(4, 4, 2, 1)])
def test_shapes_without_computing_and_gradients(layer):
    x = (
        np.random.default_rng(1)
        .standard_normal((2, 4, 6, 5, 3) if not isinstance(layer, ConvTranspose1d) else (2, 4, 3))
        .astype(np.float32)
    )
    variables = initialise(layer, jax.random.key(0), x)
    assert jax.eval_shape(layer.init, jax.random.key(0), x) == jax.eval_shape(lambda: variables)
    gradient = compiled(jax.grad(lambda v: jnp.sum(jnp.square(layer.apply(v, x)))))(variables)
    assert all(leaf.any() for leaf in jax.tree.leaves(gradient))
