"""Clips for training on videos: those that batches bring, or windows that move over their images."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxrestore.errors import InputError
from jaxrestore.training.objectives.supervised import as_float
from jaxrestore.typing import Image, Key

_OF_CLIPS = 0xFFFFFF21


def clips_of(key: Key, batch: Any, frames: int, side: int) -> jax.Array:
    """The clips (N, frames, side, side, C) of a batch in [0, 1]: its "video", else a window that moves over each "image".

    Args:
      key: the state's; image k's motion depends on it and on index k alone.
      batch: "video" (N, T, H, W, C), or "image" (N, H, W, C) and "index" (N,).
      frames: number of frames, the first of a longer video.
      side: of the frames, the middle of larger ones.

    Raises:
      InputError: videos or images are too small.
    """
    if "video" in batch:
        video = batch["video"]
        if video.shape[1] < frames or min(video.shape[2:4]) < side:
            raise InputError(f"video has the shape {video.shape}: clips need {frames} frames of {side}x{side}")
        top, left = ((length - side) // 2 for length in video.shape[2:4])
        return as_float(video[:, :frames, top : top + side, left : left + side])
    keys = jax.vmap(lambda index: jax.random.fold_in(jax.random.fold_in(key, _OF_CLIPS), index))(batch["index"])
    return jax.vmap(lambda k, image: moving_window(k, image, frames, side))(keys, as_float(batch["image"]))


def moving_window(key: Key, image: Image, frames: int, side: int) -> jax.Array:
    """What a window sees that moves over an image on a straight line at constant speed, by whole pixels.

    Args:
      key: of the line's ends.
      image: (H, W, C).
      frames: number of frames, at least 1.
      side: of the window.

    Returns:
      (frames, side, side, C).

    Raises:
      InputError: the image is smaller than the window.
    """
    room = jnp.array([length - side for length in image.shape[:2]])
    if min(image.shape[:2]) < side:
        raise InputError(f"data.patch: images of {image.shape[0]}x{image.shape[1]} hold no window of {side}x{side}")
    ends = jax.random.uniform(key, (2, 2)) * room[None]
    share = jnp.linspace(0.0, 1.0, frames)[:, None]
    corners = jnp.round((1 - share) * ends[:1] + share * ends[1:]).astype(jnp.int32)
    return jax.vmap(lambda corner: lax.dynamic_slice(image, (corner[0], corner[1], 0), (side, side, image.shape[-1])))(corners)
