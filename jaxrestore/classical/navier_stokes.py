"""Inpainting as the flow of a fluid: the image is the stream function, whose stream lines, the isophotes, carry the Laplacian on."""

import jax
import jax.numpy as jnp

from jaxrestore.classical.images import in_float
from jaxrestore.classical.masked_solver import solve_missing
from jaxrestore.classical.masks import Mask, checked_mask, known_mean, merge
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.differences import divergence, gradient, laplacian
from jaxrestore.typing import ArrayLike, Image

_EVERY = 10  # steps of the vorticity for each new stream function


def navier_stokes(image: Image, *, mask: Mask, viscosity: float | int = 0.2, contrast: float | int = 10.0, iterations: int = 100) -> Image:
    """Fill in the steady state of the Navier-Stokes equations, each channel a fluid of its own.

    The vorticity, which is the image's Laplacian, flows along the isophotes and is diffused within its own edges; the image is recovered
    from it by Poisson's equation. Begins at the biharmonic surface, which is the steady state of a fluid at rest. On photographs it
    scores about as that surface does, in flat parts below the harmonic one.

    Args:
      image: (..., H, W, C) in [0, 1]; what it holds at missing pixels does not matter, as long as it is finite.
      mask: (..., H, W, 1) or (H, W, 1), True where the content is missing.
      viscosity: of the fluid, > 0, where the fastest flow in the picture is 1: low values keep edges sharp over wider holes.
      contrast: edges of the vorticity above this many grey levels are not diffused, > 0.
      iterations: steps in time, >= 0.

    Returns:
      (..., H, W, C), missing pixels limited to the range of their channel's known ones; known pixels bit for bit.

    Raises:
      InputError: a number is out of its range, or as for `harmonic_inpainting`.

    Reference: Bertalmio, Bertozzi and Sapiro, "Navier-Stokes, Fluid Dynamics, and Image and Video Inpainting", CVPR 2001, section 3.
    """
    check_range("viscosity", viscosity, low=0.0, open_low=True)
    check_range("contrast", contrast, low=0.0, open_low=True)
    check_range("iterations", iterations, low=0)
    rounds = -(-iterations // _EVERY)
    return _flow(in_float(image), checked_mask(image, mask), float(viscosity), contrast / 255.0, rounds).astype(image.dtype)


@jax.jit
def _flow(image: jax.Array, mask: jax.Array, viscosity: ArrayLike, contrast: ArrayLike, rounds: ArrayLike) -> jax.Array:
    start = jnp.where(mask, known_mean(image, mask), image)
    plate = start + solve_missing(lambda u: laplacian(laplacian(u)), -laplacian(laplacian(start)), mask, 2, 1e-6, 1000)

    def improve(_: ArrayLike, state: tuple) -> tuple:
        stream, vorticity = state
        down, right = _central(stream)
        # Along the isophotes; slower than one pixel in two steps.
        fastest = jnp.max(jnp.sqrt(down**2 + right**2), axis=(-3, -2, -1), keepdims=True)
        velocity = tuple(part / jnp.where(fastest > 0.0, fastest, 1.0) for part in (right, -down))
        step = 0.5 / (2.0 + 4.0 * viscosity)

        def advance(_: ArrayLike, vorticity: jax.Array) -> jax.Array:
            change = viscosity * _diffusion(vorticity, contrast) - _transport(vorticity, velocity)
            return jnp.where(mask, vorticity + step * change, vorticity)

        vorticity = jax.lax.fori_loop(0, _EVERY, advance, vorticity)
        correction = solve_missing(lambda u: -laplacian(u), laplacian(stream) - vorticity, mask, 1, 1e-3, 100)
        return stream + correction, vorticity

    return merge(image, mask, jax.lax.fori_loop(0, rounds, improve, (plate, laplacian(plate)))[0])


def _central(u: jax.Array) -> tuple[jax.Array, jax.Array]:
    return tuple(0.5 * (forward + backward) for forward, backward in _sides(u))


def _sides(u: jax.Array) -> tuple[tuple[jax.Array, jax.Array], tuple[jax.Array, jax.Array]]:
    """Forward and backward differences along rows, and along columns."""
    pairs = []
    for axis, forward in zip((u.ndim - 3, u.ndim - 2), gradient(u), strict=True):
        border = [(1, 0) if i == axis else (0, 0) for i in range(u.ndim)]
        pairs.append((forward, jnp.pad(jax.lax.slice_in_dim(forward, 0, u.shape[axis] - 1, axis=axis), border)))
    return tuple(pairs)


def _transport(w: jax.Array, velocity: tuple[jax.Array, jax.Array]) -> jax.Array:
    """velocity . gradient(w), with the differences taken where the flow comes from."""
    return sum(
        jnp.maximum(speed, 0.0) * backward + jnp.minimum(speed, 0.0) * forward
        for speed, (forward, backward) in zip(velocity, _sides(w), strict=True)
    )


def _diffusion(w: jax.Array, contrast: ArrayLike) -> jax.Array:
    """divergence(g gradient(w)), g being small across edges (Perona, Malik)."""
    return divergence(*(part / (1.0 + (part / contrast) ** 2) for part in gradient(w)))
