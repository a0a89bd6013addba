"""Every way to go up, against its definition written out with other tools."""

import chex
import flax.traverse_util
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.nn.initialise import initialise
from jaxrestore.nn.upsample import UPSAMPLINGS, Upsample
from jaxrestore.ops.interpolate import interpolate
from tests.parity.golden import Golden
from tests.shared import needs_parity

PLACES = jnp.asarray(np.random.default_rng(1).integers(0, 4, (2, 3, 5, 2)), jnp.int32)


@pytest.fixture
def image():
    return jax.random.normal(jax.random.key(0), (2, 3, 5, 8))


def run(method: str, image: jax.Array, **fields):
    layer = Upsample(2, method, **fields)
    places = PLACES if method == "unpooling" else None
    variables = initialise(layer, jax.random.key(1), image, places)
    ((_, kernel),) = flax.traverse_util.flatten_dict(variables["params"]).items()
    return layer.apply(variables, image, places), np.asarray(kernel)


@pytest.mark.parametrize("method", ["bilinear", "nearest", "bicubic"])
def test_interpolations_commute_with_the_convolution(method, image):
    result, kernel = run(method, image)
    enlarged = interpolate(image, scale=2, method=method, align_corners=method == "bilinear")
    np.testing.assert_allclose(result, np.asarray(enlarged) @ kernel[0, 0], atol=1e-5)


def test_pixel_shuffle_and_reshape_by_hand(image):
    batch, height, width, channels = image.shape
    planes = np.moveaxis(np.asarray(image), -1, 1)
    shuffled = np.zeros((batch, channels // 4, 2 * height, 2 * width), np.float32)
    for i in range(2):
        for j in range(2):
            shuffled[:, :, i::2, j::2] = planes[:, 2 * i + j :: 4]
    result, kernel = run("pixel_shuffle", image)
    np.testing.assert_allclose(result, np.moveaxis(shuffled, 1, -1) @ kernel[0, 0], atol=1e-5)
    result, kernel = run("reshape", image)
    raw = planes.reshape(batch, channels // 4, 2 * height, 2 * width)
    np.testing.assert_allclose(result, np.moveaxis(raw, 1, -1) @ kernel[0, 0], atol=1e-5)


def test_unpooling_puts_each_value_at_its_place(image):
    result, kernel = run("unpooling", image)
    values, result = np.asarray(image) @ kernel[0, 0], np.asarray(result)
    for (n, y, x, c), place in np.ndenumerate(PLACES):
        square = result[n, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2, c].ravel()
        np.testing.assert_allclose(square, np.where(np.arange(4) == place, values[n, y, x, c], 0.0), atol=1e-5)


@needs_parity
def test_transposed_equals_torch():
    golden = Golden("ops/layers").tensors
    kernel = np.moveaxis(golden["convT.k2s2p0op0.weight"], (0, 1), (2, 3))[::-1, ::-1].copy()
    result = Upsample(3, "transposed").apply({"params": {"conv": {"kernel_transposed": kernel}}}, np.moveaxis(golden["xo"], 1, -1))
    expected = golden["convT.k2s2p0op0"] - golden["convT.k2s2p0op0.bias"][None, :, None, None]
    np.testing.assert_allclose(np.moveaxis(result, -1, 1), expected, atol=1e-5)


@pytest.mark.parametrize("method", UPSAMPLINGS)
def test_shape_count_and_gradient(method, image):
    result, kernel = run(method, image)
    chex.assert_shape(result, (2, 6, 10, 2))
    share = {"pixel_shuffle": 0.25, "reshape": 0.25, "transposed": 4.0}.get(method, 1.0)
    assert kernel.size == 8 * 2 * share
    places = PLACES if method == "unpooling" else None
    layer = Upsample(2, method)
    variables = initialise(layer, jax.random.key(1), image, places)
    gradients = jax.grad(lambda v, x: jnp.sum(jnp.sin(layer.apply(v, x, places))), (0, 1))(variables, image)
    assert all(jnp.any(leaf != 0) for leaf in jax.tree.leaves(gradients))


def test_computes_in_the_type_that_is_asked_for(image):
    for method in UPSAMPLINGS:
        chex.assert_type(run(method, image, dtype=jnp.bfloat16)[0], jnp.bfloat16)


def test_bad_input_is_said(image):
    with pytest.raises(InputError, match="must be one of"):
        run("magic", image)
    with pytest.raises(InputError, match="multiple of 4"):
        run("reshape", image[..., :6])
    with pytest.raises(InputError, match="needs the places"):
        Upsample(2, "unpooling").init(jax.random.key(0), image)
