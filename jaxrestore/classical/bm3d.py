"""BM3D: blocks that look alike are filtered together, and each pixel is the mean of what the blocks over it say.

Two stages of the same form. The first thresholds groups found in the noisy image; the second looks for groups in the first one's result,
whose spectra say how much of each noisy coefficient is signal. An image is computed in strips of reference blocks:

    every block of the strip -> spectra -> the blocks like each reference block -> groups -> filtered spectra, added up where they came from
    -> blocks -> sums of pixels and of weights

so that each block is transformed once however many groups it is in, and the memory does not grow with the image's height.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.classical.block_matching import similar_blocks, tile_of
from jaxrestore.classical.collaborative_filtering import SIDE, bior_1_5, group_sizes, hard_threshold, wiener_shrinkage
from jaxrestore.classical.images import in_float
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.dct8 import BASIS
from jaxrestore.ops.filtering import filter_valid
from jaxrestore.ops.padding import pad
from jaxrestore.ops.patches import extract_patches, overlap_add, patch_grid
from jaxrestore.typing import Image

_LEVELS = 255.0
_STEP, _REACH = 3, 19
_MOST_THRESHOLDED, _MOST_WIENER = 16, 32
# Reference blocks in a strip: enough to share the blocks of its neighbourhood, few enough to stay near the processor.
_STRIP = 2048
_WINDOW = np.kaiser(SIDE, 2.0)
# Luma first; orthonormal, so that the noise is as strong in all three, and white.
_OPPONENT = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])


def bm3d(image: Image, *, sigma: float | int) -> Image:
    """Block matching and three-dimensional filtering; of colour, with groups found in the luma (C-BM3D).

    Args:
      image: (..., H, W, 1) or RGB (..., H, W, 3), H and W at least 8.
      sigma: standard deviation of the noise in grey levels, >= 0; the image comes back as it is at 0.

    Returns:
      The restored image, not clipped.

    Raises:
      InputError: sigma out of its range, an image of another number of channels or smaller than 8x8.

    Reference: Dabov, Foi, Katkovnik and Egiazarian, "Image Denoising by Sparse 3-D Transform-Domain Collaborative Filtering", IEEE
      Transactions on Image Processing 2007, table I (the normal profile), section V for colour; Lebrun, "An Analysis and Implementation of
      the BM3D Image Denoising Method", IPOL 2012. A group's mean is never shrunk here.
    """
    check_range("sigma", sigma, low=0.0)
    height, width, channels = image.shape[-3:]
    if channels not in (1, 3):
        raise InputError(f"image has {channels} channels: this method takes luma (1) or RGB (3)")
    if min(height, width) < SIDE:
        raise InputError(f"image is {height}x{width}: it must be at least {SIDE}x{SIDE}")
    return _bm3d(in_float(image), jnp.asarray(sigma / _LEVELS)).astype(image.dtype)


@jax.jit
def _bm3d(image: jax.Array, sigma: jax.Array) -> jax.Array:
    sigma = sigma.astype(image.dtype)
    flat = image.reshape(-1, *image.shape[-3:])
    # Image after image: the working set of one is what a cache may hold.
    denoised = jax.lax.map(partial(_one_image, sigma=sigma), flat).reshape(image.shape)
    return jnp.where(sigma > 0.0, denoised, image)


def _one_image(image: jax.Array, sigma: jax.Array) -> jax.Array:
    height, width, channels = image.shape
    opponent = jnp.asarray(_OPPONENT if channels == 3 else np.ones((1, 1)), image.dtype)
    # So that reference blocks reach the last row and column.
    rest = [-(side - SIDE) % _STEP for side in (height, width)]
    planes = pad(jnp.einsum("oc,hwc->hwo", opponent, image, precision="highest"), (0, rest[0]), (0, rest[1]), "edge")
    strong = sigma > 40.0 / _LEVELS
    # A luma of unit length is sqrt(C) times the mean that the distances are said for.
    unit = channels * SIDE**2 / _LEVELS**2
    limit = jnp.where(strong, 2.8, 2.7) * sigma
    basic = _stage(
        planes,
        planes,
        bior_1_5(),
        jnp.where(strong, 5000.0, 2500.0) * unit,
        _MOST_THRESHOLDED,
        lambda groups, _, sizes: hard_threshold(groups, sizes, limit),
    )
    final = _stage(
        planes,
        basic,
        BASIS,
        jnp.where(strong, 3500.0, 400.0) * unit,
        _MOST_WIENER,
        lambda groups, guides, sizes: wiener_shrinkage(groups, guides, sizes, sigma),
    )
    return jnp.einsum("oc,hwo->hwc", opponent, final, precision="highest")[:height, :width]


def _stage(planes: jax.Array, guide: jax.Array, transform: np.ndarray, most: jax.Array, count: int, shrink: Callable) -> jax.Array:
    """Filter the groups that the first plane of `guide` forms; `shrink(groups, guide's groups, sizes)` gives them back with weights."""
    height, width, channels = planes.shape
    dtype = planes.dtype
    rows, columns = patch_grid(height, width, SIDE, _STEP)
    strips = max(1, -(-rows * columns // _STRIP))
    strip = -(-rows // strips)
    tiles, tile = tile_of(columns)
    # Positions of blocks, with the margin in which blocks are looked for: of all strips, of one.
    across = _STEP * (tiles * tile - 1) + 1 + 2 * _REACH
    total = _STEP * (strips * strip - 1) + 1 + 2 * _REACH
    band = _STEP * (strip - 1) + 1 + 2 * _REACH
    down, right = total + SIDE - 1 - _REACH - height, across + SIDE - 1 - _REACH - width
    seen = [pad(x, (_REACH, down), (_REACH, right), "zeros") for x in (planes, guide)]
    inside = [(np.arange(size) >= _REACH) & (np.arange(size) <= _REACH + side - SIDE) for size, side in ((total, height), (across, width))]
    valid = jnp.asarray(inside[0][:, None] & inside[1][None])
    forward = jnp.asarray(np.kron(transform, transform).T, dtype)
    # With the window that lets the middles of blocks count more than their rims.
    inverse = np.linalg.inv(transform)
    inverse = jnp.asarray((np.kron(inverse, inverse) * np.outer(_WINDOW, _WINDOW).reshape(-1, 1)).T, dtype)

    def blocks_of(plane: jax.Array) -> jax.Array:
        return extract_patches(plane[..., None], SIDE).reshape(-1, SIDE**2)

    def step(sums: jax.Array, number: jax.Array) -> tuple[jax.Array, None]:
        top = number * strip * _STEP
        noisy, guides = (jnp.moveaxis(jax.lax.dynamic_slice_in_dim(x, top, band + SIDE - 1), -1, 0) for x in seen)
        places_valid = jax.lax.dynamic_slice_in_dim(valid, top, band)
        distances, places = similar_blocks(
            blocks_of(guides[0]).reshape(band, across, -1), places_valid, count=count, reach=_REACH, step=_STEP
        )
        sizes = group_sizes(distances.reshape(-1, count), most)
        references = jax.lax.slice(places_valid, (_REACH, _REACH), (band - _REACH, across - _REACH), (_STEP, _STEP)).reshape(-1)
        places = places.reshape(-1, count).T
        used = (jnp.arange(count)[:, None] < sizes[None]) & references[None]

        def one_plane(pair: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            groups, guide_groups = (
                jnp.matmul(blocks_of(plane), forward, precision="highest").at[places].get(mode="promise_in_bounds") for plane in pair
            )
            filtered, weights = shrink(groups, guide_groups, sizes)
            weights = jnp.where(used, weights[None], 0.0)
            spectra = jnp.zeros((band * across, SIDE**2), dtype).at[places].add(weights[..., None] * filtered, mode="promise_in_bounds")
            blocks = jnp.matmul(spectra, inverse, precision="highest").reshape(band, across, SIDE, SIDE, 1)
            pixels = overlap_add(blocks, (band + SIDE - 1, across + SIDE - 1))
            weight = jnp.zeros(band * across, dtype).at[places].add(weights, mode="promise_in_bounds").reshape(band, across, 1)
            return pixels[..., 0], filter_valid(pad(weight, (SIDE - 1, SIDE - 1), (SIDE - 1, SIDE - 1), "zeros"), _WINDOW)[..., 0]

        new = jnp.stack(jax.lax.map(one_plane, (noisy, guides)))
        old = jax.lax.dynamic_slice_in_dim(sums, top, band + SIDE - 1, axis=2)
        return jax.lax.dynamic_update_slice_in_dim(sums, old + new, top, axis=2), None

    start = jnp.zeros((2, channels, total + SIDE - 1, across + SIDE - 1), dtype)
    sums, _ = jax.lax.scan(step, start, jnp.arange(strips))
    pixels, weights = sums[:, :, _REACH : _REACH + height, _REACH : _REACH + width]
    return jnp.moveaxis(pixels / weights, 0, -1)
