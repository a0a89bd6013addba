"""Random crops and flips on the host, in NumPy: what a record becomes depends on the seed and on its place in the stream, on nothing else.

Clean and degraded pictures of a pair are cut at the same place, at the scale that is between them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxrestore.errors import InputError

DIHEDRAL = 8
"""Ways to turn and mirror a square onto itself."""


def record_generator(seed: int, index: int) -> np.random.Generator:
    """The random numbers of one record.

    Args:
      seed: of the whole stream, not negative.
      index: the record's place in the stream, not negative.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(index,))))


def dihedral(image: np.ndarray, which: int) -> np.ndarray:
    """One of the eight ways to lay a picture down: `which` & 1 mirrors left and right, & 2 up and down, & 4 swaps rows and columns first.

    Args:
      image: (H, W, C).
      which: 0 (as it is) to 7.
    """
    if which & 4:
        image = image.transpose(1, 0, 2)
    if which & 2:
        image = image[::-1]
    return image[:, ::-1] if which & 1 else image


def enlarge_to(image: np.ndarray, side: int, mode: str = "reflect") -> np.ndarray:
    """Pad a picture (H, W, C) at the bottom and right until no side is shorter than `side`; bounces as often as it takes."""
    below, right = max(side - image.shape[0], 0), max(side - image.shape[1], 0)
    return np.pad(image, ((0, below), (0, right), (0, 0)), mode) if below or right else image


def scale_between(clean: np.ndarray, degraded: np.ndarray) -> int:
    """How many times larger the clean picture is.

    Raises:
      InputError: that is no whole number, or not the same for height and width.
    """
    (height, width), (small_height, small_width) = clean.shape[:2], degraded.shape[:2]
    scale = height // small_height
    if scale < 1 or (small_height * scale, small_width * scale) != (height, width):
        raise InputError(
            f"the clean picture is {width}x{height} and the degraded one {small_width}x{small_height}: "
            "they must be of one size or a whole number of times apart; crop them to fit"
        )
    return scale


@dataclass(frozen=True)
class CropAndFlip:
    """(index, record) -> record, with a random square of it, turned and mirrored at random, and its index.

    A picture smaller than the patch is padded by reflection; the pictures of a pair at different scales by symmetric reflection (the edge
    pixel repeated), since only that is the same at both scales.

    Attributes:
      patch: side of the square in the clean picture, a multiple of the scale of pairs.
      seed: of the whole stream.
      augment: whether squares are turned and mirrored.

    Takes and gives {"image": (H, W, C)} and, for pairs, "degraded", and a "label" as it is; gives "index" (int64) too. The patches are
    new arrays.

    Raises:
      InputError: the patch is no multiple of the scale of a pair.
    """

    patch: int
    seed: int
    augment: bool = True

    def __call__(self, index: int, record: Mapping[str, Any]) -> dict[str, Any]:
        """Cut."""
        generator = record_generator(self.seed, index)
        pictures = {name: record[name] for name in ("image", "degraded") if name in record}
        scale = scale_between(pictures["image"], pictures["degraded"]) if "degraded" in pictures else 1
        if self.patch % scale:
            raise InputError(f"patch {self.patch} is no multiple of {scale}, the scale between the clean and the degraded pictures")
        scales = {"image": scale, "degraded": 1}
        side = self.patch // scale
        mode = "reflect" if scale == 1 else "symmetric"
        pictures = {name: enlarge_to(picture, side * scales[name], mode) for name, picture in pictures.items()}
        # In units of the coarser grid, so that the place is a pixel of both.
        height, width = (n // scale for n in pictures["image"].shape[:2])
        top, left = generator.integers(height - side + 1), generator.integers(width - side + 1)
        which = int(generator.integers(DIHEDRAL)) if self.augment else 0
        result: dict[str, Any] = {"index": np.int64(index), **{name: record[name] for name in ("label",) if name in record}}
        for name, picture in pictures.items():
            n = scales[name]
            square = picture[top * n : (top + side) * n, left * n : (left + side) * n]
            result[name] = np.array(dihedral(square, which), order="C")
        return result


@dataclass(frozen=True)
class CutClip:
    """(index, record) -> a random clip of the record's video, cut in time and to a square of it, turned and mirrored at random.

    Attributes:
      frames: of the clip.
      patch: side of the square; smaller videos are padded by reflection.
      seed: of the whole stream.
      augment: whether clips are turned and mirrored.

    Takes {"video": a `video_clips.Readable`}, gives {"video": (frames, patch, patch, C), "index": int64}.

    Raises:
      InputError: the video is too short, or cannot be read.
    """

    frames: int
    patch: int
    seed: int
    augment: bool = True

    def __call__(self, index: int, record: Mapping[str, Any]) -> dict[str, Any]:
        """Cut."""
        generator = record_generator(self.seed, index)
        frames = [enlarge_to(frame, self.patch) for frame in record["video"].read(generator.random(), self.frames)]
        top, left = (generator.integers(side - self.patch + 1) for side in frames[0].shape[:2])
        which = int(generator.integers(DIHEDRAL)) if self.augment else 0
        clip = [dihedral(frame[top : top + self.patch, left : left + self.patch], which) for frame in frames]
        return {"index": np.int64(index), "video": np.stack(clip)}
