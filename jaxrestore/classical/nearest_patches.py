"""PatchMatch: for many patches of an image at once, patches elsewhere that are much like them, found by trying what neighbours have found.

The patches that are compared are the targets, those that may be chosen the sources. Places are top left corners, (row, column).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxrestore.typing import ArrayLike, Key

Places = Int[Array, "n 2"]

# Every round hands finds on to the four neighbours so far away, the last one to the next ones.
_JUMPS = (4, 1)
_DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1))


class Targets(NamedTuple):
    """Which patches are compared.

    Attributes:
      places: (N, 2); those that are not needed repeat the corner of the image.
      number: (rows, columns) of all patches: a target's place among the others, -1 for what is no target.
    """

    places: jax.Array
    number: jax.Array


def targets_of(wanted: Bool[Array, "rows columns"], room: int) -> Targets:
    """The targets among all patches of an image; no more than `room`, which is compiled in."""
    number = jnp.where(wanted, jnp.cumsum(wanted.reshape(-1), dtype=jnp.int32).reshape(wanted.shape) - 1, -1)
    return Targets(jnp.stack(jnp.nonzero(wanted, size=room, fill_value=0), axis=-1).astype(jnp.int32), number)


def patches_at(image: Float[Array, "h w c"], places: Places, side: int) -> Float[Array, "n side side c"]:
    """Patches by the corners, which lie in the image."""
    return jax.vmap(lambda place: jax.lax.dynamic_slice(image, (place[0], place[1], 0), (side, side, image.shape[-1])))(places)


def random_sources(key: Key, sources: Bool[Array, "rows columns"], count: int) -> Places:
    """`count` sources, each as likely as any other."""
    rows, columns = jnp.nonzero(sources, size=sources.size, fill_value=0)
    drawn = jax.random.randint(key, (count,), 0, jnp.maximum(jnp.sum(sources), 1))
    return jnp.stack([rows[drawn], columns[drawn]], axis=-1).astype(jnp.int32)


def nearest_patches(
    key: Key,
    found: Places,
    image: Float[Array, "h w c"],
    patches: Float[Array, "n side side c"],
    weights: Float[Array, "n side side 1"],
    sources: Bool[Array, "rows columns"],
    targets: Targets,
) -> tuple[Places, Float[Array, " n"]]:
    """Improve the sources that were found for the targets.

    Args:
      key: random key of the random search.
      found: the sources so far.
      image: the image of the sources.
      patches: the targets' content.
      weights: of its pixels, zero where they are not known.
      sources: which patches may be chosen.
      targets: where the patches lie.

    Returns:
      The sources, and the weighted sums of squared differences to them; infinite where no source was ever met.

    Reference: Barnes, Shechtman, Finkelstein and Goldman, "PatchMatch: A Randomized Correspondence Algorithm for Structural Image Editing",
      SIGGRAPH 2009, section 3; all targets at once, as in its section 3.2, with finds that jump (Rong and Tan, "Jump Flooding in GPU with
      Applications to Voronoi Diagram and Distance Transform", I3D 2006).
    """
    side = patches.shape[1]
    last = jnp.asarray([sources.shape], jnp.int32) - 1
    moves = jnp.asarray([[jump * step for step in direction] for jump in _JUMPS for direction in _DIRECTIONS], jnp.int32)
    halvings = max(sources.shape).bit_length()

    def apart(places: jax.Array) -> jax.Array:
        inside = jnp.clip(places, 0, last)
        allowed = jnp.all(inside == places, axis=-1) & sources[inside[:, 0], inside[:, 1]]
        differences = patches - patches_at(image, inside, side)
        return jnp.where(allowed, jnp.sum(weights * jnp.square(differences), axis=(1, 2, 3)), jnp.inf)

    def consider(candidates: jax.Array, state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        places, best = state
        distance = apart(candidates)
        return jnp.where((distance < best)[:, None], candidates, places), jnp.minimum(distance, best)

    def hand_on(move: jax.Array, places: jax.Array) -> jax.Array:
        neighbour = targets.places + move[None]
        inside = jnp.clip(neighbour, 0, last)
        number = jnp.where(jnp.all(inside == neighbour, axis=-1), targets.number[inside[:, 0], inside[:, 1]], -1)
        return jnp.where((number >= 0)[:, None], places[number] - move[None], -1)

    def look_around(step: ArrayLike, places: jax.Array) -> jax.Array:
        reach = jnp.maximum(max(sources.shape) >> (step % halvings), 1)
        return places + jax.random.randint(jax.random.fold_in(key, step), places.shape, -reach, reach + 1)

    def advance(step: ArrayLike, state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        per_round = len(_DIRECTIONS) + halvings
        turn, within = step // per_round, step % per_round
        handed_on = hand_on(moves[jnp.minimum(turn * len(_DIRECTIONS) + within, len(moves) - 1)], state[0])
        candidates = jnp.where(within < len(_DIRECTIONS), handed_on, look_around(step, state[0]))
        return consider(candidates, state)

    return jax.lax.fori_loop(0, len(_JUMPS) * (len(_DIRECTIONS) + halvings), advance, (found, apart(found)))
