"""Videos through networks that take several frames at once: clip after clip, each overlapping the next.

A restored frame depends on a known number of frames before and after it, the halo, so that clips that overlap by twice as many give what
the whole video would give. Clips begin at multiples of a step, wherever reading begins: a run that is gone on with computes the same clips
as one that was left alone. The last clip ends with the video.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from jaxrestore.data.images import Picture, from_float, to_float
from jaxrestore.inference.committee import whole
from jaxrestore.inference.network import Network
from jaxrestore.inference.video import in_the_background
from jaxrestore.typing import Image, Variables

_Item = TypeVar("_Item")


def takes_clips(model: nn.Module) -> bool:
    """Whether a network takes several frames at once and says on how many around it each depends."""
    return hasattr(model, "frames_seen")


def where_to_read(first: int, halo: int, step: int) -> int:
    """The number of the frame with which reading begins, so that `restored_clips` can give frame `first` and all behind it."""
    return max((first + 1 - step - 2 * halo) // step, 0) * step  # the clip that ends with `first`, if the video does, begins no earlier


def restored_clips(
    frames: Iterable[_Item], restore: Callable[[Sequence[_Item]], Sequence[_Item]], halo: int, step: int, first: int = 0
) -> Iterator[_Item]:
    """The frames of a video, restored in clips of `step + 2 * halo`, or in one where there are fewer.

    Args:
      frames: from the one on that `where_to_read` says; a clip and a step of them are in memory.
      restore: a clip to as many frames.
      halo: frames on each side of one that it depends on.
      step: frames between the beginnings of two clips, at least 1.
      first: the number of the first one wanted.

    Yields:
      Restored frames from `first` on, in their order.
    """
    source, begin = iter(frames), where_to_read(first, halo, step)
    clip, done = list(itertools.islice(source, step + 2 * halo)), first
    while clip:
        more = list(itertools.islice(source, step))
        end = begin + len(clip) - (halo if more else 0)
        if end > done:
            yield from restore(clip)[done - begin : end - begin]
            done = end
        if not more:
            return
        clip, begin = clip[len(more) :] + more, begin + len(more)


def restored_clips_ahead(
    frames: Iterable[_Item], restore: Callable[[Sequence[_Item]], Sequence[_Item]], halo: int, step: int, first: int = 0
) -> Iterator[_Item]:
    """As `restored_clips`, while frames are read and restored ones are handed on."""

    def clip_by_clip() -> Iterator[_Item]:
        with contextlib.closing(in_the_background(frames)) as read:
            yield from restored_clips(read, restore, halo, step, first)

    with contextlib.closing(in_the_background(clip_by_clip())) as done:
        yield from done


class ClipRestorer:
    """A network for videos as a function from a clip to a restored clip of the same size and type.

    Args:
      name: what it is called in messages.
      model: the network: takes (N, T, H, W, channels) in [0, 1] and gives the same, and has a property `frames_seen`.
      variables: its variables.
      tile: as for `Restorer`; tiles are of all frames of a clip.
      memory: as for `Restorer`.

    Attributes:
      halo: frames on each side of one that it depends on.
      step: frames between the beginnings of two clips.
      scale: 1.
      engine: what restores whole clips.
    """

    scale = 1

    def __init__(
        self, name: str, model: nn.Module, variables: Variables, tile: str | int = "auto", memory: str | int | None = None
    ) -> None:
        self.name, self.halo = name, model.frames_seen
        self.step = max(2 * self.halo, 1)
        self._model, self._tile, self._memory = model, tile, memory
        self._variables = {collection: {"network": tree} for collection, tree in variables.items()}
        self._engines: dict[int, Network] = {}
        self.engine = self._of(self.step + 2 * self.halo)

    def __call__(self, frames: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Restore a clip.

        Args:
          frames: (H, W, 1 grey, 2 grey and alpha, 3 RGB or 4 RGBA) each, uint8 or uint16, all alike. Alpha is kept.

        Raises:
          InputError: the clip fits the memory in no way.
        """
        pictures = [Picture(frame) for frame in frames]
        clip = to_float(np.stack([picture.color for picture in pictures], 2))  # (H, W, T, C)
        given, channels = clip.shape[-1], self._model.channels
        if given != channels:
            clip = np.repeat(clip, channels, -1) if given == 1 else np.moveaxis(clip, -1, 0)[..., None]
        clips = clip if clip.ndim == 5 else clip[None]  # a network for grey restores each channel on its own
        images = clips.reshape(*clips.shape[:3], -1)
        made = whole(self._of(len(frames)), images, {}).reshape(clips.shape)
        restored = made[0] if channels >= given else np.moveaxis(made[..., 0], 0, -1)
        restored = restored.mean(-1, keepdims=True) if given == 1 < channels else restored
        colors = (from_float(restored[:, :, i], picture.pixels.dtype) for i, picture in enumerate(pictures))
        return [picture.with_color(color).pixels for picture, color in zip(pictures, colors, strict=True)]

    def _of(self, frames: int) -> Network:
        if frames not in self._engines:
            model = _ClipAsImage(self._model, frames, frames * self._model.channels)
            self._engines[frames] = Network(self.name, model, self._variables, self._tile, self._memory)
        return self._engines[frames]


class _ClipAsImage(nn.Module):
    """A network for videos on images whose channels are those of all frames, so that what tiles images tiles clips."""

    network: nn.Module
    frames: int
    channels: int

    @nn.compact
    def __call__(self, image: Image) -> Image:
        clip = image.reshape(*image.shape[:3], self.frames, -1)
        return jnp.moveaxis(self.network(jnp.moveaxis(clip, 3, 1)), 1, 3).reshape(image.shape)
