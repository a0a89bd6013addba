"""Blur kernels (point spread functions): square, of odd size, centred, summing to one.

The size is compiled in, everything else may be traced, so that a training step draws a kernel for each image (`jax.vmap`). Lengths are in
pixels. Angles are in degrees, counter-clockwise from the horizontal axis as the picture is seen. Kernels are given in JAX's default
floating point type: float32, or float64 where that is enabled. A kernel that does not fit into its size is cut off and normalised again.
"""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.ops.checks import Numbers, check_range

Kernel = Float[Array | np.ndarray, "size size"]

# A Gaussian this narrow is one pixel in every precision; it keeps 0 from being divided by.
_NARROW = 1e-3


def gaussian_kernel(size: int, sigma: Numbers) -> Kernel:
    """An isotropic Gaussian, sampled at the pixels' centres.

    Args:
      size: height and width, odd.
      sigma: standard deviation, >= 0; 0 leaves one pixel.

    Raises:
      InputError: size is not odd and positive, or sigma is negative.
    """
    return anisotropic_gaussian_kernel(size, sigma, sigma, 0.0)


def anisotropic_gaussian_kernel(size: int, sigma_long: Numbers, sigma_short: Numbers, angle: Numbers) -> Kernel:
    """A Gaussian whose widths along two perpendicular axes differ.

    Args:
      size: height and width, odd.
      sigma_long: standard deviation along the axis of `angle`, >= 0; nothing keeps it from being the smaller one.
      sigma_short: standard deviation across it, >= 0.
      angle: direction of the first axis.

    Raises:
      InputError: size is not odd and positive, or a sigma is negative.

    Reference: Zhang et al., "Designing a Practical Degradation Model for Deep Blind Image Super-Resolution", ICCV 2021, section 3.1.
    """
    check_size(size)
    check_range("sigma", sigma_long, low=0.0)
    check_range("sigma", sigma_short, low=0.0)
    return _gaussian(size, sigma_long, sigma_short, angle)


def generalised_gaussian_kernel(size: int, sigma_long: Numbers, sigma_short: Numbers, angle: Numbers, shape: Numbers) -> Kernel:
    """exp(-q ** shape / 2), where q is the squared distance in units of sigma: peaked and heavy-tailed below 1, flat above.

    Args:
      size: height and width, odd.
      sigma_long: scale along the axis of `angle`, > 0.
      sigma_short: scale across it, > 0.
      angle: direction of the first axis.
      shape: exponent (the paper's beta), > 0; 1 is the Gaussian.

    Raises:
      InputError: size is not odd and positive, or a sigma or the shape is not positive.

    Reference: Wang et al., "Real-ESRGAN", ICCV Workshops 2021, section 3.1; Liu et al., "Estimating Generalized Gaussian Blur Kernels for
      Out-of-Focus Image Deblurring", 2020.
    """
    check_size(size)
    _check_shape(sigma_long, sigma_short, shape)
    return _generalised(size, sigma_long, sigma_short, angle, shape)


def plateau_kernel(size: int, sigma_long: Numbers, sigma_short: Numbers, angle: Numbers, shape: Numbers) -> Kernel:
    """1 / (1 + q ** shape), where q is the squared distance in units of sigma: a flat top with tails.

    Args:
      size: height and width, odd.
      sigma_long: distance along the axis of `angle` at which half the height is reached, > 0.
      sigma_short: the same across it, > 0.
      angle: direction of the first axis.
      shape: exponent (the paper's beta), > 0.

    Raises:
      InputError: size is not odd and positive, or a sigma or the shape is not positive.

    Reference: Wang et al., "Real-ESRGAN", ICCV Workshops 2021, section 3.1.
    """
    check_size(size)
    _check_shape(sigma_long, sigma_short, shape)
    return _plateau(size, sigma_long, sigma_short, angle, shape)


def sinc_kernel(size: int, cutoff: Numbers) -> Kernel:
    """The ideal circular low-pass filter, which rings: cutoff * J1(cutoff * r) / (2 pi r).

    Args:
      size: height and width, odd.
      cutoff: radius of the frequencies that pass, in radians for each pixel, > 0 and at most pi; pi / 3 is strong, pi hardly any.

    Raises:
      InputError: size is not odd and positive, or the cutoff is outside its range.

    Reference: Wang et al., "Real-ESRGAN", ICCV Workshops 2021, section 3.3, equation 6.
    """
    check_size(size)
    check_range("cutoff", cutoff, low=0.0, high=math.pi, open_low=True)
    return _sinc(size, cutoff)


def box_kernel(size: int, width: Numbers) -> Kernel:
    """A square of uniform weight; pixels that it covers in part weigh as much as is covered.

    Args:
      size: height and width of the kernel, odd.
      width: side of the square, >= 0; up to 1 leaves one pixel.

    Raises:
      InputError: size is not odd and positive, or the width is negative.
    """
    check_size(size)
    check_range("width", width, low=0.0)
    return _box(size, width)


def disk_kernel(size: int, radius: Numbers) -> Kernel:
    """A disk of uniform weight, the blur of a lens out of focus; every pixel weighs as the exact area that the disk covers of it.

    Args:
      size: height and width, odd.
      radius: >= 0; up to 1/2 leaves one pixel.

    Raises:
      InputError: size is not odd and positive, or the radius is negative.
    """
    check_size(size)
    check_range("radius", radius, low=0.0)
    return _disk(size, radius)


def motion_kernel(size: int, length: Numbers, angle: Numbers) -> Kernel:
    """A straight stroke, the blur of a steady motion; pixels weigh one less their distance to the stroke, as MATLAB's `fspecial`.

    Args:
      size: height and width, odd.
      length: of the stroke, both end pixels counted; up to 1 leaves one pixel.
      angle: direction of the motion.

    Raises:
      InputError: size is not odd and positive, or the length is negative.

    Reference: MATLAB Image Processing Toolbox, `fspecial("motion", length, angle)`.
    """
    check_size(size)
    check_range("length", length, low=0.0)
    return _motion(size, length, angle)


def trajectory_kernel(size: int, points: Float[Array | np.ndarray, "n 2"], weights: Float[Array | np.ndarray, " n"]) -> Kernel:
    """The blur of a path: every point's weight is shared bilinearly among the four pixels around it.

    Args:
      size: height and width, odd.
      points: (down, right) of the kernel's centre.
      weights: how long the path stays at each point, >= 0.

    Returns:
      The kernel; what falls outside of it is lost before the sum becomes one.

    Raises:
      InputError: size is not odd and positive.
    """
    check_size(size)
    return _trajectory(size, points, weights)


def truncate_kernel(kernel: Kernel, support: Numbers) -> Kernel:
    """Cut a kernel off outside a centred square and let it sum to one again: a drawn size inside one that is compiled in.

    Args:
      kernel: odd size.
      support: side of what stays, in pixels: odd numbers; may be traced.

    Raises:
      InputError: support is below 1.
    """
    check_range("support", support, low=1.0)
    inside = jnp.abs(jnp.arange(len(kernel)) - len(kernel) // 2) <= jnp.asarray(support) / 2
    return _normalised(jnp.where(inside[:, None] & inside[None, :], kernel, 0.0))


def check_size(size: int) -> None:
    """A kernel's size is odd and positive.

    Raises:
      InputError: it is not.
    """
    if size < 1 or size % 2 == 0:
        raise InputError(f"size is {size}: a kernel's size must be odd and at least 1")


def _check_shape(sigma_long: Numbers, sigma_short: Numbers, shape: Numbers) -> None:
    check_range("sigma", sigma_long, low=0.0, open_low=True)
    check_range("sigma", sigma_short, low=0.0, open_low=True)
    check_range("shape", shape, low=0.0, open_low=True)


def _grid(size: int) -> tuple[jax.Array, jax.Array]:
    """Distance of every pixel from the centre: (right, up)."""
    position = jnp.arange(size, dtype=float) - size // 2
    right, down = jnp.meshgrid(position, position)
    return right, -down


def _along_and_across(size: int, angle: jax.Array) -> tuple[jax.Array, jax.Array]:
    right, up = _grid(size)
    cosine, sine = jnp.cos(jnp.deg2rad(angle)), jnp.sin(jnp.deg2rad(angle))
    return right * cosine + up * sine, up * cosine - right * sine


def _normalised(kernel: jax.Array) -> jax.Array:
    return kernel / jnp.sum(kernel)


def _squared_distance(size: int, sigma_long: jax.Array, sigma_short: jax.Array, angle: jax.Array) -> jax.Array:
    along, across = _along_and_across(size, angle)
    return jnp.square(along / jnp.maximum(sigma_long, _NARROW)) + jnp.square(across / jnp.maximum(sigma_short, _NARROW))


@partial(jax.jit, static_argnums=0)
def _gaussian(size: int, sigma_long: jax.Array, sigma_short: jax.Array, angle: jax.Array) -> jax.Array:
    return _normalised(jnp.exp(-0.5 * _squared_distance(size, sigma_long, sigma_short, angle)))


@partial(jax.jit, static_argnums=0)
def _generalised(size: int, sigma_long: jax.Array, sigma_short: jax.Array, angle: jax.Array, shape: jax.Array) -> jax.Array:
    return _normalised(jnp.exp(-0.5 * _squared_distance(size, sigma_long, sigma_short, angle) ** shape))


@partial(jax.jit, static_argnums=0)
def _plateau(size: int, sigma_long: jax.Array, sigma_short: jax.Array, angle: jax.Array, shape: jax.Array) -> jax.Array:
    return _normalised(1.0 / (1.0 + _squared_distance(size, sigma_long, sigma_short, angle) ** shape))


@partial(jax.jit, static_argnums=0)
def _sinc(size: int, cutoff: jax.Array) -> jax.Array:
    # J1(x) / x is the mean over a circle of sin(t)^2 * sin(x sin(t)) / (x sin(t)). The rule of equal steps is exact to rounding as soon as
    # the steps are more than x and a few dozen.
    right, up = _grid(size)
    x = cutoff * jnp.sqrt(right**2 + up**2)
    steps = math.ceil((math.pi * math.sqrt(2.0) * (size // 2) + 40) / 4)
    sines = jnp.sin((jnp.arange(steps, dtype=float) + 0.5) * (math.pi / 2 / steps))
    return _normalised(jnp.mean(jnp.square(sines)[None, None, :] * jnp.sinc(x[..., None] * (sines / math.pi)[None, None, :]), axis=-1))


@partial(jax.jit, static_argnums=0)
def _box(size: int, width: jax.Array) -> jax.Array:
    distance = jnp.abs(jnp.arange(size, dtype=float) - size // 2)
    side = jnp.clip(jnp.maximum(width, 1.0) / 2 - distance + 0.5, 0.0, 1.0)
    side /= jnp.sum(side)
    return side[:, None] * side[None, :]


@partial(jax.jit, static_argnums=0)
def _disk(size: int, radius: jax.Array) -> jax.Array:
    radius = jnp.maximum(radius, 0.5)
    edge = jnp.arange(size + 1, dtype=float) - size / 2
    # Area of the disk inside the rectangle from the centre to each corner of a pixel; the pixel's own is their second difference.
    a, b = jnp.meshgrid(jnp.minimum(jnp.abs(edge), radius), jnp.minimum(jnp.abs(edge), radius))

    def under(x: jax.Array) -> jax.Array:
        return x * jnp.sqrt(jnp.maximum(radius**2 - x**2, 0.0)) + radius**2 * jnp.arcsin(jnp.minimum(x / radius, 1.0))

    cut = 0.5 * (under(a) + under(b) - radius**2 * (math.pi / 2))
    sign = jnp.sign(edge)
    area = jnp.where(a**2 + b**2 <= radius**2, a * b, cut) * (sign[:, None] * sign[None, :])
    return _normalised(jnp.maximum(jnp.diff(jnp.diff(area, axis=0), axis=1), 0.0))


@partial(jax.jit, static_argnums=0)
def _motion(size: int, length: jax.Array, angle: jax.Array) -> jax.Array:
    along, across = (jnp.abs(x) for x in _along_and_across(size, angle))
    half = (jnp.maximum(length, 1.0) - 1.0) / 2
    # Beyond a circle through the stroke's ends the distance is to the end, also for pixels beside it: so it is in MATLAB.
    right, up = _grid(size)
    at_end = jnp.sqrt(right**2 + up**2) >= half
    distance = jnp.where(at_end, jnp.sqrt(across**2 + (half - along) ** 2), across)
    return _normalised(jnp.maximum(1.0 - distance, 0.0))


@partial(jax.jit, static_argnums=0)
def _trajectory(size: int, points: jax.Array, weights: jax.Array) -> jax.Array:
    position = jnp.arange(size, dtype=float) - size // 2
    rows, columns = (jnp.maximum(1.0 - jnp.abs(points[:, i, None] - position[None, :]), 0.0) for i in (0, 1))

    # One point after the other: a scatter, a matrix product or a reduction may add in another order for another number of kernels.
    def add(kernel: jax.Array, tents: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        return kernel + tents[0][:, None] * tents[1][None, :], None

    return _normalised(jax.lax.scan(add, jnp.zeros((size, size), rows.dtype), (rows * weights[:, None], columns))[0])
