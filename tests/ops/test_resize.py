"""`imresize` against MATLAB's numbers, Pillow's kernels and hand arithmetic."""

import math

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image as Pillow

from jaxrestore.errors import InputError
from jaxrestore.ops.resize import KERNELS, imresize, resize_taps
from tests.parity.golden import Golden, goldens

SCALES = {"div2": 1 / 2, "div3": 1 / 3, "div4": 1 / 4, "x2": 2, "x3": 3, "x4": 4}


@pytest.mark.parametrize("golden", goldens("ops/imresize_matlab-*"), ids=str)
@pytest.mark.parametrize("factor", SCALES)
def test_equals_matlab(golden: Golden, factor: str):
    parity = str(golden).split("-")[-1]
    image = golden.tensors[f"in.{parity}"]
    reference = golden.tensors[f"out64.{parity}.{factor}"]
    # The reference keeps pixel positions in float32 even in its double form; 1/3 is the one factor here that this rounds.
    position_noise = 1e-6 if factor == "x3" else 0.0
    ours = imresize(image.astype(np.float32), SCALES[factor])
    np.testing.assert_allclose(ours, golden.tensors[f"out32.{parity}.{factor}"], atol=4e-7 + position_noise, rtol=0)
    with jax.enable_x64(True):
        exact = imresize(image, SCALES[factor])
        assert exact.dtype == jnp.float64
        np.testing.assert_allclose(exact, reference, atol=1e-12 + position_noise, rtol=0)


@pytest.mark.parametrize("golden", goldens("ops/imresize_matlab-*"), ids=str)
def test_every_stored_tensor_is_used(golden: Golden):
    parity = str(golden).split("-")[-1]
    assert set(golden.tensors) == {f"in.{parity}", *(f"out{bits}.{parity}.{factor}" for bits in (32, 64) for factor in SCALES)}


def test_cubic_reproduces_a_parabola():
    def parabola(position):
        return 0.3 + 0.02 * position - 0.001 * position**2

    with jax.enable_x64(True):
        enlarged = imresize(parabola(np.arange(20.0)).reshape(1, 20, 1), 3)[0, :, 0]
    inside = slice(9, 51)  # Keys, section III: exact for second-order polynomials, where no mirror is in reach
    np.testing.assert_allclose(enlarged[inside], parabola((np.arange(60) + 0.5) / 3 - 0.5)[inside], atol=1e-14)


@pytest.mark.parametrize("size", [(20, 14), (11, 17), (64, 96)])
@pytest.mark.parametrize(("kernel", "filter_"), [("cubic", "BICUBIC"), ("linear", "BILINEAR"), ("box", "BOX"), ("lanczos3", "LANCZOS")])
def test_kernels_equal_pillow_away_from_the_border(kernel: str, filter_: str, size: tuple[int, int]):
    image = np.random.default_rng(0).random((40, 56)).astype(np.float32)
    theirs = np.asarray(Pillow.fromarray(image).resize(size[::-1], getattr(Pillow.Resampling, filter_)))
    ours = imresize(image[..., None], size=size, kernel=kernel)[..., 0]
    # Pillow leaves out what lies beyond the border instead of mirroring it: the kernel's half width, in output pixels.
    top, left = (math.ceil(max(1.0, out / n) * KERNELS[kernel][1] / 2 + 0.5) for out, n in zip(size, image.shape, strict=True))
    inside = np.s_[top : size[0] - top, left : size[1] - left]
    assert theirs[inside].size > 0
    np.testing.assert_allclose(ours[inside], theirs[inside], atol=2e-6)


def test_lanczos2_by_hand():
    taps = resize_taps(8, 16, 2.0, "lanczos2")

    def lanczos(x):
        return math.sin(math.pi * x) * math.sin(math.pi * x / 2) / (math.pi**2 * x**2 / 2)

    expected = np.array([lanczos(x) for x in (1.75, 0.75, 0.25, 1.25)])  # output pixel 8 lies at 3.75, between pixels 2, 3, 4, 5
    np.testing.assert_array_equal(taps.matrix(8)[8].nonzero()[0], [2, 3, 4, 5])
    np.testing.assert_allclose(taps.matrix(8)[8, 2:6], expected / expected.sum(), rtol=1e-12)


def test_nearest_and_the_mirror_by_hand():
    row = jnp.asarray([1.0, 2.0, 3.0, 4.0]).reshape(1, 4, 1)
    np.testing.assert_array_equal(imresize(row, size=(1, 2), kernel="nearest").ravel(), [2.0, 4.0])
    np.testing.assert_array_equal(imresize(row, size=(1, 8), kernel="nearest").ravel(), np.repeat([1.0, 2.0, 3.0, 4.0], 2))
    # The first of eight lies at -0.25: three quarters of pixel 0 and a quarter of its own mirror image.
    np.testing.assert_allclose(imresize(row, size=(1, 8), kernel="linear").ravel()[:3], [1.0, 1.25, 1.75])
    np.testing.assert_allclose(imresize(row, size=(1, 2), kernel="box").ravel(), [1.5, 3.5])
    np.testing.assert_allclose(imresize(row, size=(1, 2), kernel="linear", antialias=False).ravel(), [1.5, 3.5])


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_constant_stays_and_one_pixel_is_an_image(kernel: str):
    for shape, size in (((1, 1, 3), (5, 4)), ((9, 7, 1), (2, 1)), ((2, 3, 5, 1), (3, 50))):
        resized = imresize(jnp.full(shape, 0.3), size=size, kernel=kernel)
        chex.assert_shape(resized, (*shape[:-3], *size, shape[-1]))
        np.testing.assert_allclose(resized, 0.3, rtol=1e-6)


def test_size_from_scale():
    for length, scale, expected in (
        (23, 1 / 4, 6),
        (24, 1 / 3, 8),
        (7, 1 / 2, 4),
        (30, 0.1, 3),
        (49, 1 / 49, 1),
        (10, 1.5, 15),
        (3, 1.1, 4),
    ):
        assert imresize(jnp.zeros((length, 1, 1)), scale).shape[0] == expected


class Transformations(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True)
    def test_batch_equals_single(self):
        images = jax.random.uniform(jax.random.key(0), (2, 2, 9, 12, 3))
        together = self.variant(lambda x: imresize(x, 1 / 3))(images)
        np.testing.assert_allclose(together[1, 0], imresize(images[1, 0], 1 / 3), atol=1e-6)
        np.testing.assert_allclose(jax.vmap(jax.vmap(lambda x: imresize(x, 1 / 3)))(images), together, atol=1e-6)

    def test_derivatives_are_those_of_the_linear_map(self):
        image = jax.random.uniform(jax.random.key(0), (8, 6, 1))
        chex.assert_numerical_grads(lambda x: jnp.sum(jnp.sin(imresize(x, 1 / 2))), (image,), order=2, rtol=0.02, atol=0.02)
        _, pushed = jax.jvp(lambda x: imresize(x, size=(3, 11)), (image,), (image,))
        np.testing.assert_allclose(pushed, imresize(image, size=(3, 11)), atol=1e-6)
        jax.vmap(jax.grad(lambda x: jnp.sum(imresize(x, 2))))(image[None])

    def test_half_precision_is_computed_in_single(self):
        image = jax.random.uniform(jax.random.key(0), (16, 16, 3), jnp.bfloat16)
        half = imresize(image, 1 / 4)
        assert half.dtype == jnp.bfloat16
        chex.assert_trees_all_equal(half, imresize(image.astype(jnp.float32), 1 / 4).astype(jnp.bfloat16))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either scale or size"),
        ({"scale": 2.0, "size": (4, 4)}, "either scale or size"),
        ({"scale": -0.5}, "scale is -0.5"),
        ({"scale": math.nan}, "scale is nan"),
        ({"size": (0, 4)}, r"size is \(0, 4\)"),
        ({"scale": 2.0, "kernel": "bicubic"}, "kernel is 'bicubic': it must be one of cubic, linear"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(InputError, match=message):
        imresize(jnp.zeros((4, 4, 1)), **arguments)
