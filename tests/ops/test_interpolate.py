"""Interpolation against torch's results, and the properties of the maps and of their derivatives."""

import re

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.ops.interpolate import interpolate, interpolation_taps
from tests.parity.golden import PARITY, Golden
from tests.shared import needs_parity

SIZES = {"x2": {"scale": 2}, "x3": {"scale": 3}, "half": {"scale": 0.5}, "size_11_6": {"size": (11, 6)}, "size_3_4": {"size": (3, 4)}}
SAME_METHOD = ("nearest", "bilinear", "bicubic")


def cases() -> list[str]:
    if not PARITY.is_dir():
        return ["interp.bilinear.ac0.x2"]
    return sorted(name for name in Golden("ops/layers").tensors if name.startswith("interp."))


@needs_parity
@pytest.mark.parametrize("name", cases())
def test_equals_torch(name):
    golden = Golden("ops/layers").tensors
    _, method, *option, size = name.split(".")
    antialias = option == ["antialias"]
    wanted = {"size": (4, 5)} if antialias else SIZES[size]
    result = interpolate(np.moveaxis(golden["x4"], 1, -1), **wanted, method=method, align_corners=option == ["ac1"], antialias=antialias)
    np.testing.assert_allclose(np.moveaxis(result, -1, 1), golden[name], atol=4e-6, rtol=0)


@pytest.mark.parametrize("method", ["nearest", "bilinear", "bicubic", "area"])
@pytest.mark.parametrize("wanted", [1, 2, 7, 13, 28])
def test_a_constant_stays_and_the_weights_sum_to_one(method, wanted):
    for options in [{}] if method in ("nearest", "area") else [{}, {"align_corners": True}, {"antialias": True}]:
        taps = interpolation_taps(7, wanted, None, method, **options)
        np.testing.assert_allclose(taps.weights.sum(1), 1.0, atol=1e-12)
        assert taps.indices.min() >= 0
        assert taps.indices.max() <= 6
        if wanted == 7:  # the same size is the identity
            chosen = taps.indices[np.arange(7), taps.weights.argmax(1)]
            np.testing.assert_array_equal(chosen, np.arange(7))
            np.testing.assert_allclose(taps.weights.max(1), 1.0, atol=1e-12)


def test_one_pixel_and_one_wanted_pixel():
    pixel = jnp.full((1, 1, 1, 2), 0.25)
    for method in SAME_METHOD:
        np.testing.assert_allclose(interpolate(pixel, scale=4, method=method), np.full((1, 4, 4, 2), 0.25), rtol=1e-6)
    ramp = jnp.arange(5.0).reshape(1, 5, 1, 1)
    assert float(interpolate(ramp, size=(1, 1), align_corners=True)[0, 0, 0, 0]) == 0.0
    assert float(interpolate(ramp, size=(1, 1), method="area")[0, 0, 0, 0]) == 2.0


def test_corners_are_aligned_when_asked():
    ramp = jnp.linspace(0, 1, 5).reshape(1, 5, 1, 1)
    large = interpolate(ramp, size=(9, 1), align_corners=True)
    np.testing.assert_allclose(large[0, :, 0, 0], np.linspace(0, 1, 9), atol=1e-6)
    assert not np.allclose(interpolate(ramp, size=(9, 1))[0, :, 0, 0], np.linspace(0, 1, 9), atol=1e-2)


class Derivatives(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True)
    def test_transpose_of_the_map(self):
        generator = np.random.default_rng(0)
        x, y = generator.normal(size=(2, 5, 6, 3)).astype(np.float32), generator.normal(size=(2, 9, 4, 3)).astype(np.float32)
        forward = lambda a: interpolate(a, size=(9, 4), method="bicubic")  # noqa: E731
        back = self.variant(lambda a, b: jax.vjp(forward, a)[1](b)[0])(x, y)
        np.testing.assert_allclose(np.vdot(forward(x), y), np.vdot(x, back), rtol=2e-5)

    def test_second_order_and_vmap(self):
        """Half the squared norm of A x has the gradient A'A x and the Hessian A'A."""
        x, v = jnp.asarray(np.random.default_rng(0).normal(size=(2, 3, 3, 1)), jnp.float32)
        gradient = jax.grad(lambda a: 0.5 * jnp.sum(jnp.square(interpolate(a, scale=2, align_corners=True))))
        expected = jax.vmap(gradient)(v[None])[0]
        chex.assert_trees_all_close(jax.grad(lambda a: jnp.sum(v * gradient(a)))(x), expected, atol=1e-5)

    def test_nothing_scatters(self):
        x = jnp.zeros((1, 4, 4, 1))
        text = jax.jit(jax.grad(lambda a: jnp.sum(interpolate(a, scale=2)))).lower(x).as_text()
        assert not re.search("scatter", text)


def test_bfloat16_keeps_its_type():
    image = jax.random.uniform(jax.random.key(0), (1, 4, 4, 1))
    half = interpolate(image.astype(jnp.bfloat16), scale=2)
    chex.assert_type(half, jnp.bfloat16)
    chex.assert_trees_all_close(half.astype(jnp.float32), interpolate(image, scale=2), atol=0.01)


def test_nearest_between_fixed_corners():
    """TensorFlow's `resize_nearest_neighbor(align_corners=True)`: the source is round(i * (n - 1) / (m - 1)), halves upwards."""
    row = jnp.arange(6.0).reshape(1, 1, 6, 1)
    enlarged = interpolate(row, size=(1, 12), method="nearest", align_corners=True)
    np.testing.assert_array_equal(enlarged.ravel(), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    shrunk = interpolate(row, size=(1, 3), method="nearest", align_corners=True)
    np.testing.assert_array_equal(shrunk.ravel(), [0, 3, 5])  # 2.5 becomes 3
    one = interpolate(row, size=(2, 1), method="nearest", align_corners=True)
    np.testing.assert_array_equal(one.ravel(), [0, 0])
    for n in (2, 3, 20, 511):  # doubling picks the same pixels either way
        doubled = interpolation_taps(n, 2 * n, None, "nearest", align_corners=True)
        np.testing.assert_array_equal(doubled.indices[:, 0], np.arange(2 * n) // 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "neither"),
        ({"scale": 2, "size": (2, 2)}, "both"),
        ({"scale": 0.0}, "positive"),
        ({"scale": float("nan")}, "positive"),
        ({"size": (0, 3)}, "at least 1"),
        ({"scale": 2, "method": "lanczos"}, "nearest, bilinear"),
        ({"scale": 2, "method": "area", "align_corners": True}, "align_corners does not belong to .* 'area'"),
        ({"scale": 2, "method": "nearest", "antialias": True}, "antialias does not belong to .* 'nearest'"),
        ({"scale": 2, "align_corners": True, "antialias": True}, "exclude"),
    ],
)
def test_bad_input_is_said(options, message):
    with pytest.raises(InputError, match=message):
        interpolate(jnp.zeros((1, 2, 2, 1)), **options)
