"""A convolution of whole numbers of eight bits, summed in 32.

An image x is stood for by whole numbers q with x = step * (q - zero); zero stands for 0, so that padding is exact. A kernel has a step for
each output channel and no zero point. The sums of products of whole numbers are exact.

This is an operation of its own to JAX, so that whoever walks through a traced program (the ONNX export) meets one operation with its
parameters, not the ten that compute it.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import core, lax
from jax.extend.core import Primitive
from jax.interpreters import mlir

from jaxrestore.nn.conv import convolve
from jaxrestore.nn.conv_forms import Sides

LEAST, MOST = -128, 127


class Levels(NamedTuple):
    """What the 256 whole numbers stand for.

    Attributes:
      step: between two of them.
      zero: the whole number that stands for 0.
    """

    step: float
    zero: int


def levels(low: float, high: float) -> Levels:
    """256 levels from the lowest to the highest number, 0 among them."""
    low, high = min(low, 0.0), max(high, 0.0)
    step = max((high - low) / (MOST - LEAST), 1e-12)
    return Levels(step, int(np.clip(round(LEAST - low / step), LEAST, MOST)))


def int8_convolution(
    image: jax.Array,
    kernel: jax.Array,
    steps: jax.Array,
    bias: jax.Array,
    *,
    given: Levels,
    result: tuple[float, float],
    strides: tuple[int, int] = (1, 1),
    padding: Sides = ((0, 0), (0, 0)),
    dilation: tuple[int, int] = (1, 1),
) -> jax.Array:
    """Convolve an image that is rounded to 256 levels first.

    Args:
      image: (N, H, W, C), floating point.
      kernel: (height, width, C, out), int8.
      steps: (out,): what 1 in the kernel stands for.
      bias: (out,).
      given: the image's levels.
      result: lowest and highest number of the result; nothing is cut off here, but a format whose results are whole numbers again needs it.
      strides: step between windows.
      padding: zeros added ((above, below), (left, right)).
      dilation: step between the taps of a window.

    Returns:
      (N, H', W', out), in float32.
    """
    options = dict(given=given, result=tuple(result), strides=tuple(strides), padding=padding, dilation=tuple(dilation))
    return int8_convolution_p.bind(image, kernel, steps, bias, **options)


def integer_sums(whole: jax.Array, kernel: jax.Array, *, zero: int, strides: tuple, padding: Sides, dilation: tuple) -> jax.Array:
    """The sums over (whole - zero) * kernel, in float32 of exact sums of int32: for GPU and TPU, which have units for this."""
    config = ((0, 0, 0), *((*side, 0) for side in padding), (0, 0, 0))
    padded = lax.pad(whole.astype(jnp.int8), jnp.int8(zero), config)
    names = ("NHWC", "HWIO", "NHWC")
    options = dict(rhs_dilation=dilation, dimension_numbers=names, preferred_element_type=jnp.int32)
    sums = lax.conv_general_dilated(padded, kernel, strides, "VALID", **options).astype(jnp.float32)
    return sums - (zero * kernel.astype(jnp.int32).sum((0, 1, 2), keepdims=True)).astype(jnp.float32)


def float_sums(whole: jax.Array, kernel: jax.Array, *, zero: int, strides: tuple, padding: Sides, dilation: tuple) -> jax.Array:
    """The same sums by products of float32, exact up to 2^24: for the CPU, where XLA's convolutions of whole numbers are hardly faster."""
    return convolve(whole - zero, kernel.astype(jnp.float32), strides=strides, padding=padding, dilation=dilation)


def _compute(image: jax.Array, kernel: jax.Array, steps: jax.Array, bias: jax.Array, *, given: Levels, result: Any, **window: Any):
    whole = jnp.clip(jnp.round(image.astype(jnp.float32) / given.step) + given.zero, LEAST, MOST)
    forms = (partial(form, zero=given.zero, **window) for form in (float_sums, integer_sums))
    sums = lax.platform_dependent(whole, kernel, **dict(zip(("cpu", "default"), forms, strict=True)))
    return sums * (given.step * steps)[None, None, None] + bias[None, None, None]


def _shape(image: Any, kernel: Any, steps: Any, bias: Any, *, strides: tuple, padding: Sides, dilation: tuple, **_: Any):
    sides = zip(image.shape[1:3], kernel.shape[:2], strides, padding, dilation, strict=True)
    height, width = ((side + sum(p) - d * (k - 1) - 1) // s + 1 for side, k, s, p, d in sides)
    return core.ShapedArray((image.shape[0], height, width, kernel.shape[-1]), jnp.float32)


int8_convolution_p = Primitive("int8_convolution")
int8_convolution_p.def_impl(jax.jit(_compute, static_argnames=("given", "result", "strides", "padding", "dilation")))
int8_convolution_p.def_abstract_eval(_shape)
mlir.register_lowering(int8_convolution_p, mlir.lower_fun(_compute, multiple_results=False))
