"""Block matching: for blocks on a grid, the blocks of their neighbourhood that are most like them.

Squared distances come from products, |p - q|^2 = |p|^2 + |q|^2 - 2 p.q, so that a few reference blocks side by side and all candidates of
their common neighbourhood are one product of matrices.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

# Reference blocks side by side in one product: of more, fewer and fewer candidates are in the reach of each.
_MOST_IN_A_TILE = 16


def tile_of(count: int) -> tuple[int, int]:
    """How `count` reference blocks side by side are computed: (number of tiles, blocks in a tile); the last may be too many."""
    tiles = -(-count // _MOST_IN_A_TILE)
    return tiles, -(-count // tiles)


@partial(jax.jit, static_argnames=("count", "reach", "step"))
def similar_blocks(
    blocks: Float[Array, "rows columns pixels"], valid: Bool[Array, "rows columns"], *, count: int, reach: int, step: int
) -> tuple[Float[Array, "r c {count}"], Int[Array, "r c {count}"]]:
    """The nearest blocks of each reference block, nearest first.

    Args:
      blocks: a block for every position of the grid, a margin of `reach` positions on each side included; reference blocks are those at
        multiples of `step` inside the margin.
      valid: the positions that may be chosen.
      count: how many are wanted, at most (2 reach + 1)^2.
      reach: rows and columns up to which they are looked for.
      step: between reference blocks; (columns - 2 reach - 1) / step + 1 must be a product of `tile_of`.

    Returns:
      Squared distances, infinite where there were not enough valid blocks, and numbers row * columns + column of positions. A reference
      block comes first itself, whatever there is equal to it.
    """
    rows, columns = valid.shape
    window = 2 * reach + 1
    references = [(side - window) // step + 1 for side in (rows, columns)]
    tiles, tile = tile_of(references[1])
    width = step * (tile - 1) + window
    squares = jnp.where(valid, jnp.sum(jnp.square(blocks), axis=-1), jnp.inf)
    centre = jnp.arange(window * window)[None] == window * window // 2

    def tile_likeness(band: jax.Array, band_squares: jax.Array, start: jax.Array) -> tuple[jax.Array, jax.Array]:
        candidates = jax.lax.dynamic_slice_in_dim(band, start, width, axis=1)
        own = candidates[reach, reach : reach + step * (tile - 1) + 1 : step]
        products = jnp.matmul(own, candidates.reshape(window * width, -1).T, precision="highest")
        likeness = 2.0 * products - jax.lax.dynamic_slice_in_dim(band_squares, start, width, axis=1).reshape(1, -1)
        # Each reference block's window begins `step` columns after that of the one before: rows that are `step` longer align them.
        flat = jnp.pad(likeness.reshape(-1), (0, tile * step)).reshape(tile, -1)
        likeness = flat[:, : window * width].reshape(tile, window, width)[:, :, :window]
        return likeness.reshape(tile, window * window), jnp.sum(jnp.square(own), axis=-1)

    def row(number: jax.Array) -> tuple[jax.Array, jax.Array]:
        top = number * step
        band = jax.lax.dynamic_slice_in_dim(blocks, top, window)
        band_squares = jax.lax.dynamic_slice_in_dim(squares, top, window)
        starts = step * tile * jnp.arange(tiles)
        likeness, own = jax.vmap(partial(tile_likeness, band, band_squares))(starts)
        likeness = likeness.reshape(references[1], window * window)
        nearest, chosen = jax.lax.top_k(jnp.where(centre, jnp.inf, likeness), count)
        distance = jnp.maximum(own.reshape(-1, 1) - nearest, 0.0)
        left = step * jnp.arange(references[1])[:, None]
        return distance, (top + chosen // window) * columns + left + chosen % window

    distance, place = jax.lax.map(row, jnp.arange(references[0]))
    return distance, place.astype(jnp.int32)
