"""Damage of old photographs at places: scratches, dust and folds."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from jaxrestore.degradations.arguments import Count, Level
from jaxrestore.degradations.batches import each_image
from jaxrestore.degradations.checks import check_count
from jaxrestore.degradations.fields import smooth_field
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.segments import segments_distance
from jaxrestore.typing import Image, Key

_PIECES = 12  # straight pieces of a scratch or a fold
_SHADE = 3.0  # how far the paper beside a fold is bent, in pixels


def scratches(key: Key, image: Image, lines: Count = (2, 8), dust: Count = (10, 60), folds: Count = (0, 2), opacity: Level = 0.9) -> Image:
    """Scratch, soil and fold a photograph, the same in all channels.

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1].
      lines: thin curved scratches, or (low, high) to draw their number for each image, both ends included; they run up or down within 20
        degrees of the vertical for a fifth of the height to all of it, are 0.5 to 2 pixels wide and come and go. Each is bright, where the
        emulsion is gone, or one time in four dark.
      dust: specks and hairs, likewise: 0.5 to 2 pixels in radius, up to 12 pixels long, bright or dark.
      folds: creases from one side to the other, likewise: a broken white line whose two sides are lit and in shade.
      opacity: how much of the picture is gone in the middle of a defect, 0..1; one number, or one for each image.

    Raises:
      InputError: a value is outside its range, or an interval's ends are in the wrong order.

    Reference: Wan et al., "Bringing Old Photos Back to Life", CVPR 2020, section 4.1 (the structured defects).
    """
    check_range("opacity", opacity, low=0.0, high=1.0)
    return each_image(_scratches, key, image, opacity, **_numbers(lines, dust, folds))


def scratches_mask(
    key: Key, image: Image, lines: Count = (2, 8), dust: Count = (10, 60), folds: Count = (0, 2)
) -> Bool[Array, "... _ _ 1"]:
    """Where `scratches` with the same key and arguments changes the picture.

    Args:
      key: random key.
      image: (..., H, W, C); only its shape matters.
      lines: as for `scratches`, like all that follows.
      dust: specks and hairs.
      folds: creases.

    Returns:
      (..., H, W, 1), True where a defect covers any of a pixel; the soft shade beside a fold is not counted.

    Raises:
      InputError: as for `scratches`.
    """
    return each_image(_mask, key, image, **_numbers(lines, dust, folds))


def _numbers(lines: Count, dust: Count, folds: Count) -> dict:
    return {"lines": check_count("lines", lines), "dust": check_count("dust", dust), "folds": check_count("folds", folds)}


def _mask(key: Key, image: jax.Array, **numbers) -> jax.Array:
    bright, dark, _ = _damage(key, image.shape[:2], **numbers)
    return (jnp.maximum(bright, dark) > 0)[:, :, None]


def _scratches(key: Key, image: jax.Array, opacity: jax.Array, **numbers) -> jax.Array:
    bright, dark, shade = (layer.astype(image.dtype)[:, :, None] for layer in _damage(key, image.shape[:2], **numbers))
    image = jnp.clip(image * (1.0 + 0.35 * opacity * shade), 0.0, 1.0)
    image = image + opacity * bright * (0.95 - image)
    return image + opacity * dark * (0.05 - image)


def _damage(key: Key, size: tuple[int, int], lines: tuple, dust: tuple, folds: tuple) -> tuple[jax.Array, jax.Array, jax.Array]:
    """How much each pixel is covered by bright and by dark defects, 0..1, and how it is lit beside folds, -1..1."""
    keys = jax.random.split(key, 5)
    defects = zip(_lines(keys[0], size, lines), _specks(keys[1], size, dust), strict=True)
    starts, ends, radii, tones = (jnp.concatenate(both) for both in defects)
    radii = jnp.where(jnp.stack([tones, ~tones]), radii[None, :], -jnp.inf)
    bright, dark = jax.vmap(lambda r: _covered(segments_distance(size, starts, ends, r)))(radii)
    crack, shade = _folds(keys[2], size, folds)
    # Wear is uneven: a defect comes and goes along its way.
    worn = jnp.clip(0.9 + 0.6 * smooth_field(keys[3], size, 24), 0.0, 1.0)
    broken = jnp.clip(0.6 + 0.8 * smooth_field(keys[4], size, 48), 0.0, 1.0)
    return jnp.maximum(bright * worn, crack * broken), dark * worn, shade


def _covered(distance: jax.Array) -> jax.Array:
    """How much of each pixel a shape covers whose border is so far away."""
    return jnp.clip(0.5 - distance, 0.0, 1.0)


def _lines(key: Key, size: tuple[int, int], count: tuple[int, int]) -> tuple[jax.Array, ...]:
    keys = jax.random.split(key, 7)
    number, (height, width) = count[1], size
    start = jax.random.uniform(keys[0], (number, 2)) * jnp.asarray([[height, width]], jnp.float32)
    reach = jax.random.uniform(keys[1], (number, 1), minval=0.2, maxval=1.0) * height / _PIECES
    # The direction itself drifts, so that a scratch bends slowly.
    drift = jnp.cumsum(jax.random.normal(keys[2], (number, _PIECES)), axis=1) * 0.05
    angle = jax.random.uniform(keys[3], (number, 1), minval=-0.35, maxval=0.35) + drift
    steps = jnp.stack([reach * jnp.cos(angle), reach * jnp.sin(angle)], axis=-1)
    path = jnp.concatenate([start[:, None], start[:, None] + jnp.cumsum(steps, axis=1)], axis=1)
    radii = jax.random.uniform(keys[4], (number, 1), minval=0.25, maxval=1.0)
    exists = jnp.arange(number)[:, None] < jax.random.randint(keys[5], (), count[0], number + 1)
    radii = jnp.broadcast_to(jnp.where(exists, radii, -jnp.inf), (number, _PIECES))
    bright = jnp.broadcast_to(jax.random.bernoulli(keys[6], 0.75, (number, 1)), (number, _PIECES))
    return path[:, :-1].reshape(-1, 2), path[:, 1:].reshape(-1, 2), radii.ravel(), bright.ravel()


def _specks(key: Key, size: tuple[int, int], count: tuple[int, int]) -> tuple[jax.Array, ...]:
    keys = jax.random.split(key, 6)
    number = count[1]
    start = jax.random.uniform(keys[0], (number, 2)) * jnp.asarray([size], jnp.float32)
    # Most are round; the fourth power makes a few of them hairs.
    length = 12.0 * jax.random.uniform(keys[1], (number, 1)) ** 4
    angle = jax.random.uniform(keys[2], (number, 1), maxval=2 * jnp.pi)
    radii = jax.random.uniform(keys[3], (number,), minval=0.5, maxval=2.0) / (1.0 + 0.3 * length[:, 0])
    exists = jnp.arange(number) < jax.random.randint(keys[4], (), count[0], number + 1)
    end = start + length * jnp.concatenate([jnp.cos(angle), jnp.sin(angle)], axis=1)
    return start, end, jnp.where(exists, radii, -jnp.inf), jax.random.bernoulli(keys[5], 0.7, (number,))


def _folds(key: Key, size: tuple[int, int], count: tuple[int, int]) -> tuple[jax.Array, jax.Array]:
    """How much the cracks of the folds cover, and the light and shade beside them."""
    keys = jax.random.split(key, 4)
    number, (height, width) = count[1], size
    # A fold goes from left to right or from top to bottom, as paper is folded, and leans a little.
    across = jax.random.bernoulli(keys[0], 0.5, (number, 1))
    place = jax.random.uniform(keys[1], (number, 2), minval=0.1, maxval=0.9)
    share = jnp.linspace(-0.05, 1.05, _PIECES + 1)[None, :]
    middle = place[:, :1] + (place[:, 1:] - place[:, :1]) * (0.3 * share + 0.35)
    crooked = 1.5 * jax.random.normal(keys[2], (number, _PIECES + 1))
    rows = jnp.where(across, middle * height + crooked, share * height)
    columns = jnp.where(across, share * width, middle * width + crooked)
    exists = jnp.arange(number) < jax.random.randint(keys[3], (), count[0], number + 1)

    def fold(path: jax.Array, exists: jax.Array) -> tuple[jax.Array, jax.Array]:
        distance = segments_distance(size, path[:-1], path[1:], jnp.where(exists, jnp.full(_PIECES, 0.6), -jnp.inf))
        (row, column), (down, right) = path[0], path[-1] - path[0]
        y, x = jnp.arange(height)[:, None] + 0.5 - row, jnp.arange(width)[None, :] + 0.5 - column
        return _covered(distance), jnp.sign(y * right - x * down) * jnp.exp(-jnp.maximum(distance, 0.0) / _SHADE)

    cracks, shades = jax.vmap(fold)(jnp.stack([rows, columns], axis=-1), exists)
    return jnp.max(cracks, axis=0, initial=0.0), jnp.clip(jnp.sum(shades, axis=0), -1.0, 1.0)
