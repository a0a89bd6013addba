"""Exemplar-based inpainting: holes are filled with patches copied from elsewhere in the picture, along strong edges first."""

from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp

from jaxrestore.classical.images import in_float
from jaxrestore.classical.masks import Mask, checked_mask
from jaxrestore.classical.patch_search import distances, patch_at, place_of_least, refresh, whole_patches
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range, is_concrete
from jaxrestore.typing import Image

_LEAST_DATA = 1e-3  # where nothing runs into the rim, confidence alone decides


def exemplar_inpainting(image: Image, *, mask: Mask, radius: int = 4) -> Image:
    """Fill holes patch by patch from their rims inwards, each time with the known patch that fits best to what is there already.

    The next patch is the one on the rim with the greatest product of confidence (how much of it is known, and since when) and data (how
    strongly an edge runs into the rim there). Every step searches the whole image: the time is that of the image's area times the hole's.

    Args:
      image: (..., H, W, C); what it holds at missing pixels does not matter, as long as it is finite.
      mask: (..., H, W, 1) or (H, W, 1), True where the content is missing.
      radius: patches are squares of 2 * radius + 1 pixels; >= 1. They should be wider than the texture's elements.

    Returns:
      (..., H, W, C): known pixels bit for bit, missing ones copied from known ones.

    Raises:
      InputError: radius is below 1, as for `harmonic_inpainting`, or no whole patch is known.

    Reference: Criminisi, Pérez and Toyama, "Region Filling and Object Removal by Exemplar-Based Image Inpainting", TIP 2004, section III.
    """
    check_range("radius", radius, low=1)
    pixels, missing = in_float(image), checked_mask(image, mask)
    check_patches(missing, 2 * radius + 1)
    fill = partial(_fill, radius=radius)
    if image.ndim == 3:
        return fill(pixels, missing).astype(image.dtype)
    shape = (-1, *image.shape[-3:-1])
    filled = jax.lax.map(lambda pair: fill(*pair), (pixels.reshape(*shape, image.shape[-1]), missing.reshape(*shape, 1)))
    return filled.reshape(image.shape).astype(image.dtype)


def check_patches(missing: jax.Array, side: int) -> None:
    """Some patch of every image is known in all its pixels.

    Raises:
      InputError: none is.
    """
    height, width = missing.shape[-3:-1]
    if min(height, width) < side:
        raise InputError(f"the image is {height}x{width}: smaller than a patch of {side}x{side}")
    if is_concrete(missing) and missing.size:
        whole = jax.vmap(partial(whole_patches, side=side))(~missing.reshape(-1, height, width, 1))
        if not bool(whole.any((1, 2)).all()):
            raise InputError(f"mask leaves no patch of {side}x{side} known to copy from: take a smaller radius")


@partial(jax.jit, static_argnames="radius")
def _fill(image: jax.Array, missing: jax.Array, radius: int) -> jax.Array:
    height, width, channels = image.shape
    side = 2 * radius + 1
    sources = whole_patches(~missing, side)
    image_known = jnp.where(missing, 0.0, image)
    planes = jnp.moveaxis(image_known, -1, 0)
    priority_of = partial(_priority, radius=radius)

    def advance(state: tuple) -> tuple:
        image, missing, confidence, priority = state
        row, column = place_of_least(-priority)
        # At the border the patch is moved inside.
        row, column = jnp.clip(row, radius, height - 1 - radius), jnp.clip(column, radius, width - 1 - radius)
        patch, gap, trust = (patch_at(x, row, column, radius) for x in (image, missing, confidence))
        apart = distances(planes, patch, jnp.where(gap, 0.0, 1.0).astype(image.dtype))
        top, left = place_of_least(jnp.where(sources, apart, jnp.inf))
        copy = jax.lax.dynamic_slice(image_known, (top, left, 0), (side, side, channels))
        corner = (row - radius, column - radius, 0)
        image = jax.lax.dynamic_update_slice(image, jnp.where(gap, copy, patch), corner)
        trust = jnp.where(gap, jnp.mean(jnp.where(gap, 0.0, trust)), trust)
        confidence = jax.lax.dynamic_update_slice(confidence, trust, corner)
        missing = jax.lax.dynamic_update_slice(missing, jnp.zeros_like(gap), corner)
        # The data of a pixel are gradients up to `radius` away, and those are made of their neighbours.
        images = (image, missing, confidence)
        return *images, refresh(priority, priority_of, images, (row, column), radius, radius + 1)

    confidence = jnp.where(missing, 0.0, 1.0).astype(image.dtype)
    start = image_known, missing, confidence, priority_of(image_known, missing, confidence)
    return jax.lax.while_loop(lambda state: jnp.any(state[1]), advance, start)[0]


def _priority(image: jax.Array, missing: jax.Array, confidence: jax.Array, radius: int) -> jax.Array:
    """(H, W): confidence times data on the rim of what is missing, -1 elsewhere."""
    hole = missing[..., 0]
    padded = jnp.pad(hole, 1, mode="edge")
    rim = hole & ~(padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:])
    trust = _window(confidence[..., 0], radius, sum) / (2 * radius + 1) ** 2
    down, right = _strongest(*_known_gradient(jnp.mean(image, axis=-1), hole), radius)
    # The rim's normal, from a mask made smooth over one pixel.
    normal = _gradient(_window(jnp.where(hole, 1.0, 0.0).astype(image.dtype), 1, sum))
    length = jnp.sqrt(normal[0] ** 2 + normal[1] ** 2)
    # An edge runs across its gradient: it meets the rim as squarely as its gradient lies along the rim.
    data = jnp.abs(down * normal[1] - right * normal[0]) / jnp.where(length > 0.0, length, 1.0)
    return jnp.where(rim, trust * (data + _LEAST_DATA), -1.0)


def _gradient(image: jax.Array) -> tuple[jax.Array, jax.Array]:
    padded = jnp.pad(image, 1, mode="edge")
    return 0.5 * (padded[2:, 1:-1] - padded[:-2, 1:-1]), 0.5 * (padded[1:-1, 2:] - padded[1:-1, :-2])


def _known_gradient(grey: jax.Array, hole: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Central differences where all that they are made of is known, else zero."""
    doubtful = _window(jnp.where(hole, 1.0, 0.0), 1, sum) > 0.0
    down, right = _gradient(grey)
    return jnp.where(doubtful, 0.0, down), jnp.where(doubtful, 0.0, right)


def _strongest(down: jax.Array, right: jax.Array, radius: int) -> tuple[jax.Array, jax.Array]:
    """The longest vector in the window around each pixel."""

    def longer(vectors: Sequence[jax.Array]) -> jax.Array:
        best = vectors[0]
        for vector in vectors[1:]:
            best = jnp.where(jnp.sum(vector**2, -1, keepdims=True) > jnp.sum(best**2, -1, keepdims=True), vector, best)
        return best

    strongest = _window(jnp.stack([down, right], axis=-1), radius, longer)
    return strongest[..., 0], strongest[..., 1]


def _window(image: jax.Array, radius: int, combine: Callable[[Sequence[jax.Array]], jax.Array]) -> jax.Array:
    """Combine all that lies in the window around each pixel, first along columns, then along rows; beyond the border are zeros."""
    for axis in (0, 1):
        border = [(radius, radius) if i == axis else (0, 0) for i in range(image.ndim)]
        padded, length = jnp.pad(image, border), image.shape[axis]
        image = combine([jax.lax.slice_in_dim(padded, i, i + length, axis=axis) for i in range(2 * radius + 1)])
    return image
