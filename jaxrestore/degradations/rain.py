"""Rain: streaks of drops that fall through the exposure, brighter than what lies behind them."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxrestore.degradations.arguments import Level
from jaxrestore.degradations.batches import each_image
from jaxrestore.ops.checks import check_range
from jaxrestore.typing import Image, Key

# Near, middle and far drops: size in units of the nearest, how many more there are, how bright they are.
_DISTANCES = ((1.0, 1.0, 1.0), (0.6, 2.5, 0.7), (0.35, 6.0, 0.5))
_SLANT = 5.0  # degrees by which the streaks of a distance differ from the others, as a standard deviation


def rain(
    key: Key, image: Image, rate: Level = 0.001, length: Level = 30.0, width: Level = 1.0, angle: Level = 10.0, opacity: Level = 0.6
) -> Image:
    """Rain streaks at three distances, one kind of rain over the whole image.

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1].
      rate: share of the pixels where a near streak has its middle, 0..1; 0.0003 is drizzle, 0.003 a downpour. There are 2.5 and 6 times
        as many streaks farther away, 0.6 and 0.35 times as large. One number, or one for each image, like all that follows.
      length: of a near streak in pixels, >= 0: how far a drop falls during the exposure.
      width: of a near streak in pixels, > 0: twice the standard deviation across.
      angle: of the fall from the vertical in degrees, -90..90, to the left as it falls; each distance differs a little.
      opacity: brightness of the brightest streak, 0..1; each streak has between half and all of it, farther ones 0.7 and 0.5 of that.

    Returns:
      The image and the streaks blended as light is on a screen: 1 - (1 - image) * (1 - streaks), so nothing exceeds white.

    Raises:
      InputError: a value is outside its range.

    Reference: Luo, Xu and Ji, "Removing Rain from a Single Image via Discriminative Sparse Coding", ICCV 2015, equation 2 (the blend);
      Garg and Nayar, "Photorealistic Rendering of Rain Streaks", SIGGRAPH 2006 (what streaks look like).
    """
    return each_image(_rain, key, image, *_checked(rate, length, width, angle, opacity))


def rain_streaks(
    key: Key, image: Image, rate: Level = 0.001, length: Level = 30.0, width: Level = 1.0, angle: Level = 10.0, opacity: Level = 0.6
) -> Float[Array, "... _ _ 1"]:
    """The layer of streaks that `rain` with the same key and arguments blends with the image.

    Args:
      key: random key.
      image: (..., H, W, C); only its shape matters.
      rate: as for `rain`, like all that follows.
      length: of a near streak.
      width: of a near streak.
      angle: of the fall.
      opacity: of the brightest streak.

    Returns:
      (..., H, W, 1) in [0, 1].

    Raises:
      InputError: as for `rain`.
    """
    return each_image(_streaks, key, image, *_checked(rate, length, width, angle, opacity))


def _checked(rate: Level, length: Level, width: Level, angle: Level, opacity: Level) -> tuple[Level, ...]:
    check_range("rate", rate, low=0.0, high=1.0)
    check_range("length", length, low=0.0)
    check_range("width", width, low=0.0, open_low=True)
    check_range("angle", angle, low=-90.0, high=90.0)
    check_range("opacity", opacity, low=0.0, high=1.0)
    return rate, length, width, angle, opacity


def _rain(
    key: Key, image: jax.Array, rate: jax.Array, length: jax.Array, width: jax.Array, angle: jax.Array, opacity: jax.Array
) -> jax.Array:
    streaks = _streaks(key, image, rate, length, width, angle, opacity)
    return image + streaks * (1.0 - image)


def _streaks(
    key: Key, image: jax.Array, rate: jax.Array, length: jax.Array, width: jax.Array, angle: jax.Array, opacity: jax.Array
) -> jax.Array:
    size = image.shape[:2]
    clear = jnp.ones(size, image.dtype)
    for i, (scale, more, dimming) in enumerate(_DISTANCES):
        drop_key, light_key, slant_key = jax.random.split(jax.random.fold_in(key, i), 3)
        drops = jax.random.uniform(drop_key, size, image.dtype) < rate * more
        light = jnp.where(drops, jax.random.uniform(light_key, size, image.dtype, minval=0.5), 0.0)
        slant = jnp.radians(angle + _SLANT * jax.random.normal(slant_key, dtype=image.dtype))
        streak = _streak(size, scale * length, scale * width / 2, slant)
        # A circular convolution: what leaves the image at one side comes in at the other, so that no border is poorer in rain.
        layer = jnp.fft.irfft2(jnp.fft.rfft2(light) * jnp.fft.rfft2(streak), size)
        clear *= 1.0 - jnp.clip(opacity * dimming * layer, 0.0, 1.0)
    return (1.0 - clear)[:, :, None]


def _streak(size: tuple[int, int], length: jax.Array, spread: jax.Array, angle: jax.Array) -> jax.Array:
    """One streak of brightness 1 around pixel (0, 0), on an image whose opposite sides touch."""
    rows, columns = (jnp.mod(jnp.arange(side) + side // 2, side) - side // 2 for side in size)
    rows, columns = rows[:, None], columns[None, :]
    along = rows * jnp.cos(angle) - columns * jnp.sin(angle)
    across = rows * jnp.sin(angle) + columns * jnp.cos(angle)
    beyond = jnp.maximum(jnp.abs(along) - length / 2, 0.0)
    # Narrower than a pixel, a streak fades instead: its light stays on one pixel.
    wide = jnp.maximum(spread, 0.4)
    return jnp.exp(-0.5 * (across**2 + beyond**2) / wide**2) * jnp.minimum(spread / 0.4, 1.0)
