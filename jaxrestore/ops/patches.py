"""Overlapping patches of an image, and putting patches back where they came from."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.symbolic import is_symbolic, larger
from jaxrestore.typing import Image, Side

Patches = Float[Array | np.ndarray, "... _ _ _ _ _"]
"""(..., rows, columns, size, size, C): the patch [r, c] has its top left pixel at (r * stride, c * stride)."""


def patch_grid(height: Side, width: Side, size: int, stride: int = 1) -> tuple[Side, Side]:
    """How many patches fit below each other and beside each other.

    Args:
      height: rows of the image, at least `size`.
      width: columns of the image, at least `size`.
      size: side of the patches, in pixels, at least 1.
      stride: pixels between neighbouring patches, at least 1.

    Raises:
      InputError: a number out of its range.
    """
    check_range("size", size, low=1)
    check_range("stride", stride, low=1)
    if not is_symbolic(height, width) and min(height, width) < size:
        raise InputError(f"patches of {size}x{size} do not fit into an image of {height}x{width}")
    return (height - size) // stride + 1, (width - size) // stride + 1


@partial(jax.jit, static_argnums=(1, 2))
def extract_patches(image: Image, size: int, stride: int = 1) -> Float[Array, "... _ _ _ _ _"]:
    """Every patch at multiples of the stride that lies inside the image.

    Args:
      image: (..., H, W, C), H and W at least `size`; where (H - size) is no multiple of the stride the last rows are in no patch.
      size: side of the patches, in pixels.
      stride: pixels between neighbouring patches.

    Returns:
      (..., rows, columns, size, size, C), with (rows, columns) from `patch_grid`.

    Raises:
      InputError: as for `patch_grid`.
    """
    patch_grid(*image.shape[-3:-1], size, stride)
    return _extract(jnp.asarray(image), size, stride)


@partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def _extract(image: jax.Array, size: int, stride: int) -> jax.Array:
    *batch, height, width, channels = image.shape
    rows, columns = patch_grid(height, width, size, stride)

    def patch(one: jax.Array, row: jax.Array, column: jax.Array) -> jax.Array:
        return jax.lax.dynamic_slice(one, (row, column, 0), (size, size, channels))

    # Copies of whole squares: on a CPU ten times faster than stacking strided slices.
    each = jax.vmap(jax.vmap(jax.vmap(patch, (None, None, 0)), (None, 0, None)), (0, None, None))
    patches = each(image.reshape(-1, height, width, channels), stride * jnp.arange(rows), stride * jnp.arange(columns))
    return patches.reshape(*batch, *patches.shape[1:])


@_extract.defjvp
def _extract_derivative(size: int, stride: int, primals: tuple, tangents: tuple) -> tuple[jax.Array, jax.Array]:
    # The transpose of those copies would scatter, which is slow; that of slices pads and adds.
    image, axis = tangents[0], tangents[0].ndim - 3
    rows, columns = patch_grid(*image.shape[-3:-1], size, stride)
    strips = _windows(image, axis + 1, columns, size, stride, axis + 2)  # (..., H, columns, size, C)
    return _extract(primals[0], size, stride), _windows(strips, axis, rows, size, stride, axis + 2)


@partial(jax.jit, static_argnums=(1, 2))
def overlap_add(patches: Patches, image_size: tuple[Side, Side], stride: int = 1) -> Float[Array, "... _ _ _"]:
    """Add patches up where they lie in an image: the adjoint of `extract_patches`.

    Args:
      patches: (..., rows, columns, size, size, C).
      image_size: (H, W) of the image.
      stride: pixels between neighbouring patches.

    Returns:
      (..., H, W, C); zero where no patch lies.

    Raises:
      InputError: this grid of patches does not belong to an image of that size.
    """
    *_, rows, columns, size, width, _ = patches.shape
    if size != width or patch_grid(*image_size, size, stride) != (rows, columns):
        raise InputError(
            f"patches of shape {patches.shape} at stride {stride} do not come from an image of {image_size[0]}x{image_size[1]}"
        )
    axis = patches.ndim - 5
    strips = _add_windows(jnp.asarray(patches), axis, axis + 2, image_size[0], stride)  # (..., H, columns, size, C)
    return _add_windows(strips, axis + 1, axis + 2, image_size[1], stride)


@partial(jax.jit, static_argnums=(1, 2))
def aggregate_patches(
    patches: Patches, image_size: tuple[Side, Side], stride: int = 1, weights: Float[Array | np.ndarray, "..."] | None = None
) -> Float[Array, "... _ _ _"]:
    """The weighted mean, at every pixel, of the patches that cover it: undoes `extract_patches`.

    Args:
      patches: (..., rows, columns, size, size, C).
      image_size: (H, W) of the image.
      stride: pixels between neighbouring patches.
      weights: not negative, in a shape that broadcasts to the patches': one a patch as (..., rows, columns, 1, 1, 1), or a window as
        (size, size, 1). None weighs all alike.

    Returns:
      (..., H, W, C); zero where no patch lies or the weights sum to zero.

    Raises:
      InputError: as for `overlap_add`, or weights of another shape.
    """
    patches = jnp.asarray(patches)
    weights = jnp.ones((1,) * patches.ndim, patches.dtype) if weights is None else jnp.asarray(weights, patches.dtype)
    shape = (1,) * (patches.ndim - weights.ndim) + weights.shape
    if len(shape) > patches.ndim or any(w not in (1, p) for w, p in zip(shape, patches.shape, strict=True)):
        raise InputError(f"weights have the shape {weights.shape}: they must broadcast to the patches' {patches.shape}")
    weights = weights.reshape(shape)
    # Leading axes and channels in which the weights do not differ need to be added up only once.
    total = overlap_add(jnp.broadcast_to(weights, (*weights.shape[:-5], *patches.shape[-5:-1], weights.shape[-1])), image_size, stride)
    return overlap_add(weights * patches, image_size, stride) / jnp.where(total > 0, total, 1.0)


def _windows(x: jax.Array, axis: int, count: int, size: int, stride: int, place: int) -> jax.Array:
    """Leave one axis with the windows' number and give the pixels in a window a new axis at `place`."""
    ends = (count - 1) * stride + 1
    return jnp.stack([jax.lax.slice_in_dim(x, i, i + ends, stride, axis) for i in range(size)], place)


def _add_windows(x: jax.Array, axis: int, place: int, length: Side, stride: int) -> jax.Array:
    """The adjoint of `_windows`: the axis at `place` disappears, `axis` becomes as long as is said.

    The windows are cut into pieces as long as the stride: those of one number never overlap, so that they are laid side by side as they are
    and ceil(size / stride) such rows are added.
    """
    pieces = -(-x.shape[place] // stride)
    x = _pad(x, place, 0, pieces * stride - x.shape[place])
    rows = (jax.lax.slice_in_dim(x, i * stride, (i + 1) * stride, axis=place) for i in range(pieces))
    total = sum(_pad(row, axis, i, pieces - 1 - i) for i, row in enumerate(rows))
    total = jnp.moveaxis(total, place, axis + 1)
    flat = total.reshape(*total.shape[:axis], -1, *total.shape[axis + 2 :])
    return jax.lax.slice_in_dim(_pad(flat, axis, 0, larger(length - flat.shape[axis], 0)), 0, length, axis=axis)


def _pad(x: jax.Array, axis: int, before: Side, after: Side) -> jax.Array:
    return jnp.pad(x, [(before, after) if i == axis else (0, 0) for i in range(x.ndim)])
