"""Linear equations on the missing pixels of an image, whose unknowns outside them are zero.

Conjugate gradients with a multilevel preconditioner. Smooth parts of a wide hole, which plain conjugate gradients would need thousands of
steps for, are corrected by B-splines twice, four times, eight times... as wide, as far as they fit into the hole; on each level a
correction costs no more than a division. The number of steps then hardly grows with the width of the hole.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

_TAPS = np.array([1.0, 4.0, 6.0, 4.0, 1.0]) / 8.0  # a cubic B-spline, from those of half its width


def solve_missing(
    operator: Callable[[jax.Array], jax.Array], right: jax.Array, mask: jax.Array, order: int, tolerance: float, steps: int
) -> jax.Array:
    """Solve `mask * operator(u) = mask * right` for u that is zero outside the mask.

    Args:
      operator: linear from (..., H, W, C) to the same, symmetric and positive on the missing pixels, about minus the Laplacian to the power
        of `order`; it does not mix images or channels.
      right: (..., H, W, C).
      mask: (..., H, W, 1), True where u is sought.
      order: 1 for equations of the kind of the Laplacian, 2 for those of the bi-Laplacian.
      tolerance: the residual's length relative to that of `right`, where an image's channel is done.
      steps: most steps.

    Returns:
      u, (..., H, W, C).

    Reference: Bramble, Pasciak and Xu, "Parallel Multilevel Preconditioners", Mathematics of Computation 1990.
    """
    masks = _pyramid(mask)
    weights = _weights(len(masks), order)

    def precondition(residual: jax.Array) -> jax.Array:
        parts = [residual]
        for level in masks[1:]:
            parts.append(jnp.where(level, _restrict(parts[-1]), 0.0))
        total = weights[-1] * parts[-1]
        for part, weight in zip(parts[-2::-1], weights[-2::-1], strict=True):
            total = weight * part + _prolong(total, part.shape[-3:-1])
        return jnp.where(mask, total, 0.0)

    def inner(a: jax.Array, b: jax.Array) -> jax.Array:
        return jnp.sum(a * b, axis=(-3, -2), keepdims=True)

    def unfinished(state: tuple) -> jax.Array:
        _, residual, *_, step = state
        return (step < steps) & jnp.any(inner(residual, residual) > goal)

    def advance(state: tuple) -> tuple:
        u, residual, direction, slope, step = state
        image = jnp.where(mask, operator(direction), 0.0)
        curvature = inner(direction, image)
        active = (inner(residual, residual) > goal) & (curvature > 0.0)
        length = jnp.where(active, slope / jnp.where(active, curvature, 1.0), 0.0)
        u, residual = u + length * direction, residual - length * image
        corrected = precondition(residual)
        new_slope = inner(residual, corrected)
        turned = corrected + jnp.where(active, new_slope / jnp.where(slope > 0.0, slope, 1.0), 0.0) * direction
        return u, residual, jnp.where(active, turned, direction), jnp.where(active, new_slope, slope), step + 1

    right = jnp.where(mask, right, 0.0)
    goal = tolerance**2 * inner(right, right)
    direction = precondition(right)
    return jax.lax.while_loop(unfinished, advance, (jnp.zeros_like(right), right, direction, inner(right, direction), 0))[0]


def _pyramid(mask: jax.Array) -> list[jax.Array]:
    """For every level, which of its B-splines lie inside the hole."""
    levels = [mask]
    while min(levels[-1].shape[-3:-1]) > 4:
        outside = jnp.where(levels[-1], 0.0, 1.0)
        # Beyond the border nothing is missing.
        levels.append(_shrunk(outside, np.ones(5), 1.0) == 0.0)
    return levels


def _restrict(image: jax.Array) -> jax.Array:
    return _shrunk(image, _TAPS, 0.0)


def _shrunk(image: jax.Array, taps: np.ndarray, beyond: float) -> jax.Array:
    """Every second value of a separable filter of five taps."""
    for axis in (image.ndim - 3, image.ndim - 2):
        border = [(2, 2) if i == axis else (0, 0) for i in range(image.ndim)]
        padded, length = jnp.pad(image, border, constant_values=beyond), image.shape[axis]
        image = sum(float(tap) * jax.lax.slice_in_dim(padded, i, i + length, 2, axis) for i, tap in enumerate(taps))
    return image


def _prolong(image: jax.Array, size: tuple[int, int]) -> jax.Array:
    """The transpose of `_restrict`."""
    for axis, length in zip((image.ndim - 3, image.ndim - 2), size, strict=True):
        border = [(1, 1) if i == axis else (0, 0) for i in range(image.ndim)]
        padded, count = jnp.pad(image, border), image.shape[axis]
        before, here, after = (jax.lax.slice_in_dim(padded, i, i + count, axis=axis) for i in range(3))
        even, odd = 0.125 * before + 0.75 * here + 0.125 * after, 0.5 * (here + after)
        both = jnp.stack([even, odd], axis + 1)
        flat = both.reshape(*image.shape[:axis], 2 * count, *image.shape[axis + 1 :])
        image = jax.lax.slice_in_dim(flat, 0, length, axis=axis)
    return image


def _weights(levels: int, order: int) -> list[float]:
    """The reciprocal energy of each level's B-splines."""
    spline, weights = np.ones(1), []
    for level in range(levels):
        if level:
            wide = np.zeros(2 * len(spline) - 1)
            wide[::2] = spline
            spline = np.convolve(wide, _TAPS)
        if level > 5:  # the splines are all but alike from here on, and long
            weights.append(weights[-1] * 4.0 ** (order - 1))
            continue
        square, first, second = (np.square(np.diff(np.pad(spline, n), n=n)).sum() for n in range(3))
        weights.append(1.0 / (2.0 * square * first) if order == 1 else 1.0 / (2.0 * square * second + 2.0 * first**2))
    return weights
