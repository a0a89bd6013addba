"""Free-form holes: the strokes of a brush that walks at random, as inpainting networks are trained on."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from jaxrestore.degradations.arguments import Count, Interval, Level, Number
from jaxrestore.degradations.batches import each_image
from jaxrestore.degradations.checks import check_count, check_interval
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.segments import segments_distance
from jaxrestore.typing import Image, Key


def strokes(
    key: Key,
    image: Image,
    count: Count = (1, 3),
    vertices: Count = (4, 11),
    length: Number = 0.125,
    angle: Interval = (48.0, 96.0),
    width: Interval = (0.047, 0.156),
    fill: Level = 0.0,
) -> Image:
    """Erase brush strokes, the same in all channels: each is a walk of straight pieces that turns to and fro.

    The defaults are those of the published code at its size of 256x256 (widths 12..40 pixels).

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1].
      count: how many strokes, or (low, high) to draw their number for each image, both ends included.
      vertices: pieces of each stroke, or (low, high) likewise.
      length: mean length of a piece as a share of the image's diagonal, > 0; lengths are normal with half of it as standard deviation, cut
        to 0..2 means, and pieces end at the image's border.
      angle: direction of a piece in degrees from the rows, alternately to one side and the other; a stroke draws its own interval inside
        this one, around its middle. The whole mask is mirrored at random.
      width: of a stroke as a share of the image's shorter side, > 0; (low, high) draws it for each stroke.
      fill: what replaces the content, 0..1; one number, or one for each image.

    Raises:
      InputError: a value is outside its range, or an interval's ends are in the wrong order.

    Reference: Yu et al., "Free-Form Image Inpainting with Gated Convolution", ICCV 2019, section 3.4 and the code's `brush_stroke_mask`.
    """
    check_range("fill", fill, low=0.0, high=1.0)
    return each_image(_strokes, key, image, fill, **_geometry(count, vertices, length, angle, width))


def strokes_mask(
    key: Key,
    image: Image,
    count: Count = (1, 3),
    vertices: Count = (4, 11),
    length: Number = 0.125,
    angle: Interval = (48.0, 96.0),
    width: Interval = (0.047, 0.156),
) -> Bool[Array, "... _ _ 1"]:
    """Where `strokes` with the same key and arguments erases.

    Args:
      key: random key.
      image: (..., H, W, C); only its shape matters.
      count: as for `strokes`, like all that follows.
      vertices: pieces of each stroke.
      length: mean length of a piece.
      angle: directions.
      width: of a stroke.

    Returns:
      (..., H, W, 1), True where a pixel's centre lies under a stroke.

    Raises:
      InputError: as for `strokes`.
    """
    return each_image(_mask, key, image, **_geometry(count, vertices, length, angle, width))


def _geometry(count: Count, vertices: Count, length: Number, angle: Interval, width: Interval) -> dict:
    check_range("length", length, low=0.0, open_low=True)
    return {
        "count": check_count("count", count),
        "vertices": check_count("vertices", vertices, low=1),
        "length": float(length),
        "angle": check_interval("angle", angle, low=0.0, high=360.0),
        "width": check_interval("width", width, low=0.0, open_low=True),
    }


def _strokes(key: Key, image: jax.Array, fill: jax.Array, **geometry) -> jax.Array:
    return jnp.where(_mask(key, image, **geometry), fill, image)


def _mask(key: Key, image: jax.Array, count: tuple, vertices: tuple, length: float, angle: tuple, width: tuple) -> jax.Array:
    size = image.shape[:2]
    starts, ends, radii = walks(key, size, count, vertices, length, angle, width)
    return (segments_distance(size, starts, ends, radii) <= 0)[:, :, None]


def walks(
    key: Key, size: tuple[int, int], count: tuple, vertices: tuple, length: float, angle: tuple, width: tuple
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The pieces of all strokes: starts (n, 2) and ends (n, 2) as (row, column), radii (n,); minus infinity for none."""
    keys = jax.random.split(key, 8)
    strokes, pieces = count[1], vertices[1]
    whole, diagonal = jnp.asarray([size], jnp.float32), (size[0] ** 2 + size[1] ** 2) ** 0.5
    middle, spread = (angle[0] + angle[1]) / 2, (angle[1] - angle[0]) / 2
    ends = jax.random.uniform(keys[0], (2, strokes, 1)) * spread
    turn = middle - ends[0] + jax.random.uniform(keys[1], (strokes, pieces)) * (ends[0] + ends[1])
    turn = jnp.radians(turn) * jnp.where(jnp.arange(pieces)[None, :] % 2, 1.0, -1.0)
    reach = length * diagonal * jnp.clip(1.0 + 0.5 * jax.random.normal(keys[2], (strokes, pieces)), 0.0, 2.0)
    steps = reach[:, :, None] * jnp.stack([jnp.sin(turn), jnp.cos(turn)], axis=-1)
    first = jax.random.uniform(keys[3], (strokes, 2)) * whole

    def walk(place: jax.Array, step: jax.Array) -> tuple[jax.Array, jax.Array]:
        place = jnp.clip(place + step, 0.0, whole)
        return place, place

    path = jax.lax.scan(walk, first, steps.swapaxes(0, 1))[1]  # (pieces, strokes, 2)
    path = jnp.concatenate([first[None], path])
    mirrored = jax.random.bernoulli(keys[4], shape=(2,))
    path = jnp.where(mirrored[None, None], whole[None] - path, path)

    radii = min(size) / 2 * jax.random.uniform(keys[5], (strokes,), minval=width[0], maxval=width[1])
    drawn = jnp.arange(strokes) < jax.random.randint(keys[6], (), count[0], count[1] + 1)
    steps_made = jax.random.randint(keys[7], (strokes,), vertices[0], vertices[1] + 1)
    exists = drawn[None, :] & (jnp.arange(pieces)[:, None] < steps_made[None, :])
    radii = jnp.where(exists, radii[None, :], -jnp.inf)
    return path[:-1].reshape(-1, 2), path[1:].reshape(-1, 2), radii.reshape(-1)
