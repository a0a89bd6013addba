"""The Haar wavelet: sums and differences of neighbours, over several scales."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.padding import pad_to_multiple
from jaxrestore.typing import Image

Band = Float[Array | np.ndarray, "... _ _ _"]


class Details(NamedTuple):
    """One scale's differences, each (..., ceil(H / 2), ceil(W / 2), C)."""

    horizontal: Band
    """Differences of rows, means of columns: horizontal edges."""
    vertical: Band
    """Means of rows, differences of columns: vertical edges."""
    diagonal: Band
    """Differences of both."""


class Haar(NamedTuple):
    """An image's coefficients."""

    approximation: Band
    """What is left at the coarsest scale: 2 ** levels times the mean of 2 ** levels squared pixels."""
    details: tuple[Details, ...]
    """The scales, from the finest."""


@partial(jax.jit, static_argnums=1)
def haar(image: Image, levels: int = 1) -> Haar:
    """The orthonormal two-dimensional Haar transform.

    Args:
      image: (..., H, W, C), any range; the last row or column of an odd number is repeated at every scale.
      levels: scales, at least 1; each halves both sides, until they are one pixel.

    Returns:
      The approximation and the details of every scale. Where all sides are even the squares of the coefficients have the image's sum.

    Raises:
      InputError: fewer than one level, or more than the image has.

    Reference: Mallat, "A Theory for Multiresolution Signal Decomposition: The Wavelet Representation", TPAMI 1989, with Haar's filters; the
      bands are named and signed as MATLAB's and PyWavelets' `dwt2`.
    """
    _check_levels(image.shape[-3:-1], levels)
    approximation, details = jnp.asarray(image), []
    for _ in range(levels):
        even = pad_to_multiple(approximation, 2, "edge")
        a, b, c, d = (0.5 * even[..., i::2, j::2, :] for i in (0, 1) for j in (0, 1))
        approximation = a + b + c + d
        details.append(Details(a + b - c - d, a - b + c - d, a - b - c + d))
    return Haar(approximation, tuple(details))


@partial(jax.jit, static_argnums=1)
def inverse_haar(coefficients: Haar, size: tuple[int, int]) -> Float[Array, "... _ _ _"]:
    """The exact inverse of `haar` for an image of size (height, width).

    Raises:
      InputError: coefficients that are not those of an image of that size.
    """
    sizes = [size]
    for _ in coefficients.details:
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    bands = [coefficients.approximation, *(band for details in coefficients.details for band in details)]
    wanted = [sizes[-1], *(scale for scale in sizes[1:] for _ in range(3))]
    if any(band.shape[-3:-1] != scale for band, scale in zip(bands, wanted, strict=True)):
        raise InputError(f"coefficients of shapes {[b.shape for b in bands]} are not those of an image of {size[0]}x{size[1]}")
    image = jnp.asarray(coefficients.approximation)
    for details, (height, width) in zip(reversed(coefficients.details), reversed(sizes[:-1]), strict=True):
        h, v, d = details
        quarters = [(image + h + v + d, image + h - v - d), (image - h + v - d, image - h - v + d)]
        rows = [jnp.stack(pair, axis=-2).reshape(*image.shape[:-2], -1, image.shape[-1]) for pair in quarters]
        image = 0.5 * jnp.stack(rows, axis=-3).reshape(*image.shape[:-3], -1, *rows[0].shape[-2:])
        image = image[..., :height, :width, :]
    return image


def _check_levels(size: tuple[int, int], levels: int) -> None:
    most = max((max(size) - 1).bit_length(), 1)
    check_range("levels", levels, low=1)
    if levels > most:
        raise InputError(f"levels is {levels}: an image of {size[0]}x{size[1]} is one pixel after {most}")
