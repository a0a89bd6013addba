"""Total-variation denoising: the image near the noisy one whose differences between neighbours sum to little (Rudin, Osher and Fatemi).

Both functions minimise  sum |gradient(u)| + 1 / (2 weight) sum (u - image)^2  for each channel by itself: edges stay, texture goes.
"""

from functools import partial

import jax
import jax.numpy as jnp

from jaxrestore.classical.images import in_float
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.differences import divergence, gradient
from jaxrestore.ops.padding import pad
from jaxrestore.typing import Image

_LEVELS = 255.0
# The weight that gives the best PSNR on photographs, for each unit of the noise's standard deviation.
_WEIGHT = 0.8
_SIDES = (-3, -2)
_TINY = 1e-30


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
    iterations: int = 50,
    tolerance: float | int = 5e-4,
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
    *batch, height, width, channels = image.shape
    # Rows are long vectors: a step to the right is one of `channels` values. The field's parts and the result lie in arrays that are one
    # row and one pixel larger, which are changed where they are: neighbours are then plain slices, which a CPU reads much faster than
    # what it pads and joins anew. Beyond the border the field is zero and stays so.
    noisy = image.reshape(*batch, height, width * channels)
    row, place = jnp.arange(height), jnp.arange(width * channels)
    not_last_row = (row < height - 1).astype(image.dtype)[:, None]
    not_last_column = (place < (width - 1) * channels).astype(image.dtype)[None, :]
    if batch:
        not_last_row, not_last_column = (x.reshape((1,) * len(batch) + x.shape) for x in (not_last_row, not_last_column))

    def written(array: jax.Array, values: jax.Array, row: int, place: int) -> jax.Array:
        return jax.lax.dynamic_update_slice(array, values, (0,) * len(batch) + (row, place))

    def smaller(state: tuple) -> tuple:
        count, down, right, result, first, last, done = state
        change = down[..., 1:, :] - down[..., :-1, :] + right[..., channels:] - right[..., :-channels]
        result = written(result, noisy - change, 0, 0)
        here = result[..., :height, : width * channels]
        slopes = (
            (result[..., 1:, : width * channels] - here) * not_last_row,
            (result[..., :height, channels:] - here) * not_last_column,
        )
        length = jnp.sqrt(jnp.square(slopes[0]) + jnp.square(slopes[1]))
        columns = jnp.sum(jnp.square(noisy - here) + weight * length, axis=-2)
        energy = jnp.sum(columns.reshape(*batch, width, channels), axis=-2) / (height * width)
        norm = 1.0 + step / weight * length
        # A channel that is done keeps its field, and so the result of its last iteration.
        kept = jnp.broadcast_to(done[..., None, None, :], (*batch, 1, width, channels)).reshape(*batch, 1, width * channels)
        parts = (down[..., 1:, :], right[..., channels:])
        new = [jnp.where(kept, p, (p - step * slope) / norm) for p, slope in zip(parts, slopes, strict=True)]
        first = jnp.where(count == 0, energy, first)
        done = done | ((jnp.abs(last - energy) < tolerance * first) & (count > 0))
        return count + 1, written(down, new[0], 1, 0), written(right, new[1], 0, channels), result, first, energy, done

    def go_on(state: tuple) -> jax.Array:
        return (state[0] < iterations) & ~jnp.all(state[-1])

    wide = (width + 1) * channels
    down, right, result = (
        jnp.zeros((*batch, *shape), image.dtype) for shape in ((height + 1, width * channels), (height, wide), (height + 1, wide))
    )
    number = jnp.zeros((*batch, channels), image.dtype)
    result = jax.lax.while_loop(go_on, smaller, (0, down, right, result, number, number, number > 0))[3]
    return result[..., :height, : width * channels].reshape(image.shape)


@partial(jax.jit, static_argnames=("iterations", "isotropic"))
def _split_bregman(image: jax.Array, weight: jax.Array, iterations: int, tolerance: jax.Array, isotropic: bool) -> jax.Array:
    weight, tolerance = (jnp.asarray(x, image.dtype) for x in (weight, tolerance))
    fidelity = 1.0 / weight
    penalty = 2.0 * fidelity  # any positive number converges to the same image; this one does so fast
    rows, columns = (jnp.arange(side) for side in image.shape[-3:-1])
    board = (rows[:, None] + columns[None, :]) % 2 == 0
    black = jnp.broadcast_to(board.reshape((1,) * (image.ndim - 3) + (*board.shape, 1)), image.shape)

    def shrinkage(down: jax.Array, right: jax.Array) -> tuple[jax.Array, jax.Array]:
        """By which factor each part of a vector shrinks when 1 / penalty is taken off its length."""
        lengths = (jnp.sqrt(jnp.square(down) + jnp.square(right)),) * 2 if isotropic else (jnp.abs(down), jnp.abs(right))
        down, right = (jnp.maximum(1.0 - 1.0 / (penalty * jnp.maximum(length, _TINY)), 0.0) for length in lengths)
        return down, right

    def iterate(state: tuple) -> tuple:
        # The vectors are the gradient plus Bregman's b: shrunk they are the d of the paper, and what shrinking takes off is the next b.
        count, u, vectors, done = state
        shrunk = [factor * vector for factor, vector in zip(shrinkage(*vectors), vectors, strict=True)]
        b = [vector - d for vector, d in zip(vectors, shrunk, strict=True)]
        source = fidelity * image + penalty * divergence(*(x - d for x, d in zip(b, shrunk, strict=True)))
        before = u
        for colour in (black, ~black):
            u = jnp.where(colour, (source + penalty * _sum_of_neighbours(u)) / (fidelity + 4.0 * penalty), u)
        u = jnp.where(done, before, u)
        done = done | (jnp.sqrt(jnp.mean(jnp.square(u - before), axis=_SIDES, keepdims=True)) < tolerance)
        return count + 1, u, tuple(slope + x for slope, x in zip(gradient(u), b, strict=True)), done

    def go_on(state: tuple) -> jax.Array:
        return (state[0] < iterations) & ~jnp.all(state[-1])

    zero = jnp.zeros_like(image)
    state = (0, image, (zero, zero), jnp.zeros_like(image, shape=_per_channel(image)) > 0)
    return jax.lax.while_loop(go_on, iterate, state)[1]


def _per_channel(image: jax.Array) -> tuple[int, ...]:
    return (*image.shape[:-3], 1, 1, image.shape[-1])


def _sum_of_neighbours(u: jax.Array) -> jax.Array:
    """The sum of the four neighbours; for one beyond the border stands the pixel itself."""
    padded = pad(u, (1, 1), (1, 1), "edge")
    rows, columns = padded[..., :, 1:-1, :], padded[..., 1:-1, :, :]
    return rows[..., 2:, :, :] + rows[..., :-2, :, :] + columns[..., 2:, :] + columns[..., :-2, :]
