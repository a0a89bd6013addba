"""Removing the blocks and rings of JPEG: methods that know the quantiser, and change nothing that the file says for certain.

The decoded picture is taken as it comes out of a decoder, not clipped by anyone else and not resized; its 8x8 blocks begin at the top left.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Shaped

from jaxrestore.classical.images import in_float
from jaxrestore.classical.quantisation_cells import cells, coefficients, from_coefficients, quantise
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.color import rgb_to_ycbcr_full, ycbcr_full_to_rgb
from jaxrestore.ops.differences import divergence, gradient
from jaxrestore.ops.jpeg_tables import quantisation_tables
from jaxrestore.ops.padding import crop, pad, pad_to_multiple
from jaxrestore.ops.resize import imresize
from jaxrestore.typing import ArrayLike, Image

Tables = Shaped[np.ndarray, "..."]

_SIDE = 8


def shifted_jpeg(
    image: Image, *, quality: int = 10, tables: Tables | None = None, subsampled: bool = True, width: float | int = 0.5
) -> Image:
    """Compress the picture again on each of the 64 shifted grids and average, so that no grid's borders are left to be seen.

    Args:
      image: (..., H, W, C) in [0, 1], of 1 or 3 channels, decoded from a JPEG.
      quality: of that JPEG in libjpeg's scale, 1..100; it says which tables.
      tables: (2, 8, 8), the file's own tables in grey levels, luma's and chroma's, in place of `quality`.
      subsampled: chroma was stored at half the resolution (4:2:0), as is usual; False for 4:4:4.
      width: in the end coefficients return to within this share of their quantiser's cell, in (0, 1]; 1 asks only that the result be a
        picture that the file can have been made from, but originals crowd around the middle of the cells.

    Returns:
      (..., H, W, C), not clipped.

    Raises:
      InputError: a number is out of its range, the tables are not (2, 8, 8) positive numbers, or the image has neither 1 nor 3 channels.

    Reference: Nosratinia, "Enhancement of JPEG-Compressed Images by Re-application of JPEG", Journal of VLSI Signal Processing 2001.
    """
    check_range("width", width, low=0.0, high=1.0, open_low=True)
    steps = _steps(quality, tables)
    return _shifted(in_float(image), steps, subsampled, float(width)).astype(image.dtype)


def tv_deblocking(
    image: Image,
    *,
    quality: int = 10,
    tables: Tables | None = None,
    subsampled: bool = True,
    width: float | int = 0.5,
    iterations: int = 50,
) -> Image:
    """Of all pictures that the file can have been made from, take the one of least total variation.

    Args:
      image: (..., H, W, C) in [0, 1], of 1 or 3 channels, decoded from a JPEG.
      quality: as for `shifted_jpeg`.
      tables: as for `shifted_jpeg`.
      subsampled: as for `shifted_jpeg`.
      width: the share of every quantiser's cell that is allowed, in (0, 1]; with 1, as published, flat parts stay flatter than they were.
      iterations: of the primal-dual algorithm, >= 0.

    Returns:
      (..., H, W, C), not clipped.

    Raises:
      InputError: as for `shifted_jpeg`.

    Reference: Bredies and Holler, "A Total Variation-Based JPEG Decompression Model", SIIMS 2012, sections 2 and 4; Alter, Durand and
    Froment, "Adapted Total Variation for Artifact Free Decompression of JPEG Images", JMIV 2005. Narrower cells: Park and Kim,
    "Theory of Projection onto the Narrow Quantization Constraint Set and Its Application", TIP 1999.
    """
    check_range("width", width, low=0.0, high=1.0, open_low=True)
    check_range("iterations", iterations, low=0)
    steps = _steps(quality, tables)
    return _least_variation(in_float(image), steps, subsampled, float(width), iterations).astype(image.dtype)


def _steps(quality: int, tables: np.ndarray | None) -> np.ndarray:
    tables = quantisation_tables(quality) if tables is None else tables
    if tables.shape != (2, _SIDE, _SIDE) or not np.all(tables > 0):
        raise InputError(f"tables have the shape {tables.shape}: they must be positive numbers (2, 8, 8), luma's and chroma's")
    return tables.astype(np.float64)


def _each_plane(image: jax.Array, steps: jax.Array, subsampled: bool, method: Callable[[jax.Array, jax.Array], jax.Array]) -> jax.Array:
    """Apply `method(planes, table)` to the luma and the chroma as they were stored, in whole blocks."""
    size = image.shape[-3:-1]
    if image.shape[-1] == 1:
        return crop(method(pad_to_multiple(image, _SIDE, "replicate"), steps[0]), size)
    if image.shape[-1] != 3:
        raise InputError(f"image has {image.shape[-1]} channels: a JPEG picture has 1 or 3")
    planes = pad_to_multiple(rgb_to_ycbcr_full(image), 2 * _SIDE if subsampled else _SIDE, "replicate")
    luma, chroma = planes[..., :1], planes[..., 1:]
    stored = imresize(chroma, 0.5, kernel="box") if subsampled else chroma
    improved = method(stored, steps[1])
    # What chroma holds beyond the stored resolution is the decoder's interpolation, and is kept.
    chroma = chroma + imresize(improved - stored, 2.0, kernel="linear") if subsampled else improved
    return ycbcr_full_to_rgb(crop(jnp.concatenate([method(luma, steps[0]), chroma], axis=-1), size))


@partial(jax.jit, static_argnums=2)
def _shifted(image: jax.Array, steps: jax.Array, subsampled: bool, width: ArrayLike) -> jax.Array:
    def average(plane: jax.Array, table: jax.Array) -> jax.Array:
        *batch, height, columns, channels = plane.shape
        padded = pad(plane, (_SIDE, _SIDE), (_SIDE, _SIDE), "symmetric")
        origin = (0,) * len(batch)

        def add(shift: ArrayLike, total: jax.Array) -> jax.Array:
            down, right = shift // _SIDE, shift % _SIDE
            part = jax.lax.dynamic_slice(padded, (*origin, down, right, 0), (*batch, height + _SIDE, columns + _SIDE, channels))
            again = from_coefficients(quantise(coefficients(part), table))
            return total + jax.lax.dynamic_slice(again, (*origin, _SIDE - down, _SIDE - right, 0), plane.shape)

        mean = jax.lax.fori_loop(0, _SIDE**2, add, jnp.zeros_like(plane)) / _SIDE**2
        return cells(plane, table, width).nearest(mean)

    return _each_plane(image, steps, subsampled, average)


@partial(jax.jit, static_argnums=2)
def _least_variation(image: jax.Array, steps: jax.Array, subsampled: bool, width: ArrayLike, iterations: ArrayLike) -> jax.Array:
    primal = 0.02  # about the change that a pixel needs
    dual = 1.0 / (8.0 * primal)

    def minimise(plane: jax.Array, table: jax.Array) -> jax.Array:
        allowed = cells(plane, table, width)

        def improve(_: ArrayLike, state: tuple) -> tuple:
            u, ahead, down, right = state
            down, right = (p + dual * g for p, g in zip((down, right), gradient(ahead), strict=True))
            length = jnp.maximum(jnp.sqrt(down**2 + right**2), 1.0)
            down, right = down / length, right / length
            new = allowed.nearest(u + primal * divergence(down, right))
            return new, 2.0 * new - u, down, right

        flat = jnp.zeros_like(plane)
        return jax.lax.fori_loop(0, iterations, improve, (plane, plane, flat, flat))[0]

    return _each_plane(image, steps, subsampled, minimise)
