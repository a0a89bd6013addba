"""Notch filtering: regular patterns such as moire are peaks of the spectrum, and peaks can be taken out."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.classical.images import in_float
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.median import median_filter
from jaxrestore.typing import Image

# Side of the window of frequencies whose median says what is usual there: wide enough to forget a peak of a few.
_USUAL = 11


def moire_notch(image: Image, *, threshold: float | int = 5.0, keep: float | int = 0.05, width: float | int = 2.5) -> Image:
    """Find the peaks of each channel's spectrum and filter them out.

    Args:
      image: (..., H, W, C).
      threshold: a peak has at least this many times the magnitude that is usual around it, > 1.
      keep: frequencies below this, in cycles for each pixel, are the picture's own and are left alone; 0..0.5.
      width: standard deviation of the notches in steps of frequency, > 0.

    Returns:
      The image without the patterns. What the picture itself has of regular patterns, such as fences, goes too; patterns that bend, as
      those of a screen that is photographed askew, are no peaks and stay.

    Raises:
      InputError: a value outside its range.

    Reference: Gonzalez and Woods, "Digital Image Processing", section "Notch Filters"; Wei et al., "A Median-Gaussian Filtering Framework
      for Moire Pattern Noise Removal from X-Ray Microscopy Image", Micron 2012, for the median of the spectrum.
    """
    check_range("threshold", threshold, low=1.0, open_low=True)
    check_range("keep", keep, low=0.0, high=0.5)
    check_range("width", width, low=0.0, open_low=True)
    return _notched(in_float(image), float(threshold), float(keep), float(width)).astype(image.dtype)


@partial(jax.jit, static_argnames=("width",))
def _notched(image: jax.Array, threshold: jax.Array, keep: jax.Array, width: float) -> jax.Array:
    rows, columns = image.shape[-3:-1]
    # A window keeps the edges of the frame from drawing a cross through the spectrum.
    fade = np.hanning(rows + 2)[1:-1, None] * np.hanning(columns + 2)[None, 1:-1]
    fade = fade.reshape((1,) * (image.ndim - 3) + (rows, columns, 1)).astype(image.dtype)
    centred = image - jnp.mean(image, axis=(-3, -2), keepdims=True)
    magnitude = jnp.log(jnp.abs(jnp.fft.fft2(centred * fade, axes=(-3, -2))) + jnp.finfo(image.dtype).tiny)
    usual = jnp.asarray(median_filter(magnitude, _USUAL, "circular"))
    frequency = jnp.hypot(jnp.fft.fftfreq(rows)[:, None], jnp.fft.fftfreq(columns)[None, :]).reshape(fade.shape)
    peaks = (magnitude - usual > jnp.log(threshold)) & (frequency > keep)
    gain = jnp.where(frequency > keep, 1.0 - _spread(peaks.astype(image.dtype), width), 1.0)
    return jnp.real(jnp.fft.ifft2(jnp.fft.fft2(image, axes=(-3, -2)) * gain, axes=(-3, -2))).astype(image.dtype)


def _spread(peaks: jax.Array, width: float) -> jax.Array:
    """The largest of the Gaussians that stand on the peaks, along rows and then along columns."""
    reach = int(np.ceil(3 * width))
    for axis in (-3, -2):
        around = [float(np.exp(-0.5 * (d / width) ** 2)) * jnp.roll(peaks, d, axis) for d in range(-reach, reach + 1)]
        peaks = jnp.max(jnp.stack(around), axis=0)
    return peaks
