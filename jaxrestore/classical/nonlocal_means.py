"""Non-local means: every pixel becomes the average of the pixels whose surroundings look like its own.

How alike two patches are is a sum over a window of squared differences of the image and a shifted copy. So the loop goes over shifts: one
squared difference of whole images, a sum along columns, one along rows, an exponential. A shift and its opposite share the work, since the
likeness of two patches is mutual.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.classical.images import in_float
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.padding import pad
from jaxrestore.typing import Image

_LEVELS = 255.0
# Cut-off distances that suit photographs, in units of the noise's standard deviation.
_FLAT, _GAUSSIAN = 0.65, 0.8


def nonlocal_means(
    image: Image,
    *,
    sigma: float | int,
    h: float | int | None = None,
    patch_size: int = 5,
    reach: int = 11,
) -> Image:
    """Non-local means whose patches count alike in all their pixels.

    Args:
      image: (..., H, W, C); patches are compared in all channels at once.
      sigma: noise level in grey levels, >= 0: what it adds to the distance of two patches is taken off.
      h: distance of two patches, root mean square in grey levels, at which their weight has fallen to 1/e, > 0; None is 0.65 sigma.
      patch_size: side of the patches in pixels, odd.
      reach: how far away similar patches are looked for, in rows and columns, >= 0; beyond the border they are those of the mirrored image.

    Raises:
      InputError: a value outside its range.

    Reference: Buades, Coll and Morel, "A Non-Local Algorithm for Image Denoising", CVPR 2005, section 3; "Non-Local Means Denoising", IPOL
      2011, for the noise level; Darbon et al., "Fast Nonlocal Filtering Applied to Electron Cryomicroscopy", ISBI 2008, for the loop.
    """
    return _denoised(image, sigma, _FLAT * sigma if h is None else h, _flat_taps(patch_size), reach, True)


def nonlocal_means_gaussian(
    image: Image,
    *,
    sigma: float | int,
    h: float | int | None = None,
    patch_size: int = 7,
    reach: int = 11,
) -> Image:
    """Non-local means whose patches count most in the middle, the original form.

    Args:
      image: (..., H, W, C); patches are compared in all channels at once.
      sigma: as for `nonlocal_means`.
      h: as for `nonlocal_means`, but None is 0.8 sigma.
      patch_size: side of the patches, odd; the Gaussian over them has a standard deviation of (side - 1) / 4.
      reach: how far away similar patches are looked for, >= 0; only inside the image.

    Raises:
      InputError: a value outside its range.

    Reference: Buades, Coll and Morel, "A Non-Local Algorithm for Image Denoising", CVPR 2005, section 3.
    """
    return _denoised(image, sigma, _GAUSSIAN * sigma if h is None else h, _gaussian_taps(patch_size), reach, False)


def _denoised(image: Image, sigma: float | int, h: float | int, taps: np.ndarray, reach: int, beyond_border: bool) -> jax.Array:
    check_range("sigma", sigma, low=0.0)
    check_range("h", h, low=0.0, open_low=True)
    check_range("reach", reach, low=0)
    settings = (jnp.asarray(x / _LEVELS) for x in (sigma, h))
    return _nonlocal_means(in_float(image), *settings, tuple(taps.tolist()), reach, beyond_border).astype(image.dtype)


def _flat_taps(size: int) -> np.ndarray:
    _check_patch(size)
    return np.full(size, 1.0 / size)


def _gaussian_taps(size: int) -> np.ndarray:
    _check_patch(size)
    distance = np.arange(size) - size // 2
    taps = np.exp(-0.5 * np.square(distance / max((size - 1) / 4, 1e-3)))
    return taps / taps.sum()


def _check_patch(size: int) -> None:
    if size < 1 or size % 2 == 0:
        raise InputError(f"patch_size is {size}: a patch's side must be odd and at least 1")


@partial(jax.jit, static_argnames=("taps", "reach", "beyond_border"))
def _nonlocal_means(
    image: jax.Array, sigma: jax.Array, h: jax.Array, taps: tuple[float, ...], reach: int, beyond_border: bool
) -> jax.Array:
    flat = image.reshape(-1, *image.shape[-3:])
    one = partial(_one_image, sigma=sigma, h=h, taps=taps, reach=reach, beyond_border=beyond_border)
    # Image after image: the working set of one is what a cache may hold.
    return jax.lax.map(one, flat).reshape(image.shape)


def _one_image(image: jax.Array, sigma: jax.Array, h: jax.Array, taps: tuple[float, ...], reach: int, beyond_border: bool) -> jax.Array:
    height, width, channels = image.shape
    half, side = len(taps) // 2, len(taps)
    margin = 2 * reach + half
    dtype = image.dtype
    # In units in which the sum of weighted squares is the exponent.
    unit = (1.0 / (h * np.sqrt(channels))).astype(dtype)
    planes = jnp.moveaxis(pad(image, (margin, margin), (margin, margin)), -1, 0) * unit
    expected = 2.0 * channels * jnp.square(sigma.astype(dtype) * unit)
    weights_of_places = np.asarray(taps, dtype)
    shifts = [(i, j) for j in range(reach + 1) for i in range(-reach, reach + 1) if (j, i) > (0, 0)]
    shifts = jnp.asarray(np.asarray(shifts, np.int32).reshape(-1, 2))
    # Where a shift's weights are needed: at each pixel, and at the pixel from which the shift leads there.
    rows, columns = height + 2 * reach, width + reach
    fixed = planes[:, reach : reach + rows + 2 * half, reach : reach + columns + 2 * half]
    row_numbers, column_numbers = jnp.arange(height)[:, None], jnp.arange(width)[None, :]

    def at(down: jax.Array | int, right: jax.Array | int) -> jax.Array:
        """The image, shifted."""
        return _window(planes, margin + down, margin + right, height, width)

    def inside(down: jax.Array, right: jax.Array) -> jax.Array:
        row, column = row_numbers + down, column_numbers + right
        return ((row >= 0) & (row < height) & (column >= 0) & (column < width)).astype(dtype)

    def add(index: jax.Array, sums: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        down, right = shifts[index]
        moved = _window(planes, reach + down, reach + right, *fixed.shape[1:])
        squares = jnp.sum(jnp.square(fixed - moved), axis=0)
        along = sum(weights_of_places[j] * squares[:, j : j + columns] for j in range(side))
        distance = sum(weights_of_places[i] * along[i : i + rows] for i in range(side))
        weight = jnp.exp(-jnp.maximum(distance - expected, 0.0))
        there = weight[reach : reach + height, reach:]
        back = _window(weight[None], reach - down, reach - right, height, width)[0]
        if not beyond_border:
            there, back = there * inside(down, right), back * inside(-down, -right)
        return sums[0] + there[None] * at(down, right) + back[None] * at(-down, -right), sums[1] + there + back

    # A patch is like itself: weight one.
    start = (at(0, 0), jnp.ones((height, width), dtype))
    total, weights = jax.lax.fori_loop(0, len(shifts), add, start) if len(shifts) else start
    return jnp.moveaxis(total / weights[None] / unit, 0, -1)


def _window(planes: jax.Array, row: jax.Array | int, column: jax.Array | int, height: int, width: int) -> jax.Array:
    start = (jnp.asarray(place, jnp.int32) for place in (0, row, column))
    return jax.lax.dynamic_slice(planes, tuple(start), (len(planes), height, width))
