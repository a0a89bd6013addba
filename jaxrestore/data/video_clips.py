"""Clips of real videos for training: files of videos, and folders of frames."""

import itertools
import re
from pathlib import Path
from typing import Protocol, SupportsIndex, runtime_checkable

import numpy as np

from jaxrestore.data.images import SUFFIXES as PICTURES
from jaxrestore.data.images import read_image, upright
from jaxrestore.data.sources import convert
from jaxrestore.data.video import SUFFIXES
from jaxrestore.errors import InputError
from jaxrestore.ops.color import ONE_CHANNEL


@runtime_checkable
class Readable(Protocol):
    """A video of which a part can be read."""

    def read(self, place: float, count: int) -> list[np.ndarray]:
        """Consecutive frames (H, W, C), uint8.

        Args:
          place: where they begin, from 0 (at the beginning) to 1 (as late as there are enough).
          count: how many.

        Raises:
          InputError: there are fewer, or they cannot be read.
        """


class VideoClips:
    """The videos of a folder, in which a training stream takes clips at random.

    Each subfolder with pictures is a video, of the pictures in the order of their names (2 before 10), and so is each file with the name of
    a video. A frame of a file is found by decoding all before it, so that short files are read faster than long ones.

    Args:
      folder: where the videos are; with pictures in it, it is a single video itself.
      frames: of a clip.
      channels: 1 for grey or luma, 3 for RGB.
      color: what colour becomes with one channel: "gray", or "luma" of the studio range.

    Attributes:
      frames: of a clip.
      names: of the videos.

    Raises:
      InputError: there is no such folder, or no video in it.
    """

    def __init__(self, folder: str | Path, frames: int, *, channels: int = 3, color: str = "gray") -> None:
        if channels not in (1, 3) or color not in ONE_CHANNEL:
            raise InputError(f"channels is {channels} and color {color!r}: there are 1 and 3, and {', '.join(ONE_CHANNEL)}")
        self._folder, self.frames, self._channels, self._color = Path(folder), frames, channels, color
        if not self._folder.is_dir():
            raise InputError(f"{folder} is not a folder" if self._folder.exists() else f"the folder {folder} does not exist")
        entries = [entry for entry in sorted(self._folder.iterdir()) if not entry.name.startswith(".")]
        if _pictures(self._folder):
            self._paths = [self._folder]
        else:
            self._paths = [entry for entry in entries if (_pictures(entry) if entry.is_dir() else entry.suffix.lower() in SUFFIXES)]
        if not self._paths:
            raise InputError(f"{folder} holds no videos: neither files of videos nor folders of frames")
        self.names = tuple(path.name for path in self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: SupportsIndex) -> dict[str, Readable]:
        """{"video": one of the videos}, of which nothing is read yet."""
        path = self._paths[int(index)]
        options = self._channels, self._color
        return {"video": FrameFolder(path, *options) if path.is_dir() else VideoFile(path, *options)}

    def __repr__(self) -> str:
        return f"VideoClips({str(self._folder)!r}, videos={len(self)}, frames={self.frames}, channels={self._channels})"


class FrameFolder:
    """A folder of pictures as a video."""

    def __init__(self, folder: Path, channels: int, color: str) -> None:
        self._folder, self._options = folder, (channels, 8, color)

    def read(self, place: float, count: int) -> list[np.ndarray]:
        """As `Readable` says."""
        paths = _pictures(self._folder)
        if len(paths) < count:
            raise InputError(f"{self._folder} holds {len(paths)} frames: clips need {count}")
        first = min(int(place * (len(paths) - count + 1)), len(paths) - count)
        frames = [convert(upright(read_image(path)).pixels, *self._options) for path in paths[first : first + count]]
        different = next((i for i, frame in enumerate(frames) if frame.shape != frames[0].shape), None)
        if different is not None:
            raise InputError(f"{paths[first + different]} is not as large as {paths[first].name}: the frames of a video are of one size")
        return frames


class VideoFile:
    """A file of a video."""

    def __init__(self, path: Path, channels: int, color: str) -> None:
        self._path, self._options = path, (channels, 8, color)

    def read(self, place: float, count: int) -> list[np.ndarray]:
        """As `Readable` says; where the file says more frames than it holds, the last of those that there are."""
        from jaxrestore.data.video.frames import frames
        from jaxrestore.data.video.probe import probe, turned

        info = turned(probe(self._path))
        first = int(place * max((info.frames_expected or count) - count + 1, 1))
        while True:
            found = [frame.pixels for frame in itertools.islice(frames(info, first=first), count)]
            if len(found) == count:
                return [convert(pixels, *self._options) for pixels in found]
            if first == 0:
                raise InputError(f"{self._path} holds {len(found)} frames: clips need {count}")
            first = max(first - count + len(found), 0) if found else first // 2


def _pictures(folder: Path) -> list[Path]:
    found = [path for path in folder.iterdir() if path.suffix.lower() in PICTURES and not path.name.startswith(".") and path.is_file()]
    return sorted(found, key=lambda path: [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", path.name)])
