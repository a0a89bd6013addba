"""Winograd's minimal filtering against NumPy, SciPy and the compiler's own convolution, and where it is chosen."""

from functools import partial

import chex
import hypothesis
import hypothesis.strategies as st
import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal
from jax import lax

from jaxrestore.nn import minimal_filtering
from jaxrestore.nn.conv import convolve
from jaxrestore.nn.conv_window import Window, plain
from jaxrestore.nn.minimal_filtering import compiled_for_one_call, filter_by_rows, is_faster, matrices

SAME = Window(padding=((1, 1), (1, 1)))


@pytest.fixture
def always(monkeypatch):
    """Small convolutions are worth it too."""
    for name in ("_WORTHWHILE", "_DENSE", "_PIXELS"):
        monkeypatch.setattr(minimal_filtering, name, 0)
    jax.clear_caches()  # what was traced before has made its choice
    yield
    jax.clear_caches()


def draw(shape: tuple[int, ...], seed: int = 0) -> jax.Array:
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape, np.float32))


def exact(image, kernel) -> np.ndarray:
    """The convolution without padding, by SciPy in double precision."""
    image, kernel = np.asarray(image, float), np.asarray(kernel, float)
    channels, features = kernel.shape[2:]
    sums = [
        [sum(scipy.signal.correlate(one[..., c], kernel[..., c, o], "valid", "direct") for c in range(channels)) for o in range(features)]
        for one in image
    ]
    return np.moveaxis(np.array(sums), 1, -1)


@pytest.mark.parametrize(("together", "taps"), [(4, 3), (3, 4), (2, 5)])
def test_matrices_filter(together, taps):
    generator = np.random.default_rng(0)
    signal, kernel = generator.standard_normal(together + taps - 1), generator.standard_normal(taps)
    to_result, to_kernels, to_images = matrices(together, taps)
    filtered = to_result @ ((to_kernels @ kernel) * (to_images @ signal))
    np.testing.assert_allclose(filtered, np.correlate(signal, kernel, "valid"), rtol=1e-12, atol=1e-12)


sides = st.integers(-1, 3)


borders = st.tuples(st.integers(-1, 3), st.integers(-1, 3))


@hypothesis.settings(deadline=None, max_examples=10)
@hypothesis.given(st.integers(3, 5), st.integers(1, 4), borders, borders, st.integers(5, 12), st.integers(4, 7))
def test_any_convolution_equals_scipys(rows, columns, vertical, horizontal, height, width):
    hypothesis.assume(height + sum(vertical) >= rows and width + sum(horizontal) >= columns)
    image, kernel = draw((2, height, width, 2)), draw((rows, columns, 2, 3), 1)
    padded = np.pad(image, ((0, 0), *(tuple(max(p, 0) for p in sides) for sides in (vertical, horizontal)), (0, 0)))
    kept = [slice(max(-first, 0), min(last, 0) or None) for first, last in (vertical, horizontal)]
    window = Window(padding=(vertical, horizontal))
    result = jax.jit(partial(filter_by_rows, window=window))(image, kernel)
    np.testing.assert_allclose(result, exact(padded[:, kept[0], kept[1]], kernel), atol=2e-5)


def test_rounds_hardly_more_than_the_direct_sum():
    image, kernel = draw((1, 16, 16, 64)), draw((3, 3, 64, 8), 1)
    expected = exact(np.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0))), kernel)
    error = [float(np.sqrt(np.mean((f(image, kernel, SAME) - expected) ** 2))) for f in (filter_by_rows, plain)]
    assert error[0] < 2.0 * error[1], error


class TestInPlaceOfTheCompilersOwn:
    @pytest.mark.parametrize("padding", [((1, 1), (1, 1)), ((0, 0), (0, 0)), ((2, 0), (1, 2))])
    def test_value_and_gradients(self, always, padding):
        image, kernel, weight = draw((2, 7, 6, 3)), draw((3, 3, 3, 4), 1), draw((2, 7 + sum(padding[0]) - 2, 6 + sum(padding[1]) - 2, 4), 2)
        window = Window(padding=padding)
        assert is_faster(image, kernel, window)

        def with_gradients(function, image, kernel):
            result, backward = jax.vjp(function, image, kernel)
            return result, *backward(weight)

        ours = jax.jit(partial(with_gradients, partial(convolve, padding=padding)))(image, kernel)
        theirs = jax.jit(partial(with_gradients, partial(plain, window=window)))(image, kernel)
        chex.assert_trees_all_close(ours, theirs, atol=5e-5)
        assert not jnp.array_equal(ours[0], theirs[0])  # it was another way

    def test_forward_and_second_derivatives(self, always):
        image, kernel = draw((1, 6, 5, 2)), draw((3, 3, 2, 2), 1)

        def slopes(function):
            value = lambda x, k: jnp.sum(jnp.sin(function(x, k)))  # noqa: E731
            forward = jax.jvp(value, (image, kernel), (image + 1, kernel - 1))
            return forward, jax.jit(jax.grad(lambda x, k: jnp.sum(jax.grad(value)(x, k) ** 2), (0, 1)))(image, kernel)

        chex.assert_trees_all_close(slopes(partial(convolve, padding=(1, 1))), slopes(partial(plain, window=SAME)), rtol=2e-4, atol=2e-3)

    def test_vmap_and_scan(self, always):
        images, kernels = draw((2, 1, 6, 5, 2)), draw((3, 3, 3, 2, 2), 1)

        def deep(function, image):
            return lax.scan(lambda x, k: (function(x, k), None), image, kernels)[0]

        ours, theirs = (jax.vmap(partial(deep, f))(images) for f in (partial(convolve, padding=(1, 1)), partial(plain, window=SAME)))
        chex.assert_trees_all_close(ours, theirs, rtol=1e-5, atol=1e-4)

    def test_on_the_cpu_alone(self, always):
        image, kernel = draw((1, 6, 5, 2)), draw((3, 3, 2, 2), 1)
        for platform, count in (("cpu", 6), ("cuda", 1), ("tpu", 1)):
            text = jax.export.export(jax.jit(partial(convolve, padding=(1, 1))), platforms=[platform])(image, kernel).mlir_module()
            assert text.count("stablehlo.convolution") == count, platform


def chosen(*shape, features=64, rows=3, dtype=jnp.float32, **window) -> bool:
    kernel = jax.ShapeDtypeStruct((rows, 3, shape[-1] // window.get("groups", 1), features), dtype)
    return is_faster(jax.ShapeDtypeStruct(shape, dtype), kernel, Window(padding=((rows // 2, rows // 2), (1, 1)), **window))


def test_is_chosen_where_it_pays():
    assert chosen(1, 128, 128, 64)
    assert chosen(16, 48, 48, 64)
    assert chosen(1, 128, 128, 64, rows=5)


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        pytest.param((1, 48, 48, 64), {}, id="little to save"),
        pytest.param((1, 256, 256, 64), {"features": 8}, id="moves more than it saves"),
        pytest.param((1, 256, 256, 3), {}, id="few channels"),
        pytest.param((1, 256, 256, 64), {"features": 32, "rows": 5}, id="moves more than it saves with five rows"),
        pytest.param((1, 16, 16, 512), {"features": 512}, id="the kernel is the larger"),
        pytest.param((1, 1024, 1024, 64), {}, id="its sums lie in slow memory"),
        pytest.param((1, 128, 128, 64), {"dtype": jnp.bfloat16}, id="half precision"),
        pytest.param((1, 128, 128, 64), {"rows": 6}, id="six rows"),
        pytest.param((1, 128, 128, 64), {"strides": (2, 2)}, id="strides"),
        pytest.param((1, 128, 128, 64), {"dilation": (2, 2)}, id="dilation"),
        pytest.param((1, 128, 128, 64), {"groups": 2}, id="groups"),
    ],
)
def test_is_not_chosen_elsewhere(shape, options):
    assert not chosen(*shape, **options)


def test_images_of_any_size_take_the_compilers_own():
    (height,) = jax.export.symbolic_shape("height")
    assert not chosen(1, height, 128, 64)


def test_is_not_chosen_for_one_call(always):
    image, kernel = draw((1, 6, 5, 2)), draw((3, 3, 2, 2), 1)
    filtered, compilers = convolve(image, kernel, padding=(1, 1)), plain(image, kernel, SAME)
    with compiled_for_one_call():
        assert not is_faster(image, kernel, SAME)
        np.testing.assert_array_equal(convolve(image, kernel, padding=(1, 1)), compilers)
    assert not jnp.array_equal(convolve(image, kernel, padding=(1, 1)), compilers)
    np.testing.assert_array_equal(convolve(image, kernel, padding=(1, 1)), filtered)
