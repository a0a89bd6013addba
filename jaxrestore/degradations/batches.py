"""One key for a batch: how a degradation of one image becomes one of many.

Image k of a batch is degraded with `jax.random.fold_in(key, k)` and gets exactly what it would get alone with that key, whatever else is in
the batch and however the batch is split over devices.
"""

import inspect
import math
from collections.abc import Callable, Hashable
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int
from jaxtyping import Key as KeyArray

from jaxrestore.degradations.arguments import Level
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_image
from jaxrestore.typing import Image, Key

Degradation = Callable[..., Image]
"""(key, image (..., H, W, C) in [0, 1]) -> image, further arguments by name."""


def image_keys(key: Key, indices: Int[Array, " n"]) -> KeyArray[Array, " n"]:
    """One key for each image: `fold_in(key, index)`. An image keeps its key wherever it comes to stand in a batch."""
    return jax.vmap(jax.random.fold_in, (None, 0))(key, indices)


def batched(degradation: Degradation) -> Degradation:
    """The degradation over (keys (N,), images (N, H, W, C)), one key for each image; what a training step calls.

    Further positional arguments are (N,) each, one number for each image. Bind others beforehand, with `functools.partial` or in a recipe.
    """
    return jax.vmap(degradation)


def each_image(function: Callable[..., Array], key: Key, image: Image, *levels: Level, **static: Hashable) -> Array:
    """Apply `function(key, image (H, W, C), *levels, **static)` to an image or to every image of a batch, compiled.

    Args:
      function: degrades one image, in float32 or better; it is traced, so it checks nothing. It is compiled once for each shape and each
        value of `static`, so it should be a function of a module, not one made for the call.
      key: one key; a batch's images get `fold_in(key, index)`, a single image gets the key itself.
      image: (..., H, W, C), floating point.
      *levels: numbers, or arrays of the batch's shape with one number for each image.
      **static: arguments that are compiled in.

    Returns:
      What the function gives, stacked as the images are; floating point results in the image's dtype.

    Raises:
      InputError: the image is not a finite floating point image, or a level's shape is not the batch's.
    """
    check_image(image)
    batch = image.shape[:-3]
    for i, level in enumerate(levels):
        if jnp.shape(level) not in ((), batch):
            name = list(inspect.signature(function).parameters)[2 + i]
            raise InputError(f"{name} has the shape {jnp.shape(level)}: it must be one number, or of the batch's shape {batch}")
    return _each_image(function, tuple(sorted(static.items())), key, image, levels)


@partial(jax.jit, static_argnums=(0, 1))
def _each_image(function: Degradation, static: tuple, key: Key, image: jax.Array, levels: tuple) -> jax.Array:
    function = partial(function, **dict(static))
    dtype = jnp.promote_types(image.dtype, jnp.float32)
    batch, count = image.shape[:-3], math.prod(image.shape[:-3])
    levels = tuple(jnp.broadcast_to(jnp.asarray(level, dtype), batch) for level in levels)
    if not batch:
        result = function(key, image.astype(dtype), *levels)
    else:
        flat = image.astype(dtype).reshape(count, *image.shape[-3:])
        results = jax.vmap(function)(image_keys(key, jnp.arange(count)), flat, *(level.reshape(count) for level in levels))
        result = results.reshape(*batch, *results.shape[1:])
    return result.astype(image.dtype) if jnp.issubdtype(result.dtype, jnp.floating) else result
