"""The low resolutions of DIV2K other than bicubic: the tracks of the NTIRE challenges of 2017 and 2018."""

import math
from typing import Annotated

import jax
import jax.numpy as jnp

from jaxrestore.degradations.batches import each_image
from jaxrestore.errors import InputError
from jaxrestore.ops.blur_kernels import anisotropic_gaussian_kernel, trajectory_kernel
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.filtering import filter_2d
from jaxrestore.ops.poisson import poisson_counts
from jaxrestore.ops.resize import imresize
from jaxrestore.typing import Image, Key

Track = Annotated[str, "unknown", "mild", "difficult", "wild"]

# Length of the motion and shift (down, right) in pixels of the low resolution, direction in degrees, photons at white.
_FIXED = {"mild": (1.0, 30.0, (0.5, -0.5), 300.0), "difficult": (2.0, 30.0, (1.0, -1.0), 100.0)}
_LENGTH, _SHIFT, _PEAK = (0.5, 2.0), 1.0, (60.0, 600.0)  # what the track "wild" draws from
_POINTS = 33  # of a motion


def div2k(key: Key, image: Image, track: Track = "wild", scale: int = 4) -> Image:
    """Low resolution as in a track of the NTIRE challenges, whose operators were never published: an approximation.

    The organisers say this much: "unknown" (2017) blurs and shrinks every image alike, without noise; the tracks of 2018 add motion blur,
    pixel shifts and Poisson noise, "mild" and, stronger, "difficult" with the same operator for all images, "wild" with another for each.
    The kinds are taken from them; the numbers below are our own, of the size that shows in the published images.

    - unknown: a Gaussian of 0.5 * scale by 0.3 * scale pixels at 30 degrees.
    - mild: motion over 1 pixel of the low resolution at 30 degrees, a shift by half a pixel, 300 photons at white.
    - difficult: motion over 2 pixels, a shift by 1, 100 photons.
    - wild: motion over 0.5..2 pixels in any direction, shifts by up to 1 to each side, 60..600 photons (uniform in the logarithm).

    All shrink with the antialiased bicubic kernel after the blur. Those who need the challenge's own images should read them from DIV2K.

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1].
      track: "unknown", "mild", "difficult" or "wild".
      scale: how many times smaller, >= 1; the tracks of 2018 have 4 alone.

    Returns:
      (..., ceil(H / scale), ceil(W / scale), C), not clipped.

    Raises:
      InputError: there is no such track, or scale is below 1.

    Reference: Timofte et al., "NTIRE 2017 Challenge on Single Image Super-Resolution: Methods and Results", CVPR Workshops 2017; Timofte
      et al., "NTIRE 2018 Challenge on Single Image Super-Resolution: Methods and Results", CVPR Workshops 2018.
    """
    if track not in Track.__metadata__:
        raise InputError(f"track is {track!r}: it must be one of {', '.join(Track.__metadata__)}")
    check_range("scale", scale, low=1)
    return each_image(_div2k, key, image, track=track, scale=scale)


def _div2k(key: Key, image: jax.Array, track: str, scale: int) -> jax.Array:
    if track == "unknown":
        size = 2 * math.ceil(1.5 * scale) + 1
        return imresize(filter_2d(image, anisotropic_gaussian_kernel(size, 0.5 * scale, 0.3 * scale, 30.0), "symmetric"), 1 / scale)
    length_key, angle_key, shift_key, peak_key, noise_key = jax.random.split(key, 5)
    if track == "wild":
        length = jax.random.uniform(length_key, minval=_LENGTH[0], maxval=_LENGTH[1])
        angle = jax.random.uniform(angle_key, maxval=180.0)
        shift = jax.random.uniform(shift_key, (2,), minval=-_SHIFT, maxval=_SHIFT)
        peak = jnp.round(jnp.exp(jax.random.uniform(peak_key, minval=math.log(_PEAK[0]), maxval=math.log(_PEAK[1]))))
    else:
        length, angle, shift, peak = (jnp.asarray(value) for value in _FIXED[track])
    along = jnp.stack([-jnp.sin(jnp.radians(angle)), jnp.cos(jnp.radians(angle))])
    share = jnp.linspace(-0.5, 0.5, _POINTS)[:, None]
    path = scale * (share * length * along[None, :] + shift[None, :])
    kernel = trajectory_kernel(2 * math.ceil(2 * scale) + 3, path, jnp.ones(_POINTS))
    small = imresize(filter_2d(image, kernel, "symmetric"), 1 / scale)
    return poisson_counts(noise_key, peak * jnp.maximum(small, 0.0)).astype(image.dtype) * (1.0 / peak)
