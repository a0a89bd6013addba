"""Finite differences: the gradient of an image, the divergence that is its exact negative adjoint, and the Laplacian that both make.

Borders are Neumann's: nothing changes across an edge. What total-variation and diffusion methods need is that summation by parts holds
to the last pixel, <gradient(u), p> = -<u, divergence(p)>.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.typing import Image

Field = tuple[Float[Array, "... _ _ _"], Float[Array, "... _ _ _"]]
"""Two images of one shape: the part along rows (downwards) and the part along columns (to the right)."""


@jax.jit
def gradient(image: Image) -> Field:
    """Forward differences.

    Args:
      image: (..., H, W, C), any range.

    Returns:
      (down, right), each (..., H, W, C): down[i] = image[i + 1] - image[i] and zero in the last row; likewise right and the last column.

    Reference: Chambolle, "An Algorithm for Total Variation Minimization and Applications", JMIV 2004, section 2.
    """
    image = jnp.asarray(image)
    return _forward(image, image.ndim - 3), _forward(image, image.ndim - 2)


@jax.jit
def divergence(down: Image, right: Image) -> Float[Array, "... _ _ _"]:
    """The negative adjoint of `gradient`: backward differences, with the last row of `down` and the last column of `right` ignored.

    Args:
      down: (..., H, W, C), the field's part along rows.
      right: (..., H, W, C), its part along columns.

    Returns:
      (..., H, W, C), such that sum(divergence(p) * u) = -sum(p * gradient(u)) for every image u.

    Raises:
      InputError: the parts differ in shape.
    """
    if down.shape != right.shape:
        raise InputError(f"the field's parts {down.shape} and {right.shape} differ in shape: both belong to one image")
    return _backward(jnp.asarray(down), down.ndim - 3) + _backward(jnp.asarray(right), right.ndim - 2)


@jax.jit
def laplacian(image: Image) -> Float[Array, "... _ _ _"]:
    """The sum of the differences to the four neighbours, `divergence(*gradient(image))`; a neighbour outside counts as equal."""
    return divergence(*gradient(image))


def _forward(x: jax.Array, axis: int) -> jax.Array:
    last = jax.lax.slice_in_dim(x, x.shape[axis] - 1, x.shape[axis], axis=axis)
    return jnp.diff(x, axis=axis, append=last)


def _backward(x: jax.Array, axis: int) -> jax.Array:
    inner = jax.lax.slice_in_dim(x, 0, x.shape[axis] - 1, axis=axis)
    border = [(0, 0)] * x.ndim
    border[axis] = (1, 1)
    return jnp.diff(jnp.pad(inner, border), axis=axis)
