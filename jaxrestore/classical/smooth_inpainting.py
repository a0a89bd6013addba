"""Inpainting by smooth surfaces: harmonic ones, and biharmonic ones, which continue slopes too.

Both are exact solutions of a linear system, whatever the shape of the holes. At the image's own border surfaces end freely.
"""

from functools import partial

import jax
import jax.numpy as jnp

from jaxrestore.classical.images import in_float
from jaxrestore.classical.masked_solver import solve_missing
from jaxrestore.classical.masks import Mask, checked_mask, known_mean, merge
from jaxrestore.ops.differences import laplacian
from jaxrestore.typing import Image

_STEPS = 2000


def harmonic_inpainting(image: Image, *, mask: Mask) -> Image:
    """Fill in what solves Laplace's equation: the steady state of diffusion from the hole's rim, a stretched membrane.

    Args:
      image: (..., H, W, C); what it holds at missing pixels does not matter, as long as it is finite.
      mask: (..., H, W, 1) or (H, W, 1), True where the content is missing.

    Returns:
      (..., H, W, C); known pixels bit for bit.

    Raises:
      InputError: the mask belongs to another size, is not boolean, or leaves nothing known.

    Reference: Chan and Shen, "Mathematical Models for Local Nontexture Inpaintings", SIAM J. Appl. Math. 2002, section 3.
    """
    return _fill(in_float(image), checked_mask(image, mask), 1).astype(image.dtype)


def biharmonic_inpainting(image: Image, *, mask: Mask) -> Image:
    """Fill in what solves the biharmonic equation: a thin plate, which continues the values and the slopes at the hole's rim.

    Args:
      image: (..., H, W, C); what it holds at missing pixels does not matter, as long as it is finite.
      mask: (..., H, W, 1) or (H, W, 1), True where the content is missing.

    Returns:
      (..., H, W, C), missing pixels limited to the range of their channel's known ones; known pixels bit for bit.

    Raises:
      InputError: as for `harmonic_inpainting`.

    Reference: Damelin and Hoang, "On Surface Completion and Image Inpainting by Biharmonic Functions: Numerical Aspects", IJMMS 2018;
    scikit-image, `inpaint_biharmonic`.
    """
    return _fill(in_float(image), checked_mask(image, mask), 2).astype(image.dtype)


@partial(jax.jit, static_argnums=2)
def _fill(image: jax.Array, mask: jax.Array, order: int) -> jax.Array:
    def operator(u: jax.Array) -> jax.Array:
        return -laplacian(u) if order == 1 else laplacian(laplacian(u))

    # Beginning at the mean keeps a constant image constant, and rounding errors small.
    start = jnp.where(mask, known_mean(image, mask), image)
    tolerance = 1e-6 if image.dtype == jnp.float32 else 1e-13
    return merge(image, mask, start + solve_missing(operator, -operator(start), mask, order, tolerance, _STEPS))
