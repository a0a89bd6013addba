"""The frames of a video file, with their times."""

import queue
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from jaxrestore.data.video import ffmpeg
from jaxrestore.data.video.probe import FRAME, VideoInfo
from jaxrestore.errors import InputError

SCALING = "accurate_rnd+full_chroma_int+full_chroma_inp+bicubic"
"""How ffmpeg goes between YUV and RGB: rounded, not truncated, with colour interpolated for every pixel."""

_LAYOUTS = {(1, 1): "gray", (1, 2): "gray16le", (3, 1): "rgb24", (3, 2): "rgb48le", (4, 1): "rgba", (4, 2): "rgba64le"}
# Seconds to wait for a frame's time when its pixels are there.
_PATIENCE = 60
# Share of a file's length that frames must reach; sound may be a little longer.
_NEARLY = 0.9
# swscale's names for the matrices that it knows.
MATRICES = {
    "bt709": "bt709",
    "fcc": "fcc",
    "bt470bg": "bt601",
    "smpte170m": "smpte170m",
    "smpte240m": "smpte240m",
    "bt2020nc": "bt2020",
    "bt2020c": "bt2020",
}


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame.

    Attributes:
      pixels: (H, W, 1 grey, 3 RGB or 4 RGBA) uint8 or uint16.
      time: when it is shown, in ticks of the video's time base; each frame's is larger than the one's before.
      duration: how long, in ticks.
    """

    pixels: np.ndarray
    time: int
    duration: int


@dataclass
class Damage:
    """What a video turned out to be like while it was decoded.

    Attributes:
      lines: what ffmpeg complained about; it went on with what it could decode.
      end: when the last frame ended, in ticks of the video's time base; None before any frame.
    """

    lines: list[str] = field(default_factory=list)
    end: int | None = None

    def message(self, info: VideoInfo) -> str | None:
        """One line on what is wrong with the video, or None."""
        if self.lines:
            return f"it is damaged, and what could be decoded is restored: {self.lines[0]}"
        end = None if self.end is None else float(self.end * info.time_base - info.start)
        if end is not None and info.duration is not None and end < _NEARLY * info.duration:
            return f"its frames end after {end:.1f} of {info.duration:.1f} seconds: it may be cut off"
        return None


def frames(info: VideoInfo, *, first: int = 0, damage: Damage | None = None) -> Iterator[Frame]:
    """The frames of a video in order, one at a time.

    Everything before `first` is decoded and dropped: only that gives the same frames from any start.

    Args:
      info: the video.
      first: the number of the first frame wanted.
      damage: gets what ffmpeg complains about.

    Yields:
      Frames, as 8-bit values where the video has 8 bits, as 16-bit values where it has more.

    Raises:
      InputError: decoding fails.
    """
    times: queue.SimpleQueue[tuple[int | None, int] | None] = queue.SimpleQueue()

    def heard(line: str) -> bool:
        match = FRAME.search(line)
        if match:
            times.put((None if match[1] == "NOPTS" else int(match[1]), int(match[2])))
        return "Parsed_showinfo" in line

    with ffmpeg.Process(_arguments(info, first), stdout=True, heard=heard) as process:
        tick = max(round(1 / info.rate / info.time_base), 1)
        expected = None
        while True:
            pixels = np.empty((info.height, info.width, info.channels), info.dtype)
            if not _fill(process, pixels):
                break
            time, duration = times.get(timeout=_PATIENCE)
            if time is None or (expected is not None and time < expected[0]):  # a clock that stands still or runs backwards
                time = expected[1] if expected else 0
            duration = duration if duration > 0 else tick
            expected = (time + 1, time + duration)
            if damage is not None:
                damage.end = time + duration
            yield Frame(pixels, time, duration)
        well = process.finish()
        if not well:
            raise InputError(f"{info.path} cannot be decoded further: {process.reason()}")
        if damage is not None:
            damage.lines += [line.split("] ", 1)[-1] for line in process.lines if line.startswith("[") and "error" in line.lower()]


def _arguments(info: VideoInfo, first: int) -> list[str]:
    layout = _LAYOUTS[info.channels, info.dtype.itemsize]
    chain = [f"select=gte(n\\,{first})"] if first else []
    chain += ["showinfo=checksum=0", f"scale={info.width}:{info.height}:flags={SCALING}:out_range=pc"]
    if info.matrix != "gbr":
        chain[-1] += f":in_range={info.color_range}:in_color_matrix={MATRICES.get(info.yuv_matrix, 'bt709')}"
    chain.append(f"format={layout}")
    reading = [*ffmpeg.READ_FILES, "-copyts", *([] if info.is_turned else ["-noautorotate"]), "-i", ffmpeg.url(info.path)]
    return [*reading, "-map", "0:V:0", "-vf", ",".join(chain), "-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1"]


def _fill(process: ffmpeg.Process, pixels: np.ndarray) -> bool:
    view, done = memoryview(pixels).cast("B"), 0
    while done < len(view):
        count = process.stdout.readinto(view[done:])
        if not count:
            return False
        done += count
    return True
