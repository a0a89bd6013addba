"""Interpolation with torch's conventions (`torch.nn.functional.interpolate`), with which the networks of the PyTorch era were trained.

It differs from MATLAB's resizing (`ops.resize`): the border pixel is repeated and not mirrored, the cubic kernel has a = -0.75, shrinking
is not antialiased unless it is asked for, and pixel centres lie at half-integers only with `align_corners=False`. A size that follows from
a scale keeps that scale in the coordinates, even where the size was rounded down.
"""

import math
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.ops.symbolic import is_symbolic, larger
from jaxrestore.typing import Image, Side

METHODS = ("nearest", "bilinear", "bicubic", "area")


def interpolate(
    image: Image,
    scale: float | int | None = None,
    size: tuple[Side, Side] | None = None,
    method: str = "bilinear",
    align_corners: bool = False,
    antialias: bool = False,
) -> Image:
    """Enlarge or shrink, side by side.

    Args:
      image: (..., H, W, C), any range.
      scale: factor for both sides, > 0; the result has floor(scale * H) rows and floor(scale * W) columns, at least 1 of each.
      size: (height, width) of the result instead; each side then has a factor of its own.
      method: "nearest", "bilinear", "bicubic" (a = -0.75; overshoots the range) or "area" (the mean of the pixels that are covered).
      align_corners: except for "area": the centres of the corner pixels stay where they are, instead of the image's outer edges. Only
        "nearest" then takes the pixel whose centre is nearest, as TensorFlow does; torch does not have it.
      antialias: for "bilinear" and "bicubic": widen the kernel when shrinking, and take a = -0.5, as Pillow does.

    Returns:
      (..., H', W', C) in the image's dtype. Reverse-mode derivatives of every order exist; they are sums of gathered rows too, so that
      a training step stays deterministic where a scatter would not be.

    Raises:
      InputError: not exactly one of scale and size, one not positive, an unknown method, or an option that the method does not have.

    Reference: Keys, "Cubic Convolution Interpolation for Digital Image Processing", TASSP 1981; PyTorch, `torch.nn.functional.interpolate`.
    """
    if (scale is None) == (size is None):
        raise InputError(f"interpolate takes either scale or size, not {'neither' if size is None else 'both'}")
    if scale is not None and not (math.isfinite(scale) and scale > 0):
        raise InputError(f"scale is {scale}: it must be a positive number")
    if size is not None and not is_symbolic(*size) and min(size) < 1:
        raise InputError(f"size is {size}: both sides must be at least 1")
    if method not in METHODS:
        raise InputError(f"method is {method!r}: it must be one of {', '.join(METHODS)}")
    if (align_corners and method == "area") or (antialias and method in ("nearest", "area")):
        raise InputError(f"{'antialias' if antialias else 'align_corners'} does not belong to interpolation by {method!r}")
    if align_corners and antialias:
        raise InputError("align_corners and antialias exclude each other: choose one")
    result = jnp.asarray(image, jnp.promote_types(image.dtype, jnp.float32))
    for i, axis in enumerate((image.ndim - 3, image.ndim - 2)):
        length = image.shape[axis]
        if is_symbolic(length, *(size or ())):
            result = _gathered(result, axis, _symbolic_taps(length, size[i] if size else None, scale, method, align_corners, antialias))
            continue
        wanted = size[i] if size else max(math.floor(length * scale), 1)
        taps = interpolation_taps(length, wanted, scale, method, align_corners, antialias)
        result = resample(result, axis, taps)
    return result.astype(image.dtype)


class Taps(NamedTuple):
    """One side's interpolation: output pixel i is the sum over t of weights[i, t] * input[indices[i, t]]."""

    weights: np.ndarray | jax.Array
    indices: np.ndarray | jax.Array

    def transposed(self, length: int) -> "Taps":
        """The taps of the transposed map, from outputs back to `length` inputs."""
        row, tap = np.nonzero(self.weights)
        source = self.indices[row, tap]
        order = np.argsort(source, kind="stable")
        row, tap, source = row[order], tap[order], source[order]
        counts = np.bincount(source, minlength=length)
        slot = np.arange(source.size) - (np.cumsum(counts) - counts)[source]
        weights, indices = np.zeros((length, counts.max())), np.zeros((length, counts.max()), int)
        weights[source, slot], indices[source, slot] = self.weights[row, tap], row
        return Taps(weights, indices)


def interpolation_taps(
    length: int, wanted: int, scale: float | int | None, method: str, align_corners: bool = False, antialias: bool = False
) -> Taps:
    """Weights and positions that take `length` pixels to `wanted`, in float64, at trace time.

    Args:
      length: pixels of the input's side.
      wanted: pixels of the output's side.
      scale: the factor; None is wanted / length.
      method: as for `interpolate`.
      align_corners: as for `interpolate`.
      antialias: as for `interpolate`.
    """
    step = length / wanted if scale is None else 1.0 / scale
    place = np.arange(wanted)
    if method == "area":
        # Sizes alone count here, as in adaptive pooling: the outer edges of the two images coincide.
        return _mean(place * length // wanted, -((place + 1) * -length // wanted))
    if method == "nearest" and align_corners:
        # In float32, halves away from zero: TensorFlow's arithmetic decides what is nearest where two pixels are equally far.
        step = np.float32(length - 1) / np.float32(max(wanted - 1, 1))
        source = np.floor(place.astype(np.float32) * step + np.float32(0.5)).astype(int)
        return Taps(np.ones((wanted, 1)), np.minimum(source, length - 1)[:, None])
    if method == "nearest":
        # Integers stay exact where the factor is a ratio of sizes; a product with a rounded 1/3 would not.
        source = place * length // wanted if scale is None else np.floor(place * step + 1e-9).astype(int)
        return Taps(np.ones((wanted, 1)), np.minimum(source, length - 1)[:, None])
    if antialias:
        return _antialiased(length, wanted, step, method)
    centre = place * (length - 1) / max(wanted - 1, 1) if align_corners else (place + 0.5) * step - 0.5
    first = np.floor(centre).astype(int)
    reach = np.arange(0, 2) if method == "bilinear" else np.arange(-1, 3)
    positions = first[:, None] + reach
    distance = centre[:, None] - positions
    weights = _triangle(distance) if method == "bilinear" else _cubic(distance, -0.75)
    return Taps(weights, np.clip(positions, 0, length - 1))


def resample(image: Image, axis: int, taps: Taps) -> jax.Array:
    """Apply taps along one axis: a sum of gathered rows, whose derivative is a sum of gathered rows of the transposed taps."""

    @jax.custom_vjp
    def gather(x: jax.Array) -> jax.Array:
        return _gathered(x, axis, taps)

    def backward(_: None, gradient: Image) -> tuple[jax.Array]:
        return (resample(gradient, axis, taps.transposed(image.shape[axis])),)

    gather.defvjp(lambda x: (gather(x), None), backward)
    return gather(jnp.asarray(image))


def _gathered(image: jax.Array, axis: int, taps: Taps) -> jax.Array:
    shape = [1] * image.ndim
    shape[axis] = -1
    columns = zip(taps.weights.T.astype(image.dtype), taps.indices.T, strict=True)
    return sum(weight.reshape(shape) * jnp.take(image, index, axis, mode="clip") for weight, index in columns)


def _symbolic_taps(length: Side, wanted: Side | None, scale: float | int | None, method: str, align_corners: bool, antialias: bool) -> Taps:
    """The same taps for sizes that are not known yet, computed by the program. Places are ratios of whole numbers, so that none is off.

    Raises:
      InputError: means over areas of unknown size.
    """
    p, q = Fraction(scale or 1).limit_denominator(1000).as_integer_ratio()
    if wanted is None:
        wanted = length * p if q == 1 else larger(length * p // q, 1)
    place, n, m = jnp.arange(wanted), jnp.asarray(length), jnp.asarray(wanted)
    if method == "area":
        if scale is None:
            raise InputError("means over areas need a scale where sizes are not known")
        first, end = place * n // m, -((place + 1) * -n // m)
        positions = first[:, None] + jnp.arange(2 * -(-q // p))[None]
        inside = positions < end[:, None]
        return Taps(inside / (end - first)[:, None], jnp.where(inside, positions, first[:, None]))
    if method == "nearest" and align_corners:
        step = (n - 1).astype(jnp.float32) / jnp.maximum(m - 1, 1)
        source = jnp.floor(place.astype(jnp.float32) * step + 0.5).astype(int)
        return Taps(jnp.ones((wanted, 1)), jnp.minimum(source, n - 1)[:, None])
    if method == "nearest":
        source = place * n // m if scale is None else place * q // p
        return Taps(jnp.ones((wanted, 1)), jnp.minimum(source, n - 1)[:, None])
    if align_corners:
        above, below = place * (n - 1), jnp.maximum(m - 1, 1)
    elif scale is None:
        above, below = (2 * place + 1) * n - m, 2 * m
    else:
        above, below = (2 * place + 1) * q - p, 2 * p
    if antialias and (scale is None or scale < 1):
        raise InputError("shrinking without aliasing needs sizes that are known")
    reach = np.arange(0, 2)[None] if method == "bilinear" else np.arange(-1, 3)[None]
    first = above // below
    positions = first[:, None] + reach
    distance = ((above - first * below) / below).astype(jnp.float32)[:, None] - reach.astype(np.float32)
    weights = _triangle(distance) if method == "bilinear" else _cubic(distance, -0.5 if antialias else -0.75)
    if antialias:  # here pixels beyond the border count nothing, instead of being repeated
        weights = weights * ((positions >= 0) & (positions < n))
        weights = weights / weights.sum(1, keepdims=True)
    return Taps(weights, jnp.clip(positions, 0, n - 1))


def _antialiased(length: int, wanted: int, step: float, method: str) -> Taps:
    stretch = max(step, 1.0)
    radius = (1.0 if method == "bilinear" else 2.0) * stretch
    centre = (np.arange(wanted) + 0.5) * step
    first = np.maximum(np.floor(centre - radius + 0.5).astype(int), 0)
    end = np.minimum(np.floor(centre + radius + 0.5).astype(int), length)
    positions = first[:, None] + np.arange((end - first).max())
    kernel = _triangle if method == "bilinear" else partial(_cubic, a=-0.5)
    weights = np.where(positions < end[:, None], kernel((positions + 0.5 - centre[:, None]) / stretch), 0.0)
    return Taps(weights / weights.sum(1, keepdims=True), np.minimum(positions, length - 1))


def _mean(first: np.ndarray, end: np.ndarray) -> Taps:
    positions = first[:, None] + np.arange((end - first).max())
    inside = positions < end[:, None]
    return Taps(inside / inside.sum(1, keepdims=True), np.where(inside, positions, first[:, None]))


def _triangle(x: Any) -> Any:
    x = abs(x)
    return (1.0 - x) * (x < 1)


def _cubic(x: Any, a: float) -> Any:
    x = abs(x)
    near, far = (a + 2.0) * x**3 - (a + 3.0) * x**2 + 1.0, a * (x**3 - 5.0 * x**2 + 8.0 * x - 4.0)
    return near * (x <= 1) + far * ((x > 1) & (x < 2))
