"""Inpainting by PatchMatch: holes are filled so that every patch of them looks like some patch of the picture, from coarse to fine."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.classical.exemplar_inpainting import check_patches
from jaxrestore.classical.images import in_float
from jaxrestore.classical.masks import Mask, checked_mask, known_mean
from jaxrestore.classical.nearest_patches import Targets, nearest_patches, patches_at, random_sources, targets_of
from jaxrestore.classical.patch_search import whole_patches
from jaxrestore.ops.checks import check_range, is_concrete
from jaxrestore.ops.local_mean import local_mean
from jaxrestore.typing import ArrayLike, Image, Key

# The weight of how busy surroundings are against their colours.
_TEXTURE = 7.0
_ROUNDS, _LAST_ROUNDS = 10, 4  # at most, and at the finest scale, where little changes any more and most is computed
_CHANGE = 1e-3  # of the hole's pixels on average, below which a level is done
_FEWEST_SOURCES = 100


def patchmatch_inpainting(image: Image, *, mask: Mask, radius: int = 3, key: Key | None = None) -> Image:
    """Fill holes with patches that fit each other and the surroundings, at every scale from the coarsest.

    For every patch that reaches into the hole the nearest known one is found by PatchMatch; every missing pixel is the mean of what these
    say about it; and so on until nothing changes, then at twice the size. In the end every pixel is a copy of a known one. Where whole
    things are missing and textures are to be continued far into a hole, this is the method; into narrow holes `biharmonic_inpainting`
    is as good and faster.

    Args:
      image: (..., H, W, C); what it holds at missing pixels does not matter, as long as it is finite.
      mask: (..., H, W, 1) or (H, W, 1), True where the content is missing.
      radius: patches are squares of 2 * radius + 1 pixels; >= 1.
      key: random key of the search; that of seed 0 if none is given. A batch's images get `fold_in(key, index)`.

    Returns:
      (..., H, W, C): known pixels bit for bit, missing ones copied from known ones.

    Raises:
      InputError: radius is below 1, as for `harmonic_inpainting`, or no whole patch is known.

    Reference: Wexler, Shechtman and Irani, "Space-Time Completion of Video", TPAMI 2007; Newson, Almansa, Gousseau and Pérez, "Non-Local
      Patch-Based Image Inpainting", IPOL 2017 (the layers from the rim at the coarsest scale, and the textures' features).
    """
    check_range("radius", radius, low=1)
    pixels, missing = in_float(image), checked_mask(image, mask)
    side = 2 * radius + 1
    check_patches(missing, side)
    key = jax.random.key(0) if key is None else key
    shape = (-1, *image.shape[-3:-1])
    masks = missing.reshape(*shape, 1)
    levels = _levels(np.asarray(masks[..., 0]), side) if is_concrete(missing) else _levels_of_any(*image.shape[-3:-1], side)
    fill = partial(_fill, side=side, levels=levels)
    if image.ndim == 3:
        return fill(key, pixels, missing).astype(image.dtype)
    images = pixels.reshape(*shape, image.shape[-1])
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(len(images)))
    return jax.lax.map(lambda one: fill(*one), (keys, images, masks)).reshape(image.shape).astype(image.dtype)


class Level(NamedTuple):
    """How much room a scale needs.

    Attributes:
      targets: most patches that reach into the hole.
      pixels: most missing pixels.
    """

    targets: int
    pixels: int


def _levels(masks: np.ndarray, side: int) -> tuple[Level, ...]:
    """Scales from the finest to one at which the hole is not much wider than a patch: (N, H, W), True where something is missing."""
    from scipy.ndimage import distance_transform_cdt, minimum_filter

    levels: list[Level] = []
    while True:
        padded = np.pad(masks, ((0, 0), (1, 1), (1, 1)))
        sources = [minimum_filter(~one, side, mode="constant")[side // 2 : -(side // 2), side // 2 : -(side // 2)] for one in masks]
        if levels and min(np.sum(one) for one in sources) < _FEWEST_SOURCES:
            return tuple(levels)
        levels.append(Level(_room(max(int(np.sum(~one)) for one in sources)), _room(max(int(np.sum(one)) for one in masks))))
        width = max(np.max(distance_transform_cdt(one, "chessboard")) for one in padded)
        masks = np.pad(masks, ((0, 0), (0, masks.shape[1] % 2), (0, masks.shape[2] % 2)), mode="edge")
        masks = masks[:, ::2] | masks[:, 1::2]
        masks = masks[:, :, ::2] | masks[:, :, 1::2]
        if 2 * width <= side or min(masks.shape[1:]) < 3 * side:
            return tuple(levels)


def _levels_of_any(height: int, width: int, side: int) -> tuple[Level, ...]:
    """Scales for masks that are not known yet."""
    levels = [Level((height - side + 1) * (width - side + 1), height * width)]
    while min(height, width) >= 6 * side:
        height, width = -(-height // 2), -(-width // 2)
        levels.append(Level((height - side + 1) * (width - side + 1), height * width))
    return tuple(levels)


def _room(count: int) -> int:
    """At least the count, of few different numbers: programs are compiled for each."""
    step = 2 ** max(count.bit_length() - 3, 3)
    return max(-(-count // step), 1) * step


@partial(jax.jit, static_argnames=("side", "levels"))
def _fill(key: Key, image: jax.Array, missing: jax.Array, side: int, levels: tuple[Level, ...]) -> jax.Array:
    start = jnp.where(missing, known_mean(image, missing), image)
    scales = [(jnp.concatenate([start, _textures(start, missing, 2 ** (len(levels) - 1))], axis=-1), missing)]
    for _ in levels[1:]:
        scales.append(_halved(*scales[-1]))
    places, before = None, None
    for number in range(len(levels) - 1, -1, -1):
        level_key = jax.random.fold_in(key, number)
        scale = _Scale(*scales[number], side, levels[number])
        if before is None:
            picture, places = scale.from_the_rim(level_key)
        else:
            places = scale.enlarged(level_key, before, places)
            picture = scale.vote(places, jnp.ones(len(places), image.dtype))
        picture, places, distance = scale.settle(level_key, picture, places, _ROUNDS if number else _LAST_ROUNDS)
        before = scale
    picture = before.choose(places, distance)
    return jnp.where(missing, picture[..., : image.shape[-1]], image)


def _textures(image: jax.Array, missing: jax.Array, reach: int) -> jax.Array:
    """(H, W, 2): how much neighbours differ on average around each pixel, down and to the right; of known pixels only."""
    grey, known = jnp.mean(image, axis=-1, keepdims=True), ~missing
    parts = []
    for axis in (0, 1):
        both = known & jnp.roll(known, -1, axis)
        change = jnp.where(both, jnp.abs(jnp.roll(grey, -1, axis) - grey), 0.0)
        window = (2 * reach + 1, 2 * reach + 1)
        parts.append(local_mean(change, window) / jnp.maximum(local_mean(both.astype(image.dtype), window), 1e-6))
    return _TEXTURE * jnp.concatenate(parts, axis=-1)


def _halved(image: jax.Array, missing: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Half the size: means of what is known of four pixels; missing where any of them is."""
    border = ((0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0))
    image, missing = (jnp.pad(x, border, "edge") for x in (image, missing))
    parts = [(image[i::2, j::2], missing[i::2, j::2]) for i in (0, 1) for j in (0, 1)]
    total = sum(jnp.where(gap, 0.0, part) for part, gap in parts)
    count = sum(jnp.where(gap, 0.0, 1.0) for _, gap in parts)
    mean = jnp.where(count > 0.0, total / jnp.maximum(count, 1.0), 0.25 * sum(part for part, _ in parts))
    return mean, parts[0][1] | parts[1][1] | parts[2][1] | parts[3][1]


class _Scale:
    """A picture at one scale, its hole, and what may fill it."""

    def __init__(self, image: jax.Array, missing: jax.Array, side: int, level: Level) -> None:
        self.image, self.missing, self.side = image, missing, side
        self.sources = whole_patches(~missing, side)
        self.targets: Targets = targets_of(~self.sources, level.targets)
        height, width = image.shape[:2]
        # Numbers beyond the picture are dropped where they are written to.
        self.pixels = jnp.stack(jnp.nonzero(missing[..., 0], size=level.pixels, fill_value=(height, width)), axis=-1).astype(jnp.int32)

    def search(self, key: Key, picture: jax.Array, known: jax.Array, places: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Better sources, their distances, and how many pixels of each target were compared."""
        patches, weights = (patches_at(x, self.targets.places, self.side) for x in (picture, known.astype(picture.dtype)))
        places, distance = nearest_patches(key, places, self.image, patches, weights, self.sources, self.targets)
        return places, distance, jnp.sum(weights, axis=(1, 2, 3))

    def from_the_rim(self, key: Key) -> tuple[jax.Array, jax.Array]:
        """A first picture, pixels at the rim first."""
        start_key, key = jax.random.split(key)
        places = random_sources(start_key, self.sources, len(self.targets.places))

        def layer(state: tuple) -> tuple:
            key, picture, known, places = state
            key, search_key = jax.random.split(key)
            places, distance, compared = self.search(search_key, picture, known, places)
            share = jnp.where(jnp.isfinite(distance), compared, 0.0)
            border = jnp.pad(known, ((1, 1), (1, 1), (0, 0)))
            near = border[2:, 1:-1] | border[:-2, 1:-1] | border[1:-1, 2:] | border[1:-1, :-2]
            return key, jnp.where(near & ~known, self.vote(places, share), picture), known | near, places

        state = key, self.image, ~self.missing, places
        return jax.lax.while_loop(lambda state: ~jnp.all(state[2]), layer, state)[1::2]

    def enlarged(self, key: Key, coarse: "_Scale", places: jax.Array) -> jax.Array:
        """Sources where those of half the size say; any others where these are none."""
        small = jnp.minimum(self.targets.places // 2, jnp.asarray([coarse.sources.shape], jnp.int32) - 1)
        number = coarse.targets.number[small[:, 0], small[:, 1]]
        twice = 2 * places[number] + self.targets.places % 2
        inside = jnp.clip(twice, 0, jnp.asarray([self.sources.shape], jnp.int32) - 1)
        good = (number >= 0) & jnp.all(inside == twice, axis=-1) & self.sources[inside[:, 0], inside[:, 1]]
        return jnp.where(good[:, None], inside, random_sources(key, self.sources, len(inside)))

    def settle(self, key: Key, picture: jax.Array, places: jax.Array, rounds: int) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Search and vote in turns until the picture stays as it is."""
        known = jnp.ones_like(self.missing)
        count = jnp.maximum(jnp.sum(self.missing), 1)

        def go_on(state: tuple) -> jax.Array:
            return (state[0] < rounds) & (state[-1] > _CHANGE)

        def advance(state: tuple) -> tuple:
            step, picture, places, *_ = state
            places, distance, _ = self.search(jax.random.fold_in(key, step), picture, known, places)
            ordered = jnp.sort(jnp.where(jnp.isfinite(distance), distance, jnp.inf))
            used = jnp.sum(self.targets.number >= 0)
            spread = ordered[jnp.clip((3 * used) // 4, 0, len(ordered) - 1)]
            share = jnp.where(jnp.isfinite(distance), jnp.exp(-distance / jnp.maximum(2.0 * spread, 1e-12)), 0.0)
            voted = self.vote(places, share)
            change = jnp.sum(jnp.abs(voted - picture)) / (count * picture.shape[-1])
            return step + 1, voted, places, distance, change

        state = 0, picture, places, jnp.zeros(len(places), picture.dtype), jnp.asarray(jnp.inf, picture.dtype)
        return jax.lax.while_loop(go_on, advance, state)[1:4]

    def vote(self, places: jax.Array, share: jax.Array) -> jax.Array:
        """Missing pixels as means, weighted by shares, of what the sources of all patches that contain them say."""

        def add(state: tuple, colour: jax.Array, weight: jax.Array) -> tuple:
            return state[0] + weight[:, None] * colour, state[1] + weight

        total, weight = self._opinions(places, share, add)
        mean = total / jnp.where(weight > 0.0, weight, 1.0)[:, None]
        return self._written(mean, weight > 0.0)

    def choose(self, places: jax.Array, distance: jax.Array) -> jax.Array:
        """Missing pixels as the source of that patch says which is the nearest to its own."""

        def add(state: tuple, colour: jax.Array, weight: jax.Array) -> tuple:
            better = weight > state[1]
            return jnp.where(better[:, None], colour, state[0]), jnp.where(better, weight, state[1])

        colour, weight = self._opinions(places, 1.0 / (1e-6 + distance), add)
        return self._written(colour, weight > 0.0)

    def _opinions(self, places: jax.Array, share: jax.Array, add: object) -> tuple:
        last = jnp.asarray([self.sources.shape], jnp.int32) - 1

        def opinion(number: ArrayLike, state: tuple) -> tuple:
            offset = jnp.stack([number // self.side, number % self.side])[None]
            corner = self.pixels - offset
            inside = jnp.clip(corner, 0, last)
            target = jnp.where(jnp.all(inside == corner, axis=-1), self.targets.number[inside[:, 0], inside[:, 1]], -1)
            source = places[target] + offset
            return add(state, self.image[source[:, 0], source[:, 1]], jnp.where(target >= 0, share[target], 0.0))

        start = jnp.zeros((len(self.pixels), self.image.shape[-1]), self.image.dtype), jnp.zeros(len(self.pixels), self.image.dtype)
        return jax.lax.fori_loop(0, self.side**2, opinion, start)

    def _written(self, colours: jax.Array, said: jax.Array) -> jax.Array:
        rows, columns = self.pixels[:, 0], self.pixels[:, 1]
        colours = jnp.where(said[:, None], colours, self.image.at[rows, columns].get(mode="clip"))
        return self.image.at[rows, columns].set(colours, mode="drop")
