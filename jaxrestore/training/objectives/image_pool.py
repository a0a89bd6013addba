"""A pool of images made earlier, so that a discriminator does not only see the generator's latest.

Reference: Shrivastava et al., "Learning from Simulated and Unsupervised Images through Adversarial Training", CVPR 2017, section 2.3; as
  CycleGAN uses it.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxrestore.typing import Key


def empty_pool(size: int, shape: tuple[int, ...]) -> dict[str, jax.Array]:
    """A pool for so many images of a shape (H, W, C)."""
    return {"images": jnp.zeros((size, *shape)), "count": jnp.zeros((), jnp.int32)}


def exchange(pool: dict[str, jax.Array], key: Key, images: jax.Array) -> tuple[dict[str, jax.Array], jax.Array]:
    """Put images into the pool, one after the other, and take as many out.

    While there is room an image is kept and given back. After that a coin decides: either it is given back, or it takes the place of one
    that is drawn from the pool, which is given back instead.

    Args:
      pool: from `empty_pool`.
      key: random key.
      images: (N, H, W, C).

    Returns:
      The pool and (N, H, W, C).
    """
    size = len(pool["images"])

    def one(carry: tuple, part: tuple) -> tuple[tuple, jax.Array]:
        kept, count = carry
        key, image = part
        coin, place = jax.random.split(key)
        full = count >= size
        swapped = full & jax.random.bernoulli(coin)
        at = jnp.where(full, jax.random.randint(place, (), 0, size), count)
        given = jnp.where(swapped, kept[at], image)
        kept = jnp.where(full & ~swapped, kept, kept.at[at].set(image))
        return (kept, jnp.minimum(count + 1, size)), given

    (kept, count), given = lax.scan(one, (pool["images"], pool["count"]), (jax.random.split(key, len(images)), images))
    return {"images": kept, "count": count}, given


def exchange_over(pool: dict[str, jax.Array], key: Key, images: jax.Array, axis: str | None) -> tuple[dict[str, jax.Array], jax.Array]:
    """`exchange` with the whole batch of a mapped axis, the same on every device; gives this device's part."""
    if axis is None:
        return exchange(pool, key, images)
    everything: Any = lax.all_gather(images, axis, tiled=True)
    pool, given = exchange(pool, key, everything)
    return pool, lax.dynamic_slice_in_dim(given, lax.axis_index(axis) * len(images), len(images))
