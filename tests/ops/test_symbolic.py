"""Operations traced for sizes that are not known yet give what they give for numbers."""

import jax
import numpy as np
import pytest
from jax import export

from jaxrestore.errors import InputError
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.local_mean import local_mean
from jaxrestore.ops.padding import crop, pad, pad_to_multiple
from jaxrestore.ops.resize import imresize
from jaxrestore.ops.symbolic import is_symbolic, larger, next_multiple, smaller
from jaxrestore.ops.windows import cyclic_shift, merge_windows, partition_windows, shift_mask

SIZES = ((1, 2), (7, 12))


def padded(x):
    return [
        *(pad(x, (2, 1), (3, 9), mode) for mode in ("reflect", "symmetric", "edge", "wrap", "zeros")),
        pad_to_multiple(x, 4),
        crop(pad_to_multiple(x, 4, "edge"), x.shape[1:3]),
    ]


def interpolated(x):
    height, width = x.shape[1:3]
    return [
        interpolate(x, 2),
        interpolate(x, 3, method="bicubic"),
        interpolate(x, 2, align_corners=True),
        interpolate(x, 4, antialias=True),
        interpolate(x, 2, method="nearest"),
        interpolate(x, size=(2 * height + 1, 3 * width), method="bicubic"),
        interpolate(x, size=(-(-height // 2), width + 5)),
        interpolate(x, size=(2 * height, width + 1), method="nearest", align_corners=True),
        interpolate(x, 0.5, method="area"),
        imresize(x, 3),
        imresize(x, 2, kernel="lanczos3"),
    ]


def windowed(x):
    y = pad_to_multiple(x, 4, "zeros")
    windows = partition_windows(cyclic_shift(y, 2), 4)
    masked = windows.reshape(*windows.shape[:2], 16, -1) * shift_mask(*y.shape[1:3], 4, 2).sum(-1)[None, :, :, None]
    return [merge_windows(masked.reshape(windows.shape), y.shape[1:3]), local_mean(x, (5, 4)), local_mean(x, (2, 30))]


def convolved(x):
    kernel = np.arange(2 * 9 * 4, dtype=np.float32).reshape(3, 3, 2, 4) / 50
    layers = (Conv(4, strides=2, padding="same"), Conv(4, padding_mode="reflect"), Conv(4, padding=2, padding_mode="circular"))
    results = [layer.apply({"params": {"kernel": kernel, "bias": np.ones(4, np.float32)}}, x) for layer in layers]
    up = ConvTranspose(4, strides=2, padding=1, output_padding=1)
    return [*results, up.apply({"params": {"kernel_transposed": kernel, "bias": np.ones(4, np.float32)}}, x)]


@pytest.mark.parametrize("function", [padded, interpolated, windowed, convolved])
def test_a_program_for_all_sizes_gives_what_the_operation_gives(function):
    n, h, w = export.symbolic_shape("n, h, w")
    program = export.export(jax.jit(function))(jax.ShapeDtypeStruct((n, h, w, 2), np.float32))
    for height, width in SIZES:
        x = np.random.default_rng(height).random((2, height, width, 2), np.float32)
        for found, expected in zip(jax.jit(program.call)(x), jax.jit(function)(x), strict=True):
            np.testing.assert_allclose(found, expected, atol=2e-6)


def test_sizes_are_compared_without_knowing_them():
    (h,) = export.symbolic_shape("h")
    assert is_symbolic(3, h)
    assert not is_symbolic(3, np.int64(4))
    assert (smaller(3, 4), larger(3, 4), next_multiple(9, 4), next_multiple(8, 4)) == (3, 4, 12, 8)
    assert str(smaller(h, 4)) == "min(h, 4)"
    assert next_multiple(h, 4) % 4 == 0


def test_what_needs_known_sizes_says_so():
    (h,) = export.symbolic_shape("h")
    image = jax.ShapeDtypeStruct((h, 8, 1), np.float32)
    with pytest.raises(InputError, match="shrinking without aliasing needs sizes that are known"):
        jax.eval_shape(lambda x: interpolate(x, 0.5, antialias=True), image)
    with pytest.raises(InputError, match="enlarged by whole numbers"):
        jax.eval_shape(lambda x: imresize(x, 0.5), image)
