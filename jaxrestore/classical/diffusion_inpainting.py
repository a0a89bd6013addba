"""Inpainting by edge-enhancing diffusion: what flows into a hole flows along edges, hardly across them.

Where only a few scattered pixels are known, this is the best of the diffusions; edges are continued over wide holes too, if they are clear.
"""

from functools import partial

import jax
import jax.numpy as jnp

from jaxrestore.classical.images import in_float
from jaxrestore.classical.masked_solver import solve_missing
from jaxrestore.classical.masks import Mask, checked_mask, known_mean, merge
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.differences import divergence, gradient, laplacian
from jaxrestore.ops.filtering import filter_separable, gaussian_taps
from jaxrestore.typing import ArrayLike, Image

Tensor = tuple[jax.Array, jax.Array, jax.Array]
"""A symmetric matrix at every pixel: (down, down), (down, right) and (right, right), each (..., H, W, 1)."""


def diffusion_inpainting(
    image: Image, *, mask: Mask, contrast: float | int = 2.0, sigma_spatial: float | int = 1.0, iterations: int = 15
) -> Image:
    """Fill in the steady state of edge-enhancing anisotropic diffusion.

    Args:
      image: (..., H, W, C) in [0, 1]; what it holds at missing pixels does not matter, as long as it is finite. Channels share their edges.
      mask: (..., H, W, 1) or (H, W, 1), True where the content is missing.
      contrast: gradients above this many grey levels a pixel are edges, > 0.
      sigma_spatial: edges are looked for after smoothing by a Gaussian of this many pixels, > 0.
      iterations: how often edges are looked for anew, each time followed by a linear system, >= 0; 0 gives the harmonic surface.

    Returns:
      (..., H, W, C), missing pixels limited to the range of their channel's known ones; known pixels bit for bit.

    Raises:
      InputError: a number is out of its range, or as for `harmonic_inpainting`.

    Reference: Weickert and Welk, "Tensor Field Interpolation with PDEs", 2006, section 4; Galić et al., "Image Compression with Anisotropic
    Diffusion", JMIV 2008, section 3.
    """
    check_range("contrast", contrast, low=0.0, open_low=True)
    check_range("sigma_spatial", sigma_spatial, low=0.0, open_low=True)
    check_range("iterations", iterations, low=0)
    missing = checked_mask(image, mask)
    return _diffuse(in_float(image), missing, contrast / 255.0, float(sigma_spatial), iterations).astype(image.dtype)


@partial(jax.jit, static_argnums=3)
def _diffuse(image: jax.Array, mask: jax.Array, contrast: ArrayLike, sigma: float, iterations: ArrayLike) -> jax.Array:
    start = jnp.where(mask, known_mean(image, mask), image)
    harmonic = start + solve_missing(lambda u: -laplacian(u), laplacian(start), mask, 1, 1e-6, 1000)
    radius = round(4.0 * sigma)
    taps = gaussian_taps(2 * radius + 1, sigma)

    def improve(_: ArrayLike, u: jax.Array) -> jax.Array:
        tensor = _tensor(filter_separable(u, taps, taps, "symmetric"), contrast)
        return u + solve_missing(partial(_flow, tensor=tensor), -_flow(u, tensor), mask, 1, 1e-3, 200)

    return merge(image, mask, jax.lax.fori_loop(0, iterations, improve, harmonic))


def _tensor(smooth: jax.Array, contrast: ArrayLike) -> Tensor:
    """Diffusion of 1 along edges, and across them the less the higher they are (Charbonnier's diffusivity)."""
    down, right = (0.5 * (part + before) for part, before in zip(gradient(smooth), _backward(smooth), strict=True))
    dd, dr, rr = (jnp.sum(product, axis=-1, keepdims=True) for product in (down * down, down * right, right * right))
    # Eigenvalues and half the double angle of the structure tensor, in closed form.
    split = jnp.sqrt((dd - rr) ** 2 + 4.0 * dr**2)
    height = 0.5 * (dd + rr + split)
    across = 1.0 / jnp.sqrt(1.0 + height / contrast**2)
    cosine, sine = (jnp.where(split > 0.0, part / jnp.where(split > 0.0, split, 1.0), 0.0) for part in (dd - rr, 2.0 * dr))
    middle, half = 0.5 * (across + 1.0), 0.5 * (across - 1.0)
    return middle + half * cosine, half * sine, middle - half * cosine


def _flow(u: jax.Array, tensor: Tensor) -> jax.Array:
    """-divergence(D gradient(u)), symmetric and positive: the mean over forward and backward differences in each direction."""
    dd, dr, rr = tensor
    (down, right), (up, left) = gradient(u), _backward(u)
    bent_down, bent_right = 0.5 * dr * (right + left), 0.5 * dr * (down + up)
    rows, columns = u.ndim - 3, u.ndim - 2
    flux_down = 0.5 * (dd * down + bent_down + _ahead(dd * up + bent_down, rows))
    flux_right = 0.5 * (rr * right + bent_right + _ahead(rr * left + bent_right, columns))
    return -divergence(flux_down, flux_right)


def _backward(u: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Backward differences, zero in the first row and the first column."""
    down, right = gradient(u)
    return _behind(down, u.ndim - 3), _behind(right, u.ndim - 2)


def _behind(x: jax.Array, axis: int) -> jax.Array:
    border = [(1, 0) if i == axis else (0, 0) for i in range(x.ndim)]
    return jnp.pad(jax.lax.slice_in_dim(x, 0, x.shape[axis] - 1, axis=axis), border)


def _ahead(x: jax.Array, axis: int) -> jax.Array:
    border = [(0, 1) if i == axis else (0, 0) for i in range(x.ndim)]
    return jnp.pad(jax.lax.slice_in_dim(x, 1, x.shape[axis], axis=axis), border)
