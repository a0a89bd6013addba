"""Blur by motion: a straight stroke, the trembling of a hand, and the mean of the frames that were sharp."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.degradations.arguments import Level
from jaxrestore.degradations.batches import each_image
from jaxrestore.degradations.blur import SIZE, check_kernel
from jaxrestore.errors import InputError
from jaxrestore.ops import blur_kernels
from jaxrestore.ops.checks import check_image, check_range
from jaxrestore.ops.filtering import filter_2d
from jaxrestore.typing import Image, Key

# Points on the path of a shake: several for each pixel of the longest path that a kernel of usual size holds.
_POINTS = 256


def motion_blur(key: Key, image: Image, length: Level, angle: Level = 0.0, size: int = SIZE, padding: str = "reflect") -> Image:
    """Blur by a steady motion along a straight line, the stroke of MATLAB's `fspecial("motion")`.

    Args:
      key: not used.
      image: (..., H, W, C) in [0, 1].
      length: of the stroke in pixels, both end pixels counted, >= 0; up to 1 changes nothing. One number, or one for each image.
      angle: of the stroke in degrees, counter-clockwise from the horizontal; likewise.
      size: of the kernel in pixels, odd, at most the image's shorter side; the stroke is cut off outside.
      padding: how the image goes on beyond its border, as in `blur`.

    Raises:
      InputError: the length is negative, the size is even or larger than the image, or an unknown padding.
    """
    check_range("length", length, low=0.0)
    check_range("angle", angle)
    check_kernel(image, size, padding)
    return each_image(_motion, key, image, length, angle, size=size, padding=padding)


def _motion(key: Key, image: jax.Array, length: jax.Array, angle: jax.Array, size: int, padding: str) -> jax.Array:
    return filter_2d(image, blur_kernels.motion_kernel(size, length, angle), padding)


def camera_shake(
    key: Key,
    image: Image,
    length: Level = 20.0,
    tremor: Level = 2.0,
    pull: Level = 0.3,
    jerks: Level = 1.0,
    size: int = 31,
    padding: str = "reflect",
) -> Image:
    """Blur by the random path of a camera in the hand, another for each image: `shake_kernel`.

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1].
      length: of the path in pixels, >= 0; one number, or one for each image, as all levels here.
      tremor: as for `shake_kernel`.
      pull: as for `shake_kernel`.
      jerks: as for `shake_kernel`.
      size: of the kernel in pixels, odd, at most the image's shorter side; the path is cut off outside.
      padding: how the image goes on beyond its border, as in `blur`.

    Raises:
      InputError: a level is negative, the size is even or larger than the image, or an unknown padding.
    """
    _check_shake(length, tremor, pull, jerks)
    check_kernel(image, size, padding)
    return each_image(_shake, key, image, length, tremor, pull, jerks, size=size, padding=padding)


def shake_kernel(
    key: Key, size: int, length: Level = 20.0, tremor: Level = 2.0, pull: Level = 0.3, jerks: Level = 1.0
) -> Float[Array, "size size"]:
    """The kernel of a camera's random path: a particle of constant speed whose direction trembles, is pulled back, and jumps.

    Its velocity changes at each of M steps by a random impulse, by a pull towards where it began, proportional to the distance, and now
    and then by a jerk that about turns it round; then it is set to the same speed again. The numbers are given for the whole exposure, so
    that M only sets how finely the path is drawn. In the symbols of the reference (M, p_s, p_b, p_g, I) they are tremor = p_s p_g sqrt(M),
    pull = p_s I M and jerks = p_b p_s M.

    Args:
      key: random key.
      size: height and width of the kernel, odd.
      length: of the path in pixels, >= 0.
      tremor: standard deviation of the impulses' sum, in units of the speed, >= 0; about the radians by which the direction wanders.
      pull: the same for the pull of one pixel, >= 0.
      jerks: expected number of jerks during the exposure, 0..256.

    Returns:
      The kernel, its centre of mass in the middle, so that an image is blurred and not moved.

    Raises:
      InputError: a level is outside its range, or the size is not odd and positive.

    Reference: Kupyn et al., "DeblurGAN", CVPR 2018, algorithm 1; Boracchi and Foi, "Modeling the Performance of Image Restoration From
      Motion Blur", TIP 2012.
    """
    _check_shake(length, tremor, pull, jerks)
    path = shake_path(key, length, tremor, pull, jerks)
    return blur_kernels.trajectory_kernel(size, path, jnp.full(len(path), 1 / len(path)))


def shake_path(key: Key, length: Level, tremor: Level, pull: Level, jerks: Level) -> Float[Array, "points 2"]:
    """Places of the path of `shake_kernel` at equal times, about their mean; (down, right) in pixels."""
    start_key, jerk_key, turn_key, tremor_key = jax.random.split(key, 4)
    steps = _POINTS - 1
    speed = jnp.asarray(length, float) / steps
    start = jax.random.uniform(start_key, (1,), minval=0.0, maxval=2 * math.pi)
    jerked = jax.random.uniform(jerk_key, (steps,)) < jnp.asarray(jerks) / steps
    turn = math.pi + jax.random.uniform(turn_key, (steps,), minval=-0.5, maxval=0.5)
    # All in one vector and outside the loop: for single numbers the compiler may take another sine, and a batch would differ from an image.
    angles = jnp.concatenate([start, turn])
    cosines, sines = jnp.cos(angles), jnp.sin(angles)
    impulses = jnp.asarray(tremor) / math.sqrt(steps) * jax.random.normal(tremor_key, (steps, 2))

    def step(state: tuple[jax.Array, jax.Array, jax.Array], now: tuple[jax.Array, ...]) -> tuple[tuple, jax.Array]:
        place, direction, total = state
        jerked, cosine, sine, impulse = now
        turned = jnp.stack([direction[0] * cosine - direction[1] * sine, direction[0] * sine + direction[1] * cosine])
        change = jnp.where(jerked, 2.0 * turned, 0.0) + impulse - pull / steps * place
        direction = direction + change
        direction = direction / jnp.maximum(jnp.sqrt(jnp.sum(jnp.square(direction))), 1e-6)
        place = place + speed * direction
        return (place, direction, total + place), place

    origin = jnp.zeros(2)
    (_, _, total), places = jax.lax.scan(
        step, (origin, jnp.stack([sines[0], cosines[0]]), origin), (jerked, cosines[1:], sines[1:], impulses)
    )
    path = jnp.concatenate([origin[None], places])
    return path - (total / len(path))[None]


def _shake(
    key: Key,
    image: jax.Array,
    length: jax.Array,
    tremor: jax.Array,
    pull: jax.Array,
    jerks: jax.Array,
    size: int,
    padding: str,
) -> jax.Array:
    # Turned round: the filter correlates, and blur is a convolution.
    return filter_2d(image, shake_kernel(key, size, length, tremor, pull, jerks)[::-1, ::-1], padding)


def _check_shake(length: Level, tremor: Level, pull: Level, jerks: Level) -> None:
    check_range("length", length, low=0.0)
    check_range("tremor", tremor, low=0.0)
    check_range("pull", pull, low=0.0)
    check_range("jerks", jerks, low=0.0, high=256.0)


def average_frames(key: Key, frames: Float[Array | np.ndarray, "... frames _ _ _"], gamma: float | int = 2.2) -> Float[Array, "... _ _ _"]:
    """The mean of consecutive sharp frames in linear light: how the blurred pictures of GoPro and REDS were made.

    Args:
      key: not used.
      frames: (..., T, H, W, C) in [0, 1]: T frames, 7 to 13 in GoPro.
      gamma: exponent of the camera's response: value ** gamma is light. GoPro has a set with 2.2 and one with 1, the mean of the values.

    Returns:
      (..., H, W, C).

    Raises:
      InputError: no frames, values outside [0, 1], or gamma is not positive.

    Reference: Nah et al., "Deep Multi-scale Convolutional Neural Network for Dynamic Scene Deblurring", CVPR 2017, section 2, equation 1.
    """
    check_range("gamma", gamma, low=0.0, open_low=True)
    if not frames.shape[-4]:
        raise InputError(f"frames have the shape {frames.shape}: there must be at least one")
    check_image(frames, low=0.0, high=1.0)
    return _average(frames, float(gamma))


@partial(jax.jit, static_argnums=1)
def _average(frames: jax.Array, gamma: float) -> jax.Array:
    light = frames.astype(jnp.promote_types(frames.dtype, jnp.float32)) ** gamma
    return (jnp.mean(light, axis=-4) ** (1.0 / gamma)).astype(frames.dtype)
