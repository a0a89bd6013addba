"""Total-variation denoising: the image near the noisy one whose differences between neighbours sum to little (Rudin, Osher and Fatemi).

Both functions minimise  sum |gradient(u)| + 1 / (2 weight) sum (u - image)^2  for each channel by itself: edges stay, texture goes.
"""

from functools import partial

import jax
import jax.numpy as jnp

from jaxrestore.classical.images import in_float
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.differences import divergence, gradient
from jaxrestore.typing import Image

_LEVELS = 255.0
# The weight that gives the best PSNR on photographs, for each unit of the noise's standard deviation.
_WEIGHT = 0.8
_SIDES = (-3, -2)


def total_variation(
    image: Image,
    *,
    weight: float | int | None = None,
    sigma: float | int = 25.0,
    iterations: int = 200,
    tolerance: float | int = 2e-4,
) -> Image:
    """Total-variation denoising by Chambolle's projection.

    Args:
      image: (..., H, W, C), each channel by itself.
      weight: how much is smoothed, > 0, in the image's unit; None takes what suits the noise level.
      sigma: noise level in grey levels, > 0; decides the weight where none is given.
      iterations: at most so many, >= 1.
      tolerance: a channel stops when an iteration changes its energy by less than this share of the energy it began with; 0 never stops.

    Raises:
      InputError: a value outside its range.

    Reference: Chambolle, "An Algorithm for Total Variation Minimization and Applications", JMIV 2004, theorem 3.1, with the step 1/4.
    """
    _check(weight, sigma, iterations, tolerance)
    weight = _WEIGHT * sigma / _LEVELS if weight is None else weight
    return _chambolle(in_float(image), float(weight), iterations, float(tolerance)).astype(image.dtype)


def bregman(
    image: Image,
    *,
    weight: float | int | None = None,
    sigma: float | int = 25.0,
    iterations: int = 30,
    tolerance: float | int = 1e-4,
    isotropic: bool = True,
) -> Image:
    """Total-variation denoising by split Bregman iterations: far fewer of them than Chambolle's projection takes.

    Args:
      image: (..., H, W, C), each channel by itself.
      weight: as for `total_variation`.
      sigma: as for `total_variation`.
      iterations: at most so many, >= 1.
      tolerance: a channel stops when an iteration changes it by less than this, root mean square in the image's unit; 0 never stops.
      isotropic: the length of the gradient; otherwise the sum of its two parts' magnitudes, which prefers upright edges.

    Raises:
      InputError: a value outside its range.

    Reference: Goldstein and Osher, "The Split Bregman Method for L1-Regularized Problems", SIAM Journal on Imaging Sciences 2009, sections
      4.1 and 4.2; the sweep over the image goes over the two colours of a chessboard instead of pixel after pixel.
    """
    _check(weight, sigma, iterations, tolerance)
    weight = _WEIGHT * sigma / _LEVELS if weight is None else weight
    return _split_bregman(in_float(image), float(weight), iterations, float(tolerance), isotropic).astype(image.dtype)


def _check(weight: float | int | None, sigma: float | int, iterations: int, tolerance: float | int) -> None:
    if weight is not None:
        check_range("weight", weight, low=0.0, open_low=True)
    check_range("sigma", sigma, low=0.0, open_low=True)
    check_range("iterations", iterations, low=1)
    check_range("tolerance", tolerance, low=0.0)


@partial(jax.jit, static_argnames=("iterations",))
def _chambolle(image: jax.Array, weight: jax.Array, iterations: int, tolerance: jax.Array) -> jax.Array:
    weight, tolerance = (jnp.asarray(x, image.dtype) for x in (weight, tolerance))
    step = 0.25

    def smaller(state: tuple) -> tuple:
        count, down, right, _, first, last, done = state
        change = divergence(down, right)
        result = image - change
        slopes = gradient(result)
        length = jnp.sqrt(jnp.square(slopes[0]) + jnp.square(slopes[1]))
        energy = jnp.mean(jnp.square(change) + weight * length, axis=_SIDES, keepdims=True)
        norm = 1.0 + step / weight * length
        # A channel that is done keeps its field, and so the result of its last iteration.
        down, right = (jnp.where(done, p, (p - step * slope) / norm) for p, slope in zip((down, right), slopes, strict=True))
        first = jnp.where(count == 0, energy, first)
        done = done | ((jnp.abs(last - energy) < tolerance * first) & (count > 0))
        return count + 1, down, right, result, first, energy, done

    def go_on(state: tuple) -> jax.Array:
        return (state[0] < iterations) & ~jnp.all(state[-1])

    zero, number = jnp.zeros_like(image), jnp.zeros_like(image, shape=_per_channel(image))
    state = (0, zero, zero, image, number, number, number > 0)
    return jax.lax.while_loop(go_on, smaller, state)[3]


@partial(jax.jit, static_argnames=("iterations", "isotropic"))
def _split_bregman(image: jax.Array, weight: jax.Array, iterations: int, tolerance: jax.Array, isotropic: bool) -> jax.Array:
    weight, tolerance = (jnp.asarray(x, image.dtype) for x in (weight, tolerance))
    fidelity = 1.0 / weight
    penalty = 2.0 * fidelity  # any positive number converges to the same image; this one does so fast
    height, width = image.shape[-3:-1]
    rows, columns = jnp.arange(height)[:, None, None], jnp.arange(width)[None, :, None]
    black = jnp.broadcast_to((rows + columns) % 2 == 0, image.shape)
    inner_rows, inner_columns = (rows > 0) * 1 + (rows < height - 1), (columns > 0) * 1 + (columns < width - 1)
    neighbours = jnp.broadcast_to((inner_rows + inner_columns).astype(image.dtype), image.shape)
    diagonal = fidelity + penalty * neighbours

    def shrink(down: jax.Array, right: jax.Array) -> tuple[jax.Array, jax.Array]:
        if not isotropic:
            return tuple(jnp.sign(x) * jnp.maximum(jnp.abs(x) - 1.0 / penalty, 0.0) for x in (down, right))
        length = jnp.sqrt(jnp.square(down) + jnp.square(right))
        share = jnp.maximum(length - 1.0 / penalty, 0.0) / jnp.maximum(length, jnp.finfo(image.dtype).tiny)
        return share * down, share * right

    def iterate(state: tuple) -> tuple:
        count, u, down, right, b_down, b_right, done = state
        source = fidelity * image + penalty * divergence(b_down - down, b_right - right)
        before = u
        for colour in (black, ~black):
            u = jnp.where(colour & ~done, (source + penalty * _sum_of_neighbours(u)) / diagonal, u)
        slope_down, slope_right = gradient(u)
        down, right = shrink(slope_down + b_down, slope_right + b_right)
        done = done | (jnp.sqrt(jnp.mean(jnp.square(u - before), axis=_SIDES, keepdims=True)) < tolerance)
        return count + 1, u, down, right, b_down + slope_down - down, b_right + slope_right - right, done

    def go_on(state: tuple) -> jax.Array:
        return (state[0] < iterations) & ~jnp.all(state[-1])

    zero = jnp.zeros_like(image)
    state = (0, image, zero, zero, zero, zero, jnp.zeros_like(image, shape=_per_channel(image)) > 0)
    return jax.lax.while_loop(go_on, iterate, state)[1]


def _per_channel(image: jax.Array) -> tuple[int, ...]:
    return (*image.shape[:-3], 1, 1, image.shape[-1])


def _sum_of_neighbours(u: jax.Array) -> jax.Array:
    """The sum of the two to four neighbours that lie inside the image."""
    border = [(0, 0)] * (u.ndim - 3)
    above_and_below = jnp.pad(u[..., 1:, :, :], [*border, (0, 1), (0, 0), (0, 0)]) + jnp.pad(
        u[..., :-1, :, :], [*border, (1, 0), (0, 0), (0, 0)]
    )
    left_and_right = jnp.pad(u[..., 1:, :], [*border, (0, 0), (0, 1), (0, 0)]) + jnp.pad(u[..., :-1, :], [*border, (0, 0), (1, 0), (0, 0)])
    return above_and_below + left_and_right
