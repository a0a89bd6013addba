"""Convolutions as one product with the kernel: equal to the compiler's own, chosen for small maps and large kernels alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jaxrestore.nn.conv import convolve, convolve_transposed
from jaxrestore.nn.conv_nd import convolve_3d
from jaxrestore.nn.gathered_product import gathered_product, has_few_windows


def _random(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).standard_normal(shape, np.float32)


def _names(axes: int) -> tuple[str, str, str]:
    sides = "DHW"[3 - axes :]
    return f"N{sides}C", f"{sides}IO", f"N{sides}C"


@pytest.mark.parametrize(
    ("image", "kernel", "strides", "padding"),
    [
        ((2, 5, 6, 3), (3, 3, 3, 4), (1, 1), ((1, 1), (1, 1))),
        ((1, 7, 9, 2), (4, 5, 2, 3), (2, 3), ((0, 1), (2, -1))),
        ((2, 5, 4, 6, 2), (4, 3, 2, 2, 3), (2, 1, 2), ((1, 1), (1, 0), (0, 1))),
    ],
)
def test_equals_the_compilers_convolution(image, kernel, strides, padding):
    x, k = _random(*image), _random(*kernel)

    def plain(x: jax.Array, k: jax.Array) -> jax.Array:
        return lax.conv_general_dilated(x, k, strides, padding, dimension_numbers=_names(len(strides)))

    expected, pull = jax.vjp(plain, x, k)
    result, pull_ours = jax.vjp(lambda x, k: gathered_product(x, k, strides, padding), x, k)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)
    g = _random(*expected.shape)
    for ours, theirs in zip(pull_ours(g), pull(g), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_is_for_small_maps_and_large_kernels():
    def few(image: tuple[int, ...], kernel: tuple[int, ...], stride: int = 1) -> bool:
        shapes = (jax.ShapeDtypeStruct(shape, jnp.float32) for shape in (image, kernel))
        axes = len(kernel) - 2
        return has_few_windows(*shapes, (stride,) * axes, ((1, 1),) * axes)

    assert few((1, 4, 4, 256), (3, 3, 256, 512))
    assert not few((1, 16, 16, 256), (3, 3, 256, 512))
    assert few((1, 16, 16, 256), (4, 4, 256, 512), 2)
    assert not few((16, 16, 16, 256), (4, 4, 256, 512), 2)  # sixteen images
    assert not few((1, 4, 4, 8), (3, 3, 8, 512))  # a small kernel
    assert not few((1, 4, 4, 512), (1, 1, 512, 512))  # a product as it is
    assert few((1, 2, 8, 8, 256), (4, 4, 4, 256, 512), 2)


@pytest.mark.parametrize("stride", [1, 2])
def test_is_what_a_convolution_computes_there(stride):
    # The only window sees all of the image.
    x, k = jnp.ones((1, 2, 2, 256)), jnp.ones((4, 4, 256, 512))
    assert has_few_windows(x, k, (stride,) * 2, ((1, 1),) * 2)
    text = str(jax.make_jaxpr(lambda x, k: convolve(x, k, strides=(stride,) * 2, padding=(1, 1)))(x, k))
    assert "dot_general" in text
    np.testing.assert_array_equal(convolve(x, k, strides=(stride,) * 2, padding=(1, 1)), np.full((1, 1, 1, 512), 1024.0))


def test_videos_and_transposed_convolutions_of_small_maps():
    video, kernel = _random(1, 2, 4, 4, 32), _random(2, 4, 4, 32, 256) / 32
    assert has_few_windows(video, kernel, (2, 2, 2), ((0, 0), (1, 1), (1, 1)))
    expected = lax.conv_general_dilated(video, kernel, (2, 2, 2), ((0, 0), (1, 1), (1, 1)), dimension_numbers=_names(3))
    np.testing.assert_allclose(convolve_3d(video, kernel, strides=(2, 2, 2), padding=(0, 1, 1)), expected, rtol=1e-4, atol=1e-5)

    image, kernel = jnp.asarray(_random(1, 3, 2, 8)), jnp.asarray(_random(4, 4, 8, 16))
    expected = lax.conv_general_dilated(
        image, kernel, (1, 1), ((2, 2), (2, 2)), lhs_dilation=(2, 2), dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    np.testing.assert_allclose(convolve_transposed(image, kernel, strides=(2, 2), padding=(1, 1)), expected, rtol=1e-5, atol=1e-5)
