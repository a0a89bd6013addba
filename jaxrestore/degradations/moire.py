"""Moire: a screen photographed by a camera, whose two grids of pixels beat against each other."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.degradations.arguments import Interval, Number
from jaxrestore.degradations.batches import each_image
from jaxrestore.degradations.checks import check_interval
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range
from jaxrestore.typing import Image, Key

_GAMMA = 2.2  # of the screen, and the inverse of the camera's
# What a known colour gives to the pixels around it: red and blue at every fourth pixel, green at every other one.
_CORNERS = np.outer((0.5, 1.0, 0.5), (0.5, 1.0, 0.5))
_CROSS = np.array([[0.0, 0.25, 0.0], [0.25, 1.0, 0.25], [0.0, 0.25, 0.0]])
_SAMPLES = 4  # points along each side of a sensor pixel where its light is measured


def moire(
    key: Key,
    image: Image,
    pitch: Interval = (1.7, 2.3),
    angle: Interval = (-5.0, 5.0),
    perspective: Number = 0.1,
    aperture: Interval = (1.7, 2.2),
) -> Image:
    """Show the image on a screen, photograph the screen, and bring the photograph back to the image's frame.

    Each pixel of the screen is three upright bars, red, green and blue, over its lower two thirds; the rest is black. The camera sees it
    turned and in perspective; each pixel of its sensor gathers linear light over its aperture through one filter of a Bayer pattern
    (RGGB); bilinear demosaicking fills in the other two colours. Noise and compression are other steps.

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1], of one or three channels; grey is shown as grey.
      pitch: sensor pixels for each pixel of the screen, 0.5..3; (low, high) draws it for each image. The bands are
        broadest near 1 and 2, where the filters' pattern and the screen's meet.
      angle: of the camera's turn in degrees, -45..45, likewise.
      perspective: how much nearer one side of the screen may be than the other, 0..0.5, drawn for both directions.
      aperture: over how many sensor pixels along each side a pixel gathers light, more than 0 and at most 4, likewise: 1 is a perfectly
        sharp lens, and more its blur.

    Returns:
      (..., H, W, C) in [0, 1].

    Raises:
      InputError: a value is outside its range, or the image has another number of channels.

    Reference: Liu et al., "Demoireing of Camera-Captured Screen Images Using Deep Convolutional Neural Network", 2018, section 3.1; Yuan
      et al., "AIM 2019 Challenge on Image Demoireing: Dataset and Study", ICCV Workshops 2019, section 2 (the simulation of LCDMoire).
    """
    check_range("perspective", perspective, low=0.0, high=0.5)
    if image.shape[-1] not in (1, 3):
        raise InputError(f"image has {image.shape[-1]} channels: a screen shows 1 or 3")
    return each_image(
        _moire,
        key,
        image,
        pitch=check_interval("pitch", pitch, low=0.5, high=3.0),
        angle=check_interval("angle", angle, low=-45.0, high=45.0),
        perspective=float(perspective),
        aperture=check_interval("aperture", aperture, low=0.0, high=4.0, open_low=True),
    )


def _moire(key: Key, image: jax.Array, pitch: tuple, angle: tuple, perspective: float, aperture: tuple) -> jax.Array:
    keys = jax.random.split(key, 5)
    screen = jnp.broadcast_to(jnp.clip(image, 0.0, 1.0) ** _GAMMA, (*image.shape[:2], 3))
    height, width = image.shape[:2]
    lean = math.sin(max(abs(angle[0]), abs(angle[1])) * math.pi / 180)
    # Room for the turned screen; the pattern of the filters needs two rows and columns.
    size = tuple(2 * math.ceil(pitch[1] * (a + lean * b) * (1 + perspective) / 2) for a, b in ((height, width), (width, height)))
    pose = (
        jax.random.uniform(keys[0], minval=pitch[0], maxval=pitch[1]),
        jnp.radians(jax.random.uniform(keys[1], minval=angle[0], maxval=angle[1])),
        jax.random.uniform(keys[2], (2,), minval=-perspective, maxval=perspective) / jnp.asarray([height, width]),
        jax.random.uniform(keys[3], (2,)),
    )
    spread = jax.random.uniform(keys[4], minval=aperture[0], maxval=aperture[1])
    picture = demosaic(_expose(screen, size, pose, spread))
    seen = _sample(picture, *_to_sensor((height, width), size, pose))
    seen = jnp.clip(seen, 0.0, 1.0) ** (1.0 / _GAMMA)
    return seen if image.shape[-1] == 3 else jnp.mean(seen, axis=-1, keepdims=True)


def _expose(screen: jax.Array, size: tuple[int, int], pose: tuple, spread: jax.Array) -> jax.Array:
    """What each pixel of the sensor gathers through its filter, (rows, columns)."""
    pitch, turn, tilt, shift = pose
    height, width = screen.shape[:2]
    filters = _bayer(size)
    rows, columns = jnp.arange(size[0])[:, None], jnp.arange(size[1])[None, :]

    def gather(i: jax.Array, light: jax.Array) -> jax.Array:
        down = ((i // _SAMPLES + 0.5) / _SAMPLES - 0.5) * spread + 0.5
        right = ((i % _SAMPLES + 0.5) / _SAMPLES - 0.5) * spread + 0.5
        row, column = (rows + down - size[0] / 2) / pitch, (columns + right - size[1] / 2) / pitch
        near = 1.0 / (1.0 + tilt[0] * row + tilt[1] * column)
        y = near * (row * jnp.cos(turn) - column * jnp.sin(turn)) + height / 2 + shift[0]
        x = near * (row * jnp.sin(turn) + column * jnp.cos(turn)) + width / 2 + shift[1]
        pixel_y, pixel_x = jnp.floor(y), jnp.floor(x)
        lit = (jnp.floor(3 * (x - pixel_x)) == filters) & (y - pixel_y >= 1 / 3)
        pixel_y = jnp.clip(pixel_y, 0, height - 1).astype(int)
        pixel_x = jnp.clip(pixel_x, 0, width - 1).astype(int)
        return light + jnp.where(lit, screen[pixel_y, pixel_x, filters], 0.0)

    light = jax.lax.fori_loop(0, _SAMPLES**2, gather, jnp.zeros(size, screen.dtype))
    # A bar covers 2/9 of its pixel: the exposure that makes white white.
    return light * (4.5 / _SAMPLES**2)


def _to_sensor(screen_size: tuple[int, int], size: tuple[int, int], pose: tuple) -> tuple[jax.Array, jax.Array]:
    """Row and column on the sensor of each pixel of the screen: the inverse of what `_expose` does."""
    pitch, turn, tilt, shift = pose
    y = (jnp.arange(screen_size[0]) + 0.5 - screen_size[0] / 2 - shift[0])[:, None]
    x = (jnp.arange(screen_size[1]) + 0.5 - screen_size[1] / 2 - shift[1])[None, :]
    row, column = y * jnp.cos(turn) + x * jnp.sin(turn), x * jnp.cos(turn) - y * jnp.sin(turn)
    far = 1.0 / (1.0 - tilt[0] * row - tilt[1] * column)
    return far * row * pitch + size[0] / 2 - 0.5, far * column * pitch + size[1] / 2 - 0.5


def _bayer(size: tuple[int, int]) -> jax.Array:
    """Which colour each pixel's filter lets through: rows of red and green, rows of green and blue."""
    return jnp.arange(size[0])[:, None] % 2 + jnp.arange(size[1])[None, :] % 2


def demosaic(mosaic: jax.Array) -> jax.Array:
    """RGB from a Bayer mosaic (RGGB), bilinear: each missing colour is the mean of its nearest neighbours.

    Args:
      mosaic: (rows, columns), even numbers of both.

    Returns:
      (rows, columns, 3).
    """
    height, width = mosaic.shape
    filters = _bayer((height, width))
    colors = []
    for color, taps in enumerate((_CORNERS, _CROSS, _CORNERS)):
        # Reflection keeps the pattern's parity, so that the border's neighbours are of the right colour.
        known = jnp.pad(jnp.where(filters == color, mosaic, 0.0), 1, "reflect")
        colors.append(sum(w * known[i : i + height, j : j + width] for (i, j), w in np.ndenumerate(taps) if w))
    return jnp.stack(colors, axis=-1)


def _sample(image: jax.Array, row: jax.Array, column: jax.Array) -> jax.Array:
    """The image between its pixels, bilinear; its border goes on outside."""
    height, width = image.shape[:2]
    row, column = jnp.clip(row, 0.0, height - 1.0), jnp.clip(column, 0.0, width - 1.0)
    top, left = jnp.floor(row).astype(int), jnp.floor(column).astype(int)
    down, right = (row - top)[..., None], (column - left)[..., None]
    below, beside = jnp.minimum(top + 1, height - 1), jnp.minimum(left + 1, width - 1)
    above = image[top, left] * (1 - right) + image[top, beside] * right
    under = image[below, left] * (1 - right) + image[below, beside] * right
    return above * (1 - down) + under * down
