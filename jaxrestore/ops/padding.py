"""Padding to the sizes that a network needs, and cropping back."""

import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.ops.symbolic import is_symbolic, next_multiple
from jaxrestore.typing import Image, Side

# torch's names and NumPy's -> NumPy's.
_MODES = {
    "reflect": "reflect",
    "symmetric": "symmetric",
    "replicate": "edge",
    "edge": "edge",
    "circular": "wrap",
    "wrap": "wrap",
    "zeros": "constant",
    "constant": "constant",
}
PADDINGS = tuple(_MODES)
"""Names of a border's continuation: torch's ("replicate", "circular", "zeros") and NumPy's ("edge", "wrap", "constant") mean the same."""


def pad(image: Image, rows: tuple[Side, Side], columns: tuple[Side, Side], mode: str = "reflect") -> Image:
    """Pad an image on its four sides.

    Args:
      image: (..., H, W, C).
      rows: pixels added (above, below).
      columns: pixels added (left, right).
      mode: "reflect" (mirror without repeating the edge pixel; where the image is smaller than the border it bounces to and fro, and a
        side of one pixel repeats it), "symmetric" (mirror that repeats the edge pixel: SciPy's "reflect"), "replicate" or "edge",
        "circular" or "wrap", "zeros" or "constant".

    Returns:
      (..., above + H + below, left + W + right, C).

    Raises:
      InputError: an unknown mode, a negative border, or a mode that needs pixels to copy and an image without any.
    """
    if mode not in _MODES:
        raise InputError(f"padding mode is {mode!r}: it must be one of {', '.join(_MODES)}")
    if any(isinstance(border, int) and border < 0 for border in (*rows, *columns)):
        raise InputError(f"padding of rows {rows} and columns {columns}: a border cannot be negative")
    if not any((*rows, *columns)):
        return image
    if _MODES[mode] != "constant" and 0 in image.shape[-3:-1]:
        raise InputError(f"an image of {image.shape[-3]}x{image.shape[-2]} has no pixels to pad with")
    if _MODES[mode] != "constant" and is_symbolic(*image.shape[-3:-1], *rows, *columns):
        return _continued(_continued(image, image.ndim - 3, rows, _MODES[mode]), image.ndim - 2, columns, _MODES[mode])
    return jnp.pad(image, [(0, 0)] * (image.ndim - 3) + [rows, columns, (0, 0)], _MODES[mode])


def _continued(image: jax.Array, axis: int, border: tuple[Side, Side], mode: str) -> jax.Array:
    """One side padded by looking up where each pixel comes from, for sizes that are not known yet."""
    if not any(border):
        return image
    length = image.shape[axis]
    place = jnp.arange(border[0] + length + border[1]) - border[0]
    if mode == "edge":
        source = jnp.clip(place, 0, length - 1)
    elif mode == "wrap":
        source = place % length
    else:
        period, last = (jnp.maximum(2 * jnp.asarray(length) - 2, 1), 0) if mode == "reflect" else (2 * jnp.asarray(length), 1)
        source = jnp.minimum(place % period, period - last - place % period)
    return jnp.take(image, source, axis, mode="clip")


def pad_to_multiple(image: Image, multiple: int, mode: str = "reflect") -> Image:
    """Pad at the bottom and right until height and width are multiples of `multiple`.

    Args:
      image: (..., H, W, C).
      multiple: positive number; 1 gives the image back as it is.
      mode: as for `pad`.

    Returns:
      (..., H', W', C) with H <= H' < H + multiple, likewise W'.

    Raises:
      InputError: `multiple` is not positive, or as for `pad`.
    """
    if multiple < 1:
        raise InputError(f"multiple is {multiple}: it must be at least 1")
    height, width = image.shape[-3:-1]
    return pad(image, (0, next_multiple(height, multiple) - height), (0, next_multiple(width, multiple) - width), mode)


def crop(image: Image, size: tuple[Side, Side]) -> Image:
    """The top left (..., height, width, C) of an image."""
    if is_symbolic(*image.shape, *size):  # JAX would look every pixel up
        image = jax.lax.slice_in_dim(jnp.asarray(image), 0, size[0], axis=image.ndim - 3)
        return jax.lax.slice_in_dim(image, 0, size[1], axis=image.ndim - 2)
    return image[..., : size[0], : size[1], :]
