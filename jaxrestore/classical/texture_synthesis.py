"""Inpainting by texture synthesis: missing pixels are drawn from places of the picture whose surroundings look alike."""

from functools import partial

import jax
import jax.numpy as jnp

from jaxrestore.classical.exemplar_inpainting import check_patches
from jaxrestore.classical.images import in_float
from jaxrestore.classical.masks import Mask, checked_mask
from jaxrestore.classical.patch_search import distances, patch_at, place_of_least, refresh, whole_patches
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.filtering import gaussian_taps
from jaxrestore.typing import ArrayLike, Image, Key


def texture_synthesis(
    image: Image, *, mask: Mask, radius: int = 5, copied: int = 1, tolerance: float | int = 0.1, key: Key | None = None
) -> Image:
    """Fill holes from their rims inwards: the pixel with most of its surroundings known next, from a place drawn among the best.

    Every step searches the whole image: its time is that of the image's area times the hole's. Stochastic textures stay so;
    `exemplar_inpainting` is better at continuing edges.

    Args:
      image: (..., H, W, C); what it holds at missing pixels does not matter, as long as it is finite.
      mask: (..., H, W, 1) or (H, W, 1), True where the content is missing.
      radius: surroundings are squares of 2 * radius + 1 pixels, weighted towards their middle; >= 1. They should be wider than the
        texture's elements.
      copied: of the place that is drawn, a square of 2 * copied + 1 pixels is taken over, 0..radius; 0 is pixel by pixel, as published.
      tolerance: places up to 1 + tolerance times as far from what is known as the best one may be drawn, >= 0.
      key: random key; that of seed 0 if none is given. A batch's images get `fold_in(key, index)`.

    Returns:
      (..., H, W, C): known pixels bit for bit, missing ones copied from known ones.

    Raises:
      InputError: a number is out of its range, as for `harmonic_inpainting`, or no whole square is known.

    Reference: Efros and Leung, "Texture Synthesis by Non-parametric Sampling", ICCV 1999, section 2.
    """
    check_range("radius", radius, low=1)
    check_range("copied", copied, low=0, high=radius)
    check_range("tolerance", tolerance, low=0.0)
    pixels, missing = in_float(image), checked_mask(image, mask)
    check_patches(missing, 2 * radius + 1)
    key = jax.random.key(0) if key is None else key
    fill = partial(_fill, radius=radius, copied=copied, tolerance=float(tolerance))
    if image.ndim == 3:
        return fill(key, pixels, missing).astype(image.dtype)
    shape = (-1, *image.shape[-3:-1])
    images, masks = pixels.reshape(*shape, image.shape[-1]), missing.reshape(*shape, 1)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(len(images)))
    return jax.lax.map(lambda one: fill(*one), (keys, images, masks)).reshape(image.shape).astype(image.dtype)


@partial(jax.jit, static_argnames=("radius", "copied"))
def _fill(key: Key, image: jax.Array, missing: jax.Array, radius: int, copied: int, tolerance: ArrayLike) -> jax.Array:
    height, width, channels = image.shape
    side = 2 * radius + 1
    sources = whole_patches(~missing, side)
    taps = gaussian_taps(side, side / 6.4)
    window = jnp.asarray(taps[:, None, None] * taps[None, :, None], image.dtype)
    original = jnp.where(missing, 0.0, image)
    planes = jnp.moveaxis(original, -1, 0)
    urgency = partial(_urgency, radius=radius)

    def advance(state: tuple) -> tuple:
        key, image, missing, urgent = state
        key, drawn = jax.random.split(key)
        row, column = place_of_least(-urgent)
        # Near the border the surroundings are those of the nearest pixel that has them all.
        middle = jnp.clip(row, radius, height - 1 - radius), jnp.clip(column, radius, width - 1 - radius)
        patch, gap = (patch_at(x, *middle, radius) for x in (image, missing))
        apart = jnp.where(sources, distances(planes, patch, jnp.where(gap, 0.0, window)), jnp.inf)
        top, left = _one_of(drawn, apart <= (1.0 + tolerance) * jnp.min(apart))
        copy = jax.lax.dynamic_slice(original, (top, left, 0), (side, side, channels))
        offset = jnp.arange(-radius, radius + 1)
        near = (jnp.abs(offset - (row - middle[0])) <= copied)[:, None, None] & (jnp.abs(offset - (column - middle[1])) <= copied)[
            None, :, None
        ]
        corner = (middle[0] - radius, middle[1] - radius, 0)
        image = jax.lax.dynamic_update_slice(image, jnp.where(gap & near, copy, patch), corner)
        missing = jax.lax.dynamic_update_slice(missing, gap & ~near, corner)
        return key, image, missing, refresh(urgent, urgency, (missing,), (row, column), copied, radius)

    return jax.lax.while_loop(lambda state: jnp.any(state[2]), advance, (key, original, missing, urgency(missing)))[1]


def _one_of(key: Key, chosen: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Row and column of one of the places that are chosen, each as likely: one random number, the number of the place."""
    upto = jnp.cumsum(jnp.sum(chosen, axis=1, dtype=jnp.int32))
    number = jax.random.randint(key, (), 0, jnp.maximum(upto[-1], 1))
    row = jnp.sum(upto <= number)
    within = number - jnp.where(row > 0, upto[row - 1], 0)
    return row, jnp.sum(jnp.cumsum(chosen[row], dtype=jnp.int32) <= within)


def _urgency(missing: jax.Array, radius: int) -> jax.Array:
    """(H, W): how many pixels of the square around each missing pixel are known; -1 at known pixels."""
    known = jnp.where(missing[..., 0], 0.0, 1.0)
    for axis in (0, 1):
        sums = jnp.cumsum(jnp.pad(known, [(radius + 1, radius) if i == axis else (0, 0) for i in (0, 1)]), axis)
        length = known.shape[axis]
        known = jax.lax.slice_in_dim(sums, 2 * radius + 1, None, axis=axis) - jax.lax.slice_in_dim(sums, 0, length, axis=axis)
    return jnp.where(missing[..., 0], known, -1.0)
