"""What a video file is: size, pixels, colours, times, and what else it holds. Read from what ffmpeg says of it and of its first frame."""

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np

from jaxrestore.data.images import MAX_PIXELS
from jaxrestore.data.video import ffmpeg
from jaxrestore.errors import InputError

_STREAM = re.compile(r"\s+Stream #0:(\d+)(?:\[\w+\])?(?:\((\w+)\))?: (Video|Audio|Subtitle|Attachment|Data): (\w+)(.*)")
_ROTATION = re.compile(r"displaymatrix: rotation of (-?[\d.]+) degrees")
_TIMES = re.compile(r"\s+Duration: (?:(\d+):(\d+):(\d+\.\d+)|N/A)(?:, start: (-?\d+\.\d+))?")
_CONFIG = re.compile(r"config in time_base: (\d+/\d+), frame_rate: (\d+)/(\d+)")
FRAME = re.compile(r"\] n: *\d+ pts: *(\S+) pts_time:\S+ *duration: *(-?\d+)")
_PIXELS = re.compile(r" fmt:(\w+) .*?sar:(\d+)/(\d+) s:(\d+)x(\d+) ")
_COLORS = re.compile(r"color_range:(\S+) color_space:(\S+) color_primaries:(\S+) color_trc:(\S+)")
_UNKNOWN = ("unknown", "unspecified", "reserved", "N/A")
_USUAL_RATE = Fraction(25)
# What ffmpeg says of a first frame -> what becomes of it.
_NOT_KEPT = {
    r" s:\d+x\d+ i:[TB] ": "its frames are interlaced and are restored as they are: deinterlace them first for a better result",
    "Mastering display metadata|Content light level metadata": "its HDR mastering data are left out; the colour tags are kept",
}
# Where a file does not say by which matrix YUV was made, players go by the height.
_HIGH_DEFINITION = 720
_SAMPLINGS = {"nv12": "420", "nv21": "420", "p010le": "420", "nv16": "422", "uyvy422": "422", "410p": "420", "411p": "422"}


@dataclass(frozen=True)
class Stream:
    """One of a file's streams beside the video: its number in the file, its kind ("Audio", "Subtitle"...) and its codec."""

    index: int
    kind: str
    codec: str


@dataclass(frozen=True)
class VideoInfo:
    """What a video file is.

    Attributes:
      path: the file.
      width: of a frame as stored, in pixels.
      height: of a frame as stored.
      pixel_format: ffmpeg's name of it.
      bits: of a sample, the deepest channel's.
      channels: of the pixels that `frames` gives: 1 grey, 3 RGB, 4 RGBA.
      sampling: "420", "422" or "444": how finely colour is stored.
      rate: frames per second, or the mean of it.
      time_base: seconds of one tick of the frames' times.
      start: seconds, where the file's clock begins.
      duration: seconds, or None where the file does not say.
      aspect: width of a pixel over its height; 0 where it is not said.
      color_range: "tv" (16..235) or "pc" (0..255).
      matrix: by which YUV was made, as the file says; "unknown" where it does not.
      primaries: likewise.
      transfer: likewise.
      rotation: degrees, counter-clockwise, that the frames wait to be turned by.
      mirrored: whether they wait for something else than whole quarter turns.
      is_turned: whether `frames` turns them.
      others: the streams beside this video.
      notes: one line for each thing about the video that is not kept.
    """

    path: Path
    width: int
    height: int
    pixel_format: str
    bits: int
    channels: int
    sampling: str
    rate: Fraction
    time_base: Fraction
    start: Fraction
    duration: float | None
    aspect: Fraction
    color_range: str
    matrix: str
    primaries: str
    transfer: str
    rotation: float
    mirrored: bool
    is_turned: bool
    others: tuple[Stream, ...]
    notes: tuple[str, ...] = ()

    @property
    def dtype(self) -> np.dtype:
        """Of the pixels that `frames` gives: uint8, or uint16 for more than 8 bits."""
        return np.dtype(np.uint8 if self.bits <= 8 else np.uint16)

    @property
    def yuv_matrix(self) -> str:
        """The matrix to go between YUV and RGB by, both ways: the file's own, or what players take where it does not say."""
        if self.matrix in ("unknown", "gbr"):
            return "bt709" if self.height >= _HIGH_DEFINITION else "smpte170m"
        return self.matrix

    @property
    def frames_expected(self) -> int | None:
        """About how many frames there are, where the file says how long it is."""
        return None if self.duration is None else max(round(self.duration * self.rate), 1)


def probe(path: Path, *, max_pixels: int | float = MAX_PIXELS) -> VideoInfo:
    """Look at a video file; its first frame is decoded.

    Raises:
      InputError: there is no such file, or no video in it that can be decoded, or its frames are too large.
    """
    if not path.is_file():
        raise InputError(f"{path} is a folder: name a video" if path.is_dir() else f"{path} does not exist")
    well, lines, reason = _first_frame(path, "-noautorotate")
    text = "\n".join(lines)
    streams = [match for match in map(_STREAM.match, lines) if match]
    videos = [s for s in streams if s[3] == "Video" and "(attached pic)" not in s[5]]
    if streams and not videos:
        raise InputError(f"{path} holds no video: it has {', '.join(sorted({s[3].lower() for s in streams}))} only")
    config, frame, pixels = _CONFIG.search(text), FRAME.search(text), _PIXELS.search(text)
    if not (well and config and frame and pixels):
        raise InputError(f"{path} is not a video that can be decoded: {reason if not streams else 'no frame of it can be'}")
    width, height = int(pixels[4]), int(pixels[5])
    if width * height > max_pixels:
        raise InputError(f"{path} has frames of {width}x{height} pixels, and the limit is {max_pixels / 1e6:.6g} million")
    name = pixels[1]
    components, bits, palette = _pixel_formats()[name]
    colors = _COLORS.search(text)
    color_range, matrix, primaries, transfer = (_known(tag) for tag in colors.groups()) if colors else ["unknown"] * 4
    is_rgb = "rgb" in name or "bgr" in name or "gbr" in name or palette
    times = next(filter(None, map(_TIMES.match, lines)), None)
    rotation = _ROTATION.search(text)
    return VideoInfo(
        path=path,
        width=width,
        height=height,
        pixel_format=name,
        bits=bits,
        channels=3 if palette else {1: 1, 2: 4, 3: 3, 4: 4}[components],
        sampling="444" if is_rgb else _sampling(name),
        rate=Fraction(int(config[2]), int(config[3])) if int(config[2]) and int(config[3]) else _USUAL_RATE,
        time_base=Fraction(config[1]),
        start=Fraction(times[4]) if times and times[4] else Fraction(0),
        duration=3600 * int(times[1]) + 60 * int(times[2]) + float(times[3]) if times and times[1] else None,
        aspect=Fraction(int(pixels[2]), int(pixels[3]) or 1),
        color_range="pc" if is_rgb or color_range == "pc" or name.startswith("yuvj") else "tv",
        matrix="gbr" if is_rgb else matrix,
        primaries=primaries,
        transfer=transfer,
        rotation=float(rotation[1]) if rotation else 0.0,
        mirrored=rotation is not None and not _only_turns(path, float(rotation[1])),
        is_turned=False,
        others=tuple(Stream(int(s[1]), s[3], s[4]) for s in streams if s not in videos),
        notes=tuple(note for sign, note in _NOT_KEPT.items() if re.search(sign, text)),
    )


def turned(info: VideoInfo) -> VideoInfo:
    """The video as `frames` gives it when the frames are turned and mirrored as the file says."""
    text = "\n".join(_first_frame(info.path)[1])
    pixels = _PIXELS.search(text)
    aspect = Fraction(int(pixels[2]), int(pixels[3]) or 1)
    size = dict(width=int(pixels[4]), height=int(pixels[5]))
    return replace(info, **size, aspect=aspect, rotation=0.0, mirrored=False, is_turned=True)


def _first_frame(path: Path, *options: str) -> tuple[bool, list[str], str]:
    reading = (*ffmpeg.READ_FILES, "-copyts", *options, "-i", ffmpeg.url(path))
    return ffmpeg.run([*reading, "-map", "0:V:0", "-frames:v", "1", "-vf", "showinfo=checksum=0", "-f", "null", "-"])


def _only_turns(path: Path, rotation: float) -> bool:
    """Whether what ffmpeg does to show the frames upright is a rotation by this angle: the angle alone does not tell mirrored frames."""
    filters = " ".join(_first_frame(path, "-loglevel", "debug")[1])
    turns = {90: ["'cclock'"], -90: ["'clock'"], 180: ["Filter 'hflip'", "Filter 'vflip'"]}
    turns[-180] = turns[180]
    return [name for name in ("'cclock'", "'clock'", "Filter 'hflip'", "Filter 'vflip'") if name in filters] == turns.get(rotation)


def _known(tag: str) -> str:
    return "unknown" if tag in _UNKNOWN else tag


def _sampling(name: str) -> str:
    for part, sampling in _SAMPLINGS.items():
        if part in name:
            return sampling
    return next((sampling for sampling in ("420", "422") if sampling in name), "444")


@cache
def _pixel_formats() -> dict[str, tuple[int, int, bool]]:
    """Of every pixel format: components, bits of the deepest, and whether it looks colours up in a palette."""
    with ffmpeg.Process(["-pix_fmts"], stdout=True) as process:
        lines = process.stdout.read().decode().splitlines()
    rows = (line.split() for line in lines if re.match(r"[I.][O.]\S{3} \w", line))
    return {name: (int(count), max(map(int, bits.split("-"))), "P" in flags) for flags, name, count, _, bits in rows}
