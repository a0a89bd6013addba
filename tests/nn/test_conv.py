"""Convolutions against golden vectors, SciPy, hand arithmetic and the compiler's own, in every form and under every transformation."""

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
from jax.sharding import AxisType, PartitionSpec

from jaxrestore.nn.conv import Conv, ConvTranspose, convolve, convolve_transposed
from jaxrestore.nn.initialise import initialise
from tests.parity.golden import Golden
from tests.shared import needs_parity

GOLDEN = Golden("ops/layers")
CANONICAL = "[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]"

# Image, kernel and geometry such that every form is met: image (N, H, W, C); kernel (height, width, in, out).
CASES = {
    "dense": ((2, 5, 6, 3), (3, 3, 3, 4), {"padding": (1, 1)}),
    "dense, one image": ((1, 5, 6, 3), (3, 3, 3, 4), {"padding": (1, 1)}),
    "dense, uneven window": ((2, 6, 5, 3), (1, 4, 3, 2), {"padding": (0, 2)}),
    "dense, strided": ((2, 6, 7, 2), (4, 4, 2, 3), {"strides": (2, 2), "padding": (1, 1)}),
    "dense, dilated": ((2, 7, 6, 2), (3, 3, 2, 3), {"padding": (2, 2), "dilation": (2, 2)}),
    "dense, enlarging": ((2, 4, 5, 3), (3, 2, 3, 4), {"padding": (2, 1)}),
    "few features": ((2, 5, 6, 8), (3, 3, 8, 2), {"padding": (1, 1)}),
    "few features, no padding": ((2, 5, 6, 8), (3, 2, 8, 1), {}),
    "few features, enlarging": ((1, 4, 5, 8), (3, 3, 8, 1), {"padding": (2, 2)}),
    "one channel": ((2, 5, 6, 1), (3, 3, 1, 4), {"padding": (1, 1)}),
    "one channel, wide window": ((1, 5, 6, 1), (8, 8, 1, 2), {"padding": (4, 4)}),
    "pointwise": ((2, 4, 5, 3), (1, 1, 3, 4), {}),
    "pointwise, strided and padded": ((2, 4, 5, 3), (1, 1, 3, 4), {"strides": (2, 1), "padding": (1, 0)}),
    "depthwise": ((2, 5, 6, 3), (3, 3, 1, 3), {"padding": (1, 1), "groups": 3}),
    "depthwise, two kernels a channel": ((2, 5, 4, 3), (3, 2, 1, 6), {"padding": (1, 1), "groups": 3}),
    "depthwise, strided and dilated": ((1, 8, 9, 2), (3, 3, 1, 2), {"strides": (2, 3), "padding": (2, 2), "dilation": (2, 2), "groups": 2}),
    "depthwise, wide window": ((1, 9, 8, 2), (8, 7, 1, 2), {"padding": (3, 3), "groups": 2}),
    "grouped": ((2, 4, 5, 4), (3, 3, 2, 6), {"padding": (1, 1), "groups": 2}),
    "many groups": ((1, 4, 3, 24), (3, 3, 2, 24), {"padding": (1, 1), "groups": 12}),
}
# Kernel, strides, padding, output padding.
TRANSPOSED = {
    "sub-pixel": ((4, 4, 3, 2), (2, 2), (1, 1), (0, 0)),
    "product": ((2, 2, 3, 2), (2, 2), (0, 0), (0, 0)),
    "phases of different length": ((3, 5, 2, 3), (2, 3), (1, 2), (1, 0)),
    "strides beyond the kernel": ((2, 1, 2, 3), (3, 2), (0, 0), (1, 1)),
    "no enlargement": ((4, 3, 2, 3), (1, 1), (0, 1), (0, 0)),
    "wide": ((9, 9, 2, 1), (3, 3), (4, 4), (2, 2)),
}


def draw(shape: tuple[int, ...], seed: int = 0) -> jax.Array:
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape, np.float32))


def compilers_own(image, kernel, strides=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    borders = [(p, p) for p in padding]
    names = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(
        image, kernel, strides, borders, rhs_dilation=dilation, dimension_numbers=names, feature_group_count=groups
    )


def compilers_own_transposed(image, kernel, strides, padding, output_padding):
    borders = [(k - 1 - p, k - 1 - p + o) for k, p, o in zip(kernel.shape, padding, output_padding, strict=False)]
    return lax.conv_general_dilated(image, kernel, (1, 1), borders, lhs_dilation=strides, dimension_numbers=("NHWC", "HWIO", "NHWC"))


def spread_stamps(image, kernel, strides, padding, output_padding):
    """A transposed convolution as it is defined: every pixel is spread as a stamp, and the stamps are added up."""
    height, width = image.shape[1:3]
    size = [(m - 1) * s + k + e for m, s, k, e in zip((height, width), strides, kernel.shape, output_padding, strict=False)]
    stamps = np.einsum("nhwc,ijcf->nhwijf", image, kernel[::-1, ::-1])
    full = np.zeros((len(image), *size, kernel.shape[-1]))
    for i in range(height):
        for j in range(width):
            top, left = i * strides[0], j * strides[1]
            full[:, top : top + kernel.shape[0], left : left + kernel.shape[1]] += stamps[:, i, j]
    return full[:, padding[0] : size[0] - padding[0], padding[1] : size[1] - padding[1]]


def with_gradients(function, image, kernel):
    result, backward = jax.vjp(function, image, kernel)
    return result, *backward(draw(result.shape, 2))


def assert_same(ours, theirs, image, kernel):
    expected, result = (jax.jit(partial(with_gradients, f))(image, kernel) for f in (theirs, ours))
    chex.assert_trees_all_close(result, expected, atol=2e-4, rtol=2e-5)


@pytest.mark.parametrize("size", [(6, 7), (5, 8), (1, 2)])
@pytest.mark.parametrize(("side", "stride", "dilation"), [(3, 2, 1), (5, 2, 1), (4, 2, 1), (4, 1, 1), (3, 1, 2), (2, 3, 1)])
def test_same_padding_is_tensorflows(size, side, stride, dilation):
    image, kernel = draw((1, *size, 2)), draw((side, side, 2, 3), 1)
    expected = lax.conv_general_dilated(
        image, kernel, (stride, stride), "SAME", rhs_dilation=(dilation, dilation), dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    conv = Conv(3, side, stride, "same", dilation=dilation, use_bias=False)
    np.testing.assert_allclose(conv.apply({"params": {"kernel": kernel}}, image), expected, atol=1e-5)
    assert jax.eval_shape(conv.init, jax.random.key(0), image)["params"]["kernel"].shape == kernel.shape


@needs_parity
@pytest.mark.parametrize("name", [f"k{k}" for k in ("3s1p1d1g1", "4s2p1d1g1", "3s2p1d1g1", "3s1p2d2g1", "3s1p1d1g4", "1s1p0d1g1")])
def test_convolution_equals_torch(name):
    side, stride, padding, dilation, groups = (int(digit) for digit in name if digit.isdigit())
    kernel = GOLDEN.tensors[f"conv.{name}.weight"].transpose(2, 3, 1, 0)
    conv = Conv(kernel.shape[-1], side, stride, padding, dilation=dilation, groups=groups, use_bias=False)
    result = conv.apply({"params": {"kernel": kernel}}, GOLDEN.tensors["xo"].transpose(0, 2, 3, 1))
    np.testing.assert_allclose(result, GOLDEN.tensors[f"conv.{name}"].transpose(0, 2, 3, 1), atol=2e-5)


@needs_parity
@pytest.mark.parametrize("name", [f"k{k}" for k in ("4s2p1op0", "3s2p1op1", "2s2p0op0", "3s1p1op0", "4s1p0op0", "9s3p4op2", "5s2p2op1")])
def test_transposed_convolution_equals_torch(name):
    side, stride, padding, extra = (int(digit) for digit in name if digit.isdigit())
    kernel = GOLDEN.tensors[f"convT.{name}.weight"].transpose(2, 3, 0, 1)[::-1, ::-1]
    conv = ConvTranspose(kernel.shape[-1], side, stride, padding, extra)
    params = {"kernel_transposed": kernel, "bias": GOLDEN.tensors[f"convT.{name}.bias"]}
    result = conv.apply({"params": params}, GOLDEN.tensors["xo"].transpose(0, 2, 3, 1))
    np.testing.assert_allclose(result, GOLDEN.tensors[f"convT.{name}"].transpose(0, 2, 3, 1), atol=2e-5)


@pytest.mark.parametrize(("image", "kernel", "geometry"), CASES.values(), ids=CASES)
def test_every_form_and_its_gradients_equal_the_compilers_own(image, kernel, geometry):
    assert_same(partial(convolve, **geometry), partial(compilers_own, **geometry), draw(image), draw(kernel, 1))


@pytest.mark.parametrize(("kernel", "strides", "padding", "extra"), TRANSPOSED.values(), ids=TRANSPOSED)
def test_transposed_convolution_and_its_gradients_equal_the_compilers_own(kernel, strides, padding, extra):
    geometry = {"strides": strides, "padding": padding, "output_padding": extra}
    ours, theirs = partial(convolve_transposed, **geometry), partial(compilers_own_transposed, **geometry)
    assert_same(ours, theirs, draw((2, 3, 4, kernel[2])), draw(kernel, 1))


sides = st.integers(1, 4)


@hypothesis.settings(deadline=None, max_examples=15)
@hypothesis.given(st.data())
def test_any_convolution_equals_the_compilers_own(data):
    groups, inputs, outputs = data.draw(st.sampled_from([(1, 1, 5), (1, 3, 2), (2, 2, 1), (3, 1, 1), (9, 2, 1), (4, 1, 2)]))
    window, dilation, strides = (data.draw(st.tuples(sides, sides)) for _ in range(3))
    padding = data.draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))
    size = [data.draw(st.integers(max(1, d * (w - 1) + 1 - 2 * p), 14)) for w, d, p in zip(window, dilation, padding, strict=True)]
    image, kernel = draw((2, *size, groups * inputs)), draw((*window, inputs, groups * outputs), 1)
    geometry = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
    np.testing.assert_allclose(convolve(image, kernel, **geometry), compilers_own(image, kernel, **geometry), atol=5e-5)


@hypothesis.settings(deadline=None, max_examples=15)
@hypothesis.given(st.data())
def test_any_transposed_convolution_is_a_sum_of_stamps(data):
    window, strides, size = (data.draw(st.tuples(sides, sides)) for _ in range(3))
    padding = tuple(data.draw(st.integers(0, w // 2)) for w in window)
    extra = tuple(data.draw(st.integers(0, s - 1)) for s in strides)
    hypothesis.assume(all((n - 1) * s - 2 * p + k + e > 0 for n, s, p, k, e in zip(size, strides, padding, window, extra, strict=True)))
    image, kernel = draw((1, *size, 2)), draw((*window, 2, 3), 1)
    geometry = {"strides": strides, "padding": padding, "output_padding": extra}
    np.testing.assert_allclose(convolve_transposed(image, kernel, **geometry), spread_stamps(image, kernel, **geometry), atol=5e-5)


@pytest.mark.parametrize(
    ("window", "strides", "padding", "extra"),
    [
        ((3, 3), (2, 2), (1, 1), (1, 1)),
        ((5, 3), (2, 2), (2, 0), (0, 1)),
        ((5, 4), (3, 3), (1, 2), (2, 0)),
        ((7, 3), (4, 2), (3, 1), (0, 0)),
    ],
)
def test_wide_transposed_convolutions_phase_by_phase(window, strides, padding, extra):
    image, kernel = draw((2, 3, 5, 32)), draw((*window, 32, 32), 1)
    geometry = {"strides": strides, "padding": padding, "output_padding": extra}
    np.testing.assert_allclose(convolve_transposed(image, kernel, **geometry), spread_stamps(image, kernel, **geometry), atol=2e-4)


@pytest.mark.parametrize(("mode", "numpys"), {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}.items())
def test_padding_modes_by_scipy(mode, numpys):
    image, kernel = draw((7, 6)), draw((3, 5), 1)
    expected = scipy.signal.correlate2d(np.pad(image, ((1, 1), (2, 2)), numpys), kernel, "valid")
    conv = Conv(1, (3, 5), padding_mode=mode, use_bias=False)
    result = conv.apply({"params": {"kernel": kernel.reshape(3, 5, 1, 1)}}, image.reshape(1, 7, 6, 1))
    np.testing.assert_allclose(result[0, ..., 0], expected, atol=1e-5)


def test_transposed_by_hand():
    # Each pixel is spread as a 3x3 stamp, two steps apart; torch's padding then takes one pixel off each side.
    image, stamp = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32), np.arange(9, dtype=np.float32).reshape(3, 3)
    full = np.zeros((5, 5), np.float32)
    for i in range(2):
        for j in range(2):
            full[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += image[i, j] * stamp
    kernel = stamp[::-1, ::-1].reshape(3, 3, 1, 1)
    variables = {"params": {"kernel_transposed": kernel, "bias": np.ones(1, np.float32)}}
    result = ConvTranspose(1, 3, strides=2, padding=1).apply(variables, image.reshape(1, 2, 2, 1))
    np.testing.assert_allclose(result[0, ..., 0], full[1:-1, 1:-1] + 1.0)


def test_keeps_the_size_for_odd_windows():
    for window, dilation in ((1, 1), (3, 1), (5, 2), ((3, 7), 1)):
        conv = Conv(2, window, dilation=dilation)
        image = jnp.zeros((1, 4, 9, 3))
        chex.assert_shape(conv.apply(initialise(conv, jax.random.key(0), image), image), (1, 4, 9, 2))


class Transformations(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True)
    def test_jit_or_not(self):
        for image, kernel, geometry in (CASES["pointwise"], CASES["depthwise"], CASES["many groups"]):
            image, kernel = draw(image), draw(kernel, 1)
            result = self.variant(partial(convolve, **geometry))(image, kernel)
            chex.assert_trees_all_close(result, compilers_own(image, kernel, **geometry), atol=1e-5)

    def test_gradients_are_the_slopes_forward_and_reverse(self):
        check = partial(chex.assert_numerical_grads, order=1, modes=("fwd", "rev"), atol=2e-2, rtol=2e-2)
        for name in ("dense", "few features", "depthwise", "one channel"):
            image, kernel, geometry = CASES[name]
            small = draw((1, 3, 3, image[-1])), draw(kernel, 1)
            check(lambda x, k, g=geometry: convolve(jnp.asarray(x), jnp.asarray(k), **g), small)

        def enlarge(x, k):
            return convolve_transposed(jnp.asarray(x), jnp.asarray(k), strides=(2, 2), padding=(1, 1), output_padding=(1, 1))

        check(enlarge, (draw((1, 2, 2, 2)), draw((3, 3, 2, 2), 1)))

    def test_second_derivatives(self):
        for name in ("dense", "few features", "depthwise"):
            image, kernel, geometry = CASES[name]
            image, kernel = draw(image), draw(kernel, 1)

            def curvature(function, image=image, kernel=kernel, geometry=geometry):
                slope = jax.grad(lambda k: jnp.sum(jnp.sin(function(image, k, **geometry))))
                return jax.jvp(slope, (kernel,), (kernel,))[1]

            chex.assert_trees_all_close(
                jax.jit(curvature, static_argnums=0)(convolve), jax.jit(curvature, static_argnums=0)(compilers_own), atol=2e-3, rtol=2e-3
            )

    def test_vmap(self):
        for name in ("dense", "depthwise"):
            image, kernel, geometry = CASES[name]
            images, kernel = draw((3, *image)), draw(kernel, 1)
            ours, theirs = (
                jax.jit(jax.vmap(jax.grad(lambda k, x, f=f, g=geometry: jnp.sum(f(x, k, **g) ** 2)), (None, 0)))(kernel, images)
                for f in (convolve, compilers_own)
            )
            chex.assert_trees_all_close(ours, theirs, atol=1e-3, rtol=1e-4)

    def test_shard_map_and_pmap(self):
        if jax.local_device_count() < 2:
            self.skipTest("needs two devices")
        mesh = jax.make_mesh((2,), ("data",), axis_types=(AxisType.Auto,), devices=jax.devices()[:2])
        for name in ("dense", "pointwise", "depthwise"):
            image, kernel, geometry = CASES[name]
            image, kernel = draw(image), draw(kernel, 1)
            slope = jax.grad(lambda k, x, f, g=geometry: jnp.sum(f(x, k, **g) ** 2))
            expected = slope(kernel, image, compilers_own)
            split = PartitionSpec("data")
            sharded = jax.shard_map(
                lambda k, x, s=slope: s(k, x, convolve), mesh=mesh, in_specs=(PartitionSpec(), split), out_specs=PartitionSpec()
            )
            chex.assert_trees_all_close(jax.jit(sharded)(kernel, image), expected, atol=1e-4)
            mapped = jax.pmap(lambda x, k=kernel, s=slope: s(k, x, convolve), devices=jax.devices()[:2])
            chex.assert_trees_all_close(mapped(image[:, None]).sum(0), expected, atol=1e-4)

    def test_bfloat16(self):
        for image, kernel, geometry in (CASES["dense"], CASES["pointwise"], CASES["depthwise"], CASES["grouped"]):
            image, kernel = draw(image), draw(kernel, 1)
            half = convolve(image.astype(jnp.bfloat16), kernel.astype(jnp.bfloat16), **geometry)
            assert half.dtype == jnp.bfloat16
            chex.assert_trees_all_close(half.astype(jnp.float32), compilers_own(image, kernel, **geometry), atol=0.15)
        conv = Conv(3, dtype=jnp.bfloat16)
        variables = initialise(conv, jax.random.key(0), image)
        assert conv.apply(variables, image).dtype == jnp.bfloat16
        assert variables["params"]["kernel"].dtype == jnp.float32

    def test_float64(self):
        with jax.enable_x64(True):
            image, kernel, geometry = CASES["depthwise"]
            image, kernel = draw(image).astype(jnp.float64), draw(kernel, 1).astype(jnp.float64)
            result = convolve(image, kernel, **geometry)
            assert result.dtype == jnp.float64
            chex.assert_trees_all_close(result, compilers_own(image, kernel, **geometry), atol=1e-13)


def lowered_for(platforms: list[str], function, *arguments) -> str:
    return jax.export.export(jax.jit(function), platforms=platforms)(*arguments).mlir_module()


@pytest.mark.parametrize("name", ["pointwise", "depthwise", "many groups"])
def test_each_platform_gets_its_own_form(name):
    image, kernel, geometry = CASES[name]
    image, kernel = draw(image), draw(kernel, 1)
    both = lowered_for(["cpu", "cuda"], partial(convolve, **geometry), image, kernel)
    for platform in ("cuda", "tpu"):
        text = lowered_for([platform], partial(convolve, **geometry), image, kernel)
        assert text.count("stablehlo.convolution") == 1
        assert text.count(f"feature_group_count = {geometry.get('groups', 1)} ") == 1
    cpu = lowered_for(["cpu"], partial(convolve, **geometry), image, kernel)
    assert cpu.count("stablehlo.convolution") == {"pointwise": 0, "depthwise": 0, "many groups": 6}[name]
    assert "stablehlo.case" in both


def test_gradients_inside_a_loop_are_canonical_convolutions():
    # In a loop the CPU has a fast routine for this order of the axes only: another one takes 20 times as long.
    kernels = draw((3, 3, 3, 4, 4), 1)

    def loss(kernels, image):
        return jnp.sum(lax.scan(lambda x, k: (convolve(x, k, padding=(1, 1)), None), image, kernels)[0])

    text = lowered_for(["cpu"], jax.grad(loss, (0, 1)), kernels, draw((2, 5, 5, 4)))
    assert text.count("stablehlo.convolution") == 3  # the value, and the gradients for image and kernel
    assert text.count(CANONICAL) == 3
