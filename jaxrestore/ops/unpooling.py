"""Max-pooling that remembers where each maximum was, and unpooling, which puts values back there."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxrestore.errors import InputError
from jaxrestore.ops.padding import crop
from jaxrestore.ops.pixel_shuffle import pixel_shuffle
from jaxrestore.ops.symbolic import is_symbolic
from jaxrestore.typing import Image

Places = Int[Array, "... _ _ _"]
"""(..., h, w, C): where in its window each maximum was: row * window + column."""


def max_pool(image: Image, window: int = 2) -> Float[Array, "... _ _ _"]:
    """The largest value of every window x window square; rows and columns that fill no square are left out.

    Args:
      image: (..., H, W, C), H and W at least `window`.
      window: side of the squares, in pixels.

    Returns:
      (..., H // window, W // window, C). The gradient goes to the first of equal maxima, in reading order.

    Raises:
      InputError: the image is smaller than a window.
    """
    return max_pool_with_places(image, window)[0]


def max_pool_with_places(image: Image, window: int = 2) -> tuple[Float[Array, "... _ _ _"], Places]:
    """`max_pool`, and the place of each maximum in its window.

    Args:
      image: (..., H, W, C), H and W at least `window`.
      window: side of the squares, in pixels.

    Returns:
      The maxima (..., H // window, W // window, C) and their places, 0 to window**2 - 1, in the same shape. Unlike torch's indices, which
      count through the whole image, places stay the same when the image is cut differently.

    Raises:
      InputError: the image is smaller than a window.
    """
    height, width = (side // window for side in image.shape[-3:-1])
    if not height or not width:
        raise InputError(f"an image of {image.shape[-3]}x{image.shape[-2]} cannot be pooled in windows of {window}x{window}")
    image = crop(jnp.asarray(image), (height * window, width * window))
    # One strided picture for each place in the window: on every backend faster to differentiate than a window reduction.
    best, places = _pixels(image, window, 0), jnp.zeros((*image.shape[:-3], height, width, image.shape[-1]), jnp.int32)
    for place in range(1, window**2):
        candidate = _pixels(image, window, place)
        better = (candidate > best) | jnp.isnan(candidate)
        best, places = jnp.where(better, candidate, best), jnp.where(better, place, places)
    return best, places


def _pixels(image: jax.Array, window: int, place: int) -> jax.Array:
    """The pixels at one place in every window."""
    row, column = divmod(place, window)
    if not is_symbolic(*image.shape):
        return image[..., row::window, column::window, :]
    *batch, height, width, channels = image.shape
    squares = image.reshape(*batch, height // window, window, width // window, window, channels)
    return jax.lax.index_in_dim(jax.lax.index_in_dim(squares, column, -2, keepdims=False), row, -3, keepdims=False)


def max_unpool(values: Image, places: Places, window: int = 2, size: tuple[int, int] | None = None) -> Float[Array, "... _ _ _"]:
    """Put every value at its place in a window x window square of zeros.

    Args:
      values: (..., h, w, C).
      places: where, as given by `max_pool_with_places`.
      window: side of the squares, in pixels.
      size: (height, width) of the picture that was pooled, where that was no multiple of the window; the rest is zeros.

    Returns:
      (..., window * h, window * w, C), or that padded with zeros to `size`.

    Raises:
      InputError: values and places differ in shape, or `size` is not one that pools to (h, w).

    Reference: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section 2.1.
    """
    if values.shape != places.shape:
        raise InputError(f"values {values.shape} and places {places.shape} differ in shape: they must come from pooling the same size")
    *batch, height, width, channels = values.shape
    chosen = places[..., None] == jnp.arange(window**2, dtype=places.dtype).reshape((1,) * values.ndim + (-1,))
    squares = jnp.where(chosen, jnp.asarray(values)[..., None], 0)
    image = pixel_shuffle(squares.reshape(*batch, height, width, channels * window**2), window)
    if size is None:
        return image
    if (size[0] // window, size[1] // window) != (height, width):
        raise InputError(f"size {size[0]}x{size[1]} does not pool to {height}x{width} in windows of {window}x{window}")
    below, right = size[0] - height * window, size[1] - width * window
    return jnp.pad(image, [(0, 0)] * len(batch) + [(0, below), (0, right), (0, 0)])
