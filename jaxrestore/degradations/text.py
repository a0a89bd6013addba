"""Writing over an image: captions, dates and watermarks whose letters hide what lies under them."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from jaxrestore.degradations import font
from jaxrestore.degradations.arguments import Count, Interval, Level
from jaxrestore.degradations.batches import each_image
from jaxrestore.degradations.checks import check_count, check_interval
from jaxrestore.ops.checks import check_range
from jaxrestore.typing import Image, Key

_MARGIN, _SAMPLES = 1, 6
_ADVANCE = font.WIDTH + 2 * _MARGIN


def text(
    key: Key,
    image: Image,
    lines: Count = (2, 6),
    letters: Count = (4, 16),
    size: Interval = (0.05, 0.15),
    weight: Interval = (0.1, 0.2),
    angle: Interval = (-15.0, 15.0),
    fill: Level = 1.0,
) -> Image:
    """Write lines of random letters and digits over an image.

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1].
      lines: how many, or (low, high) to draw their number for each image, both ends included.
      letters: of each line, or (low, high) likewise; all letters and digits are equally likely.
      size: height of a capital as a share of the image's height, > 0; (low, high) draws it for each line.
      weight: width of the letters' strokes as a share of a capital's height, more than 0 and at most 1/3; likewise.
      angle: of a line in degrees, anticlockwise; likewise. The middle of a line lies anywhere in the image.
      fill: the colour of the writing, 0..1; one number, or one for each image.

    Raises:
      InputError: a value is outside its range, or an interval's ends are in the wrong order.
    """
    check_range("fill", fill, low=0.0, high=1.0)
    return each_image(_text, key, image, fill, **_layout(lines, letters, size, weight, angle))


def text_mask(
    key: Key,
    image: Image,
    lines: Count = (2, 6),
    letters: Count = (4, 16),
    size: Interval = (0.05, 0.15),
    weight: Interval = (0.1, 0.2),
    angle: Interval = (-15.0, 15.0),
) -> Bool[Array, "... _ _ 1"]:
    """Where `text` with the same key and arguments writes.

    Args:
      key: random key.
      image: (..., H, W, C); only its shape matters.
      lines: as for `text`, like all that follows.
      letters: of each line.
      size: height of a capital.
      weight: width of the strokes.
      angle: of a line.

    Returns:
      (..., H, W, 1), True where a pixel's centre lies under a letter.

    Raises:
      InputError: as for `text`.
    """
    return each_image(_mask, key, image, **_layout(lines, letters, size, weight, angle))


def _layout(lines: Count, letters: Count, size: Interval, weight: Interval, angle: Interval) -> dict:
    return {
        "lines": check_count("lines", lines),
        "letters": check_count("letters", letters, low=1),
        "size": check_interval("size", size, low=0.0, open_low=True),
        "weight": check_interval("weight", weight, low=0.0, high=1 / 3, open_low=True),
        "angle": check_interval("angle", angle, low=-360.0, high=360.0),
    }


def _text(key: Key, image: jax.Array, fill: jax.Array, **layout) -> jax.Array:
    return jnp.where(_mask(key, image, **layout), fill, image)


def _mask(key: Key, image: jax.Array, lines: tuple, letters: tuple, size: tuple, weight: tuple, angle: tuple) -> jax.Array:
    height, width = image.shape[:2]
    drawn, written = compose(key, (height, width), lines, letters, size, weight, angle)
    if not lines[1]:
        return jnp.zeros((height, width, 1), bool)
    rows, columns = jnp.arange(height)[:, None] + 0.5, jnp.arange(width)[None, :] + 0.5
    fields = jnp.asarray(font.distance_fields(_MARGIN, _SAMPLES))

    def write(i: jax.Array, mask: jax.Array) -> jax.Array:
        row, column, unit, radius, turn, length = written[0][i]
        # Image -> line: the centre is its origin, a grid unit of the font its length, and the writing goes to the right.
        right = ((columns - column) * jnp.cos(turn) - (rows - row) * jnp.sin(turn)) / unit + length * _ADVANCE / 2
        down = ((columns - column) * jnp.sin(turn) + (rows - row) * jnp.cos(turn)) / unit + font.HEIGHT / 2 + _MARGIN
        cell = jnp.floor(right / _ADVANCE)
        inside = (cell >= 0) & (cell < length) & (down >= 0) & (down <= font.HEIGHT + 2 + 2 * _MARGIN)
        letter = written[1][i, jnp.clip(cell, 0, letters[1] - 1).astype(int)]
        distance = _look_up(fields, letter, down * _SAMPLES, (right - cell * _ADVANCE) * _SAMPLES)
        return mask | (inside & drawn[i] & (distance <= radius))

    return jax.lax.fori_loop(0, lines[1], write, jnp.zeros((height, width), bool))[:, :, None]


def compose(
    key: Key, image_size: tuple[int, int], lines: tuple, letters: tuple, size: tuple, weight: tuple, angle: tuple
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    """What is written where.

    Returns:
      which of the lines are drawn; for each line (row and column of its centre, pixels of a font's unit, half the strokes' width in units,
      angle in radians, number of letters), and its letters as places in `font.ALPHABET`.
    """
    keys = jax.random.split(key, 7)
    most = lines[1]
    drawn = jnp.arange(most) < jax.random.randint(keys[0], (), lines[0], most + 1)
    centre = jax.random.uniform(keys[1], (most, 2)) * jnp.asarray([image_size], jnp.float32)
    unit = jax.random.uniform(keys[2], (most,), minval=size[0], maxval=size[1]) * image_size[0] / font.HEIGHT
    radius = jax.random.uniform(keys[3], (most,), minval=weight[0], maxval=weight[1]) * font.HEIGHT / 2
    turn = jax.random.uniform(keys[4], (most,), minval=math.radians(angle[0]), maxval=math.radians(angle[1]))
    length = jax.random.randint(keys[5], (most,), letters[0], letters[1] + 1)
    chosen = jax.random.randint(keys[6], (most, letters[1]), 0, len(font.ALPHABET))
    return drawn, (jnp.stack([centre[:, 0], centre[:, 1], unit, radius, turn, length], axis=1), chosen)


def _look_up(fields: jax.Array, letter: jax.Array, row: jax.Array, column: jax.Array) -> jax.Array:
    """The fields between their samples, bilinear."""
    _, height, width = fields.shape
    top = jnp.clip(jnp.floor(row), 0, height - 2)
    left = jnp.clip(jnp.floor(column), 0, width - 2)
    down, right = jnp.clip(row - top, 0.0, 1.0), jnp.clip(column - left, 0.0, 1.0)
    place = (letter * height + top.astype(int)) * width + left.astype(int)
    flat = fields.ravel()
    above = flat[place] * (1 - right) + flat[place + 1] * right
    below = flat[place + width] * (1 - right) + flat[place + width + 1] * right
    return above * (1 - down) + below * down
