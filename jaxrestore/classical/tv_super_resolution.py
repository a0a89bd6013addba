"""Super-resolution as a variational problem: of all images that shrink to the one that was given, nearly, the one of least variation."""

from functools import partial

import jax
import jax.numpy as jnp

from jaxrestore.classical.images import in_float
from jaxrestore.classical.shrinking import shrinking
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.differences import divergence, gradient
from jaxrestore.ops.resize import imresize
from jaxrestore.typing import ArrayLike, Image

_PRIMAL_STEP = 10.0  # far longer than the dual one: with so little weight the dual variables hardly move


def tv_super_resolution(image: Image, *, scale: int, weight: float | int = 1.5e-4, iterations: int = 100) -> Image:
    """Minimise |D u - image|^2 / 2 + weight TV(u), where D shrinks as MATLAB's bicubic `imresize` and TV couples the channels.

    Args:
      image: (..., H, W, C) in [0, 1], made from the true one by D.
      scale: enlargement, >= 1.
      weight: of the variation, >= 0; raise it for a noisy image.
      iterations: of the primal-dual algorithm, which begins at bicubic interpolation, >= 0.

    Returns:
      (..., scale H, scale W, C), not clipped.

    Raises:
      InputError: a number is out of its range.

    Reference: Marquina and Osher, "Image Super-Resolution by TV-Regularization and Bregman Iteration", JSC 2008, section 2; Chambolle and
    Pock, "A First-Order Primal-Dual Algorithm for Convex Problems with Applications to Imaging", JMIV 2011, algorithm 1.
    """
    check_range("scale", scale, low=1)
    check_range("weight", weight, low=0.0)
    check_range("iterations", iterations, low=0)
    return _minimise(in_float(image), scale, float(weight), iterations).astype(image.dtype)


@partial(jax.jit, static_argnums=1)
def _minimise(image: jax.Array, scale: int, weight: ArrayLike, iterations: ArrayLike) -> jax.Array:
    shrink = shrinking(*image.shape[-3:-1], scale)
    primal, dual = _PRIMAL_STEP, 1.0 / (_PRIMAL_STEP * (8.0 + shrink.norm**2))  # the square of (gradient, D) is at most 8 + |D|^2

    def improve(_: ArrayLike, state: tuple) -> tuple:
        u, ahead, down, right, data = state
        down, right = (p + dual * g for p, g in zip((down, right), gradient(ahead), strict=True))
        length = jnp.sqrt(jnp.sum(down**2 + right**2, axis=-1, keepdims=True))
        shorter = weight / jnp.maximum(length, weight + jnp.finfo(u.dtype).tiny)
        down, right = shorter * down, shorter * right
        data = (data + dual * (shrink(ahead) - image)) / (1.0 + dual)
        new = u - primal * (shrink.adjoint(data) - divergence(down, right))
        return new, 2.0 * new - u, down, right, data

    start = imresize(image, scale)
    flat = jnp.zeros_like(start)
    return jax.lax.fori_loop(0, iterations, improve, (start, start, flat, flat, jnp.zeros_like(image)))[0]
