"""Linear filters in the image's own domain: separable ones, and kernels of two dimensions, one for all images or one for each.

All are correlations: the kernel is laid over the image as it is, with its pixel (kh // 2, kw // 2) on the output pixel. Turn a point spread
function by 180 degrees to convolve with it.
"""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.fourier import Kernel, correlate_valid
from jaxrestore.ops.padding import pad
from jaxrestore.typing import Image

Taps = Float[Array | np.ndarray, " _"]
"""(K,): weights of one dimension."""

_METHODS = ("auto", "shifts", "fft")
# On a CPU the two cost the same between 7x7 and 9x9, for 512x512 images as for batches of small ones; compiling the sum then gets slow.
_MOST_SHIFTS = 64


def gaussian_taps(size: int, sigma: float) -> np.ndarray:
    """A sampled Gaussian of `size` taps whose sum is one, in float64.

    Args:
      size: number of taps, at least 1; between two of them lies the centre of an even one.
      sigma: standard deviation in pixels, > 0.

    Raises:
      InputError: one of them out of its range.
    """
    check_range("size", size, low=1)
    check_range("sigma", sigma, low=0, open_low=True)
    distance = np.arange(size) - (size - 1) / 2
    taps = np.exp(-0.5 * np.square(distance / sigma))
    return taps / taps.sum()


def filter_valid(image: Image, taps: Sequence[float] | np.ndarray) -> Image:
    """Correlate with the same taps along columns and rows, where they lie inside the image.

    Sums of shifted images: on a CPU many times faster than a depthwise convolution, and free of the rounded products of accelerators.

    Args:
      image: (..., H, W, C).
      taps: weights of one dimension, K of them.

    Returns:
      (..., H - K + 1, W - K + 1, C).

    Raises:
      InputError: the image is smaller than the filter.
    """
    height, width = (side - len(taps) + 1 for side in image.shape[-3:-1])
    if height < 1 or width < 1:
        raise InputError(f"a window of {len(taps)}x{len(taps)} does not fit into an image of shape {image.shape}")
    image = jnp.asarray(image)
    taps = np.asarray(taps, image.dtype)
    columns = sum(tap * image[..., i : i + height, :, :] for i, tap in enumerate(taps))
    return sum(tap * columns[..., i : i + width, :] for i, tap in enumerate(taps))


def filter_separable(image: Image, taps_rows: Taps, taps_columns: Taps, padding: str = "reflect") -> Float[Array, "... _ _ _"]:
    """Correlate along rows and along columns, keeping the size.

    Args:
      image: (..., H, W, C).
      taps_rows: (K,), weights of the rows above and below: the vertical filter.
      taps_columns: (L,), weights of the columns left and right: the horizontal filter.
      padding: how the image goes on beyond its border: "reflect", "symmetric", "edge", "wrap" or "constant" (zeros); see `ops.padding.pad`.

    Returns:
      (..., H, W, C), float32 or wider.

    Raises:
      InputError: no taps, or an unknown padding.
    """
    if not len(taps_rows) or not len(taps_columns):
        raise InputError(f"taps of lengths {len(taps_rows)} and {len(taps_columns)}: a filter has at least one")
    return _filter_separable(image, taps_rows, taps_columns, padding)


@partial(jax.jit, static_argnums=3)
def _filter_separable(image: jax.Array, taps_rows: jax.Array, taps_columns: jax.Array, padding: str) -> jax.Array:
    height, width = image.shape[-3:-1]
    padded = pad(_at_least_single(image), _reach(len(taps_rows)), _reach(len(taps_columns)), padding)
    taps_rows, taps_columns = (jnp.asarray(taps, padded.dtype) for taps in (taps_rows, taps_columns))
    rows = sum(taps_rows[i] * padded[..., i : i + height, :, :] for i in range(len(taps_rows)))
    return sum(taps_columns[i] * rows[..., i : i + width, :] for i in range(len(taps_columns)))


def filter_2d(image: Image, kernel: Kernel, padding: str = "reflect", method: str = "auto") -> Float[Array, "... _ _ _"]:
    """Correlate with a kernel of two dimensions, keeping the size.

    Args:
      image: (..., H, W, C).
      kernel: (kh, kw) for all images, or (..., kh, kw) with the image's leading axes: one kernel for each.
      padding: as for `filter_separable`.
      method: "shifts" (a sum of shifted images), "fft", or "auto": the first for kernels of up to 64 weights, where it is faster. A
        depthwise convolution is no third way: XLA's is some forty times slower on a CPU.

    Returns:
      (..., H, W, C), float32 or wider.

    Raises:
      InputError: an unknown padding or method, a kernel without weights, or leading axes that are not the image's.
    """
    if method not in _METHODS:
        raise InputError(f"method is {method!r}: it must be one of {', '.join(_METHODS)}")
    if 0 in kernel.shape or kernel.shape[:-2] not in ((), image.shape[:-3]):
        raise InputError(f"kernel has the shape {kernel.shape}: it must be (kh, kw), or {image.shape[:-3]} + (kh, kw) for one each")
    if method == "auto":
        method = "shifts" if kernel.shape[-2] * kernel.shape[-1] <= _MOST_SHIFTS else "fft"
    return _filter_2d(image, kernel, padding, method)


@partial(jax.jit, static_argnums=(2, 3))
def _filter_2d(image: jax.Array, kernel: jax.Array, padding: str, method: str) -> jax.Array:
    height, width = image.shape[-3:-1]
    rows, columns = kernel.shape[-2:]
    padded = pad(_at_least_single(image), _reach(rows), _reach(columns), padding)
    kernel = jnp.asarray(kernel, padded.dtype)
    if method == "fft":
        return correlate_valid(padded, kernel)
    weights = kernel.reshape((1,) * (image.ndim - 1 - kernel.ndim) + kernel.shape)[..., None, None, None]
    terms = ((i, j) for i in range(rows) for j in range(columns))
    return sum(weights[..., i, j, :, :, :] * padded[..., i : i + height, j : j + width, :] for i, j in terms)


def _at_least_single(image: Image) -> jax.Array:
    return jnp.asarray(image, jnp.promote_types(image.dtype, jnp.float32))


def _reach(taps: int) -> tuple[int, int]:
    return taps // 2, taps - 1 - taps // 2
