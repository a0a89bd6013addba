"""Erased content: rectangles of an image replaced by one value, for inpainting."""

from typing import Annotated

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from jaxrestore.degradations.arguments import Count, Interval, Level
from jaxrestore.degradations.batches import each_image
from jaxrestore.degradations.checks import check_count, check_interval
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range
from jaxrestore.typing import Image, Key

Shape = Annotated[str, "rectangle", "square"]


def erase(key: Key, image: Image, count: Count = 1, size: Interval = (0.1, 0.3), fill: Level = 0.0, shape: Shape = "rectangle") -> Image:
    """Erase random rectangles, the same in all channels; they may overlap.

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1].
      count: how many rectangles, or (low, high) to draw their number for each image, both ends included.
      size: height and width as a share of the image's, 0..1, or (low, high): each side of each rectangle is drawn, and rounded to whole
        pixels, at least one. Rectangles lie fully inside the image, all places equally likely.
      fill: what replaces the content, 0..1; one number, or one for each image.
      shape: "rectangle", or "square": one side is drawn, as a share of the image's shorter side.

    Raises:
      InputError: a value is outside its range, an interval's ends are in the wrong order, or an unknown shape.
    """
    check_range("fill", fill, low=0.0, high=1.0)
    return each_image(_erase, key, image, fill, **_geometry(count, size, shape))


def erase_mask(
    key: Key, image: Image, count: Count = 1, size: Interval = (0.1, 0.3), shape: Shape = "rectangle"
) -> Bool[Array, "... _ _ 1"]:
    """Where `erase` with the same key and arguments erases.

    Args:
      key: random key.
      image: (..., H, W, C); only its shape matters.
      count: as for `erase`.
      size: as for `erase`.
      shape: as for `erase`.

    Returns:
      (..., H, W, 1), True where the content is erased.

    Raises:
      InputError: as for `erase`.
    """
    return each_image(_mask, key, image, **_geometry(count, size, shape))


def _geometry(count: Count, size: Interval, shape: str) -> dict[str, tuple | bool]:
    if shape not in Shape.__metadata__:
        raise InputError(f"shape is {shape!r}: it must be {' or '.join(Shape.__metadata__)}")
    return {
        "square": shape == "square",
        "count": check_count("count", count),
        "size": check_interval("size", size, low=0.0, high=1.0, open_low=True),
    }


def _erase(key: Key, image: jax.Array, fill: jax.Array, count: tuple, size: tuple, square: bool) -> jax.Array:
    return jnp.where(_mask(key, image, count, size, square), fill, image)


def _mask(key: Key, image: jax.Array, count: tuple, size: tuple, square: bool) -> jax.Array:
    count_key, side_key, corner_key = jax.random.split(key, 3)
    height, width = image.shape[:2]
    low, high = count
    drawn = jnp.arange(high) < jax.random.randint(count_key, (), low, high + 1)
    whole = jnp.asarray([[height, width]])
    shares = jax.random.uniform(side_key, (high, 2), minval=size[0], maxval=size[1])
    sides = jnp.round(shares[:, :1] * jnp.minimum(height, width) if square else shares * whole)
    sides = jnp.broadcast_to(sides, (high, 2))
    sides = jnp.clip(sides.astype(int), 1, whole)
    corners = jnp.floor(jax.random.uniform(corner_key, (high, 2)) * (whole - sides + 1)).astype(int)
    rows = _covered(height, corners[:, 0], sides[:, 0])
    columns = _covered(width, corners[:, 1], sides[:, 1])
    return jnp.any(drawn[:, None, None] & rows[:, :, None] & columns[:, None, :], axis=0)[:, :, None]


def _covered(length: int, first: jax.Array, extent: jax.Array) -> jax.Array:
    """(rectangles, length): which positions of a side lie in each rectangle."""
    # The product that gives `first` may be rounded up to one place too far.
    first = jnp.minimum(first, length - extent)[:, None]
    position = jnp.arange(length)[None, :]
    return (position >= first) & (position < first + extent[:, None])
