"""Small videos made by ffmpeg, and what ffmpeg itself says is in a file: nothing here goes through the package."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="needs the extra `video`")
LAYOUTS = {"rgb24": (np.uint8, 3), "rgb48le": (np.uint16, 3), "gray": (np.uint8, 1), "rgba": (np.uint8, 4)}


def ffmpeg(*arguments: object, check: bool = True) -> subprocess.CompletedProcess:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-y", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=check, timeout=60)


def make(
    path: Path,
    *arguments: object,
    size: str = "32x24",
    rate: str = "25",
    frames: int = 10,
    sound: bool = False,
    picture: str = "testsrc",
) -> Path:
    """A moving picture, and a tone."""
    drawn = f"{picture}{':' if '=' in picture else '='}size={size}:rate={rate}"
    sources = ["-f", "lavfi", "-i", drawn]
    sources += ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=16000", "-shortest"] if sound else []
    ffmpeg("-loglevel", "error", *sources, "-frames:v", frames, *arguments, path)
    return path


def pixels(path: Path, layout: str = "rgb24") -> np.ndarray:
    """All frames, (T, H, W, C), as they are stored, not turned."""
    height, width = size(path)
    dtype, channels = LAYOUTS[layout]
    conversion = ("-sws_flags", "accurate_rnd+full_chroma_int+full_chroma_inp+bicubic", "-pix_fmt", layout)
    raw = ffmpeg("-loglevel", "error", "-noautorotate", "-i", path, "-fps_mode", "passthrough", *conversion, "-f", "rawvideo", "-")
    return np.frombuffer(raw.stdout, dtype).reshape(-1, height, width, channels)


def stored(path: Path) -> np.ndarray:
    """All frames as they are stored, in 8 bits, (T, values): plane after plane, nothing converted."""
    raw = ffmpeg("-loglevel", "error", "-i", path, "-fps_mode", "passthrough", "-f", "rawvideo", "-").stdout
    return np.frombuffer(raw, np.uint8).reshape(len(times(path)), -1)


def said(path: Path, frames: int = 1) -> str:
    """What ffmpeg prints about a file and its first frames."""
    shown = ("-map", "0:V:0", "-frames:v", frames, "-vf", "showinfo=checksum=0", "-fps_mode", "passthrough", "-f", "null", "-")
    return ffmpeg("-copyts", "-noautorotate", "-i", path, *shown, check=False).stderr.decode()


def size(path: Path) -> tuple[int, int]:
    width, height = re.search(r" s:(\d+)x(\d+) ", said(path)).groups()
    return int(height), int(width)


def tags(path: Path) -> tuple[str, ...]:
    """Range, matrix, primaries and transfer of the first frame."""
    return re.search(r"color_range:(\S+) color_space:(\S+) color_primaries:(\S+) color_trc:(\S+)", said(path)).groups()


def rate(path: Path) -> str:
    return re.search(r"frame_rate: (\S+)", said(path))[1]


def times(path: Path) -> list[float]:
    """When each frame is shown, in seconds of the file's clock."""
    return [float(time) for time in re.findall(r" pts_time:(\S+)", said(path, 1000))]


def packets(path: Path, stream: str) -> str:
    """A digest of a stream's packets as they are stored."""
    return ffmpeg("-loglevel", "error", "-i", path, "-map", stream, "-c", "copy", "-f", "streamhash", "-").stdout.decode()


def first_packet(path: Path, stream: str) -> float:
    """When a stream begins, in seconds of the file's clock."""
    listed = ffmpeg("-loglevel", "error", "-copyts", "-i", path, "-map", stream, "-c", "copy", "-f", "framecrc", "-").stdout.decode()
    numerator, denominator = re.search(r"#tb 0: (\d+)/(\d+)", listed).groups()
    first = next(line for line in listed.splitlines() if not line.startswith("#"))
    return int(first.split(",")[2]) * int(numerator) / int(denominator)


def upright(path: Path) -> np.ndarray:
    """The first frame as a player shows it, (H, W, 3)."""
    shown = ffmpeg("-i", path, "-frames:v", 1, "-c:v", "ppm", "-f", "image2pipe", "-").stdout
    _, size, _, data = shown.split(b"\n", 3)
    width, height = map(int, size.split())
    return np.frombuffer(data, np.uint8).reshape(height, width, 3)
