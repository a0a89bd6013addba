"""Shrinking by a Lanczos filter and a stride, as Deep Image Prior models a low-resolution camera.

Away from the border this is `ops.resize.imresize` with a Lanczos kernel when `phase` is 1/2; here the border pixel is repeated instead of
mirrored, and a phase of zero keeps every factor-th pixel's own place.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.padding import pad
from jaxrestore.typing import Image


def lanczos_taps(factor: int, lobes: int = 2, phase: float | int = 0.5) -> np.ndarray:
    """The filter along one side, whose sum is one, in float64.

    Args:
      factor: how many times smaller, at least 1.
      lobes: of the windowed sinc on each side, at least 1: 2 for Lanczos2, 3 for Lanczos3.
      phase: 0.5 for an even number of taps, 2 * lobes * factor, centred between two pixels; 0 for one more, centred on a pixel.

    Raises:
      InputError: a number out of its range.
    """
    check_range("factor", factor, low=1)
    check_range("lobes", lobes, low=1)
    if phase not in (0, 0.5):
        raise InputError(f"phase is {phase}: it must be 0 or 0.5")
    count = 2 * lobes * factor + (phase == 0)
    distance = (np.arange(count) - (count - 1) / 2) / factor
    taps = np.sinc(distance) * np.sinc(distance / lobes)
    return taps / taps.sum()


@partial(jax.jit, static_argnums=(1, 2, 3))
def lanczos_downsample(image: Image, factor: int, lobes: int = 2, phase: float | int = 0.5) -> Float[Array, "... _ _ _"]:
    """Shrink by a whole number.

    Args:
      image: (..., H, W, C), any range.
      factor: how many times smaller, at least 1.
      lobes: as for `lanczos_taps`.
      phase: as for `lanczos_taps`. With 0 pixel i of the result lies at pixel i * factor; with 0.5 the result lies as any antialiased
        resizing's where the factor is even, and is taken half a pixel further down and right where it is odd.

    Returns:
      (..., H', W', C), float32 or wider; H' is H / factor where that is whole. Overshoots the range.

    Raises:
      InputError: a number out of its range, or an image with fewer pixels than the factor along a side.

    Reference: Ulyanov, Vedaldi and Lempitsky, "Deep Image Prior", CVPR 2018, section 3.2 (the operator of the authors' code, with its
      `preserve_size`).
    """
    taps = lanczos_taps(factor, lobes, phase)
    if min(image.shape[-3:-1]) < factor:
        raise InputError(f"image is {image.shape[-3]}x{image.shape[-2]}: too small to shrink by {factor}")
    missing = len(taps) - (1 if phase == 0 else factor)
    border = (missing // 2, missing - missing // 2)
    image = jnp.asarray(image, jnp.promote_types(image.dtype, jnp.float32))
    padded = pad(image, border, border, "edge")
    weights = taps.astype(image.dtype)
    for axis in (padded.ndim - 3, padded.ndim - 2):
        length = (padded.shape[axis] - len(taps)) // factor + 1
        ends = (length - 1) * factor + 1
        padded = sum(w * jax.lax.slice_in_dim(padded, i, i + ends, factor, axis) for i, w in enumerate(weights))
    return padded
