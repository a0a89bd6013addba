"""Missing content: pixels lost independently of each other, or those of a given mask."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from jaxrestore.degradations.arguments import Level
from jaxrestore.degradations.batches import each_image
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_image, check_range
from jaxrestore.typing import Image, Key


def missing(key: Key, image: Image, rate: Level, fill: Level = 0.0) -> Image:
    """Lose pixels independently of each other, all channels together: what pixel interpolation and compressed sensing restore.

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1].
      rate: probability that a pixel is lost, 0..1; one number, or one for each image.
      fill: what stands in a lost pixel, 0..1; likewise.

    Raises:
      InputError: rate or fill is outside 0..1.
    """
    check_range("rate", rate, low=0.0, high=1.0)
    check_range("fill", fill, low=0.0, high=1.0)
    return each_image(_missing, key, image, rate, fill)


def missing_mask(key: Key, image: Image, rate: Level) -> Bool[Array, "... _ _ 1"]:
    """Where `missing` with the same key and rate loses pixels.

    Args:
      key: random key.
      image: (..., H, W, C); only its shape matters.
      rate: as for `missing`.

    Returns:
      (..., H, W, 1), True where a pixel is lost.

    Raises:
      InputError: rate is outside 0..1.
    """
    check_range("rate", rate, low=0.0, high=1.0)
    return each_image(_mask, key, image, rate)


def cover(key: Key, image: Image, mask: Bool[Array | np.ndarray, "... _ _ 1"], fill: Level = 0.0) -> Image:
    """Cover the pixels of a mask that is given: user-drawn holes, or the published masks of a benchmark.

    Args:
      key: not used; the mask is given.
      image: (..., H, W, C) in [0, 1].
      mask: (H, W, 1), or (..., H, W, 1) with one for each image; True where the content is lost.
      fill: what replaces it, 0..1; one number, or one for each image.

    Raises:
      InputError: the mask is of another size than the image, or fill is outside 0..1.
    """
    check_image(image)
    check_range("fill", fill, low=0.0, high=1.0)
    if mask.shape[-3:-1] != image.shape[-3:-1] or mask.shape[:-3] not in ((), image.shape[:-3]):
        raise InputError(f"mask has the shape {mask.shape}: an image of shape {image.shape} needs {(*image.shape[:-1], 1)}")
    if jnp.ndim(fill) and jnp.shape(fill) != image.shape[:-3]:
        raise InputError(f"fill has the shape {jnp.shape(fill)}: it must be one number, or of the batch's shape {image.shape[:-3]}")
    return _cover(jnp.asarray(image), jnp.asarray(mask), jnp.asarray(fill))


@jax.jit
def _cover(image: jax.Array, mask: jax.Array, fill: jax.Array) -> jax.Array:
    fill = jnp.broadcast_to(fill, image.shape[:-3]).astype(image.dtype)[..., None, None, None]
    return jnp.where(jnp.broadcast_to(mask, (*image.shape[:-1], 1)), fill, image)


def _missing(key: Key, image: jax.Array, rate: jax.Array, fill: jax.Array) -> jax.Array:
    return jnp.where(_mask(key, image, rate), fill, image)


def _mask(key: Key, image: jax.Array, rate: jax.Array) -> jax.Array:
    return jax.random.uniform(key, (*image.shape[:2], 1)) < rate
