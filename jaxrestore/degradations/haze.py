"""Haze: light scattered into and out of the line of sight, the more the farther away."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.lax import optimization_barrier
from jaxtyping import Array, Float

from jaxrestore.degradations.arguments import Level
from jaxrestore.degradations.batches import each_image
from jaxrestore.degradations.fields import smooth_field
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_image, check_range
from jaxrestore.typing import Image, Key


def haze(key: Key, image: Image, beta: Level = 1.2, airlight: Level = 0.85) -> Image:
    """Haze over a scene of random depth: far at the top with smooth hills, from 0 at the nearest place to 1 at the farthest.

    Args:
      key: random key, of the depth.
      image: (..., H, W, C) in [0, 1].
      beta: scattering coefficient for depth 1, >= 0: the farthest place keeps exp(-beta) of its light. The literature's indoor training
        set draws 0.6..1.8. One number, or one for each image.
      airlight: brightness of the haze itself, 0..1; there 0.7..1. Likewise.

    Returns:
      image * t + airlight * (1 - t) with t = exp(-beta * depth).

    Raises:
      InputError: beta is negative, or airlight is outside 0..1.

    Reference: Narasimhan and Nayar, "Vision and the Atmosphere", IJCV 2002; Li et al., "Benchmarking Single-Image Dehazing and Beyond",
      TIP 2019, section III (the ranges).
    """
    _check(beta, airlight)
    return each_image(_haze, key, image, beta, airlight)


def haze_depth(key: Key, image: Image) -> Float[Array, "... _ _ 1"]:
    """The depth that `haze` with the same key draws.

    Args:
      key: random key.
      image: (..., H, W, C); only its shape matters.

    Returns:
      (..., H, W, 1) in [0, 1].
    """
    return each_image(_depth, key, image)


def scattering(key: Key, image: Image, depth: Float[Array | np.ndarray, "... _ _ 1"], beta: Level = 1.2, airlight: Level = 0.85) -> Image:
    """Haze over a scene whose depth is known.

    Args:
      key: not used; the depth is given.
      image: (..., H, W, C) in [0, 1].
      depth: (H, W, 1), or (..., H, W, 1) with one for each image, >= 0, in any unit.
      beta: scattering coefficient in the inverse of the depth's unit, >= 0; one number, or one for each image.
      airlight: brightness of the haze itself, 0..1; likewise.

    Raises:
      InputError: the depth is of another size than the image, or negative, or as for `haze`.
    """
    check_image(image)
    check_range("depth", depth, low=0.0)
    _check(beta, airlight)
    if depth.shape[-3:-1] != image.shape[-3:-1] or depth.shape[:-3] not in ((), image.shape[:-3]):
        raise InputError(f"depth has the shape {depth.shape}: an image of shape {image.shape} needs {(*image.shape[:-1], 1)}")
    for name, level in (("beta", beta), ("airlight", airlight)):
        if jnp.ndim(level) and jnp.shape(level) != image.shape[:-3]:
            raise InputError(f"{name} has the shape {jnp.shape(level)}: it must be one number, or of the batch's shape {image.shape[:-3]}")
    return _scattering(jnp.asarray(image), jnp.asarray(depth), jnp.asarray(beta), jnp.asarray(airlight))


def _check(beta: Level, airlight: Level) -> None:
    check_range("beta", beta, low=0.0)
    check_range("airlight", airlight, low=0.0, high=1.0)


@jax.jit
def _scattering(image: jax.Array, depth: jax.Array, beta: jax.Array, airlight: jax.Array) -> jax.Array:
    batch, dtype = image.shape[:-3], jnp.promote_types(image.dtype, jnp.float32)
    depth = jnp.broadcast_to(depth, (*image.shape[:-1], 1)).astype(dtype)
    beta, airlight = (jnp.broadcast_to(x, batch).astype(dtype)[..., None, None, None] for x in (beta, airlight))
    return _scattered(image.astype(dtype), depth, beta, airlight).astype(image.dtype)


def _scattered(image: jax.Array, depth: jax.Array, beta: jax.Array, airlight: jax.Array) -> jax.Array:
    # Compilers contract products and sums across these three steps now this way, now that; kept apart, the last bit is always the same.
    transmission = optimization_barrier(jnp.exp(-beta * optimization_barrier(depth)))
    return airlight + (image - airlight) * transmission


def _haze(key: Key, image: jax.Array, beta: jax.Array, airlight: jax.Array) -> jax.Array:
    return _scattered(image, _depth(key, image).astype(image.dtype), beta, airlight)


def _depth(key: Key, image: jax.Array) -> jax.Array:
    height, width = image.shape[:2]
    # Outdoors the ground runs away towards the horizon, which lies somewhere in the upper half.
    horizon_key, hills_key, details_key = jax.random.split(key, 3)
    horizon = jax.random.uniform(horizon_key, minval=0.0, maxval=0.5)
    ramp = jnp.clip((1.0 - (jnp.arange(height) + 0.5) / height) * (1.0 / (1.0 - horizon)), 0.0, 1.0)
    depth = ramp[:, None] + 0.125 * smooth_field(hills_key, (height, width), 4) + 0.0625 * smooth_field(details_key, (height, width), 10)
    depth = depth[:, :, None] - jnp.min(depth)
    return depth * (1.0 / jnp.maximum(jnp.max(depth), 1e-6))
