"""How frames are stored again: the codec that suits the file and the source, and a piece of video made of frames.

Pieces have no frames that look ahead (B-frames): the order of coding is the order of showing, so that pieces joined end to end keep every
frame's time to the tick.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from jaxrestore.data.video import ffmpeg, timed_frames
from jaxrestore.data.video.frames import MATRICES, SCALING, Frame
from jaxrestore.data.video.probe import VideoInfo
from jaxrestore.errors import InputError

MUXERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""File name endings of videos that are written, and what ffmpeg calls these formats."""

# The same number of threads on every machine: what is coded depends on it.
_THREADS = "4"
_H264 = ("-c:v", "libx264", "-preset", "medium", "-bf", "0", "-threads", _THREADS)
_HEVC = ("-c:v", "libx265", "-preset", "medium", "-x265-params", f"bframes=0:log-level=error:frame-threads=2:pools={_THREADS}")
_VP9 = ("-c:v", "libvpx-vp9", "-b:v", "0", "-row-mt", "1", "-auto-alt-ref", "0", "-cpu-used", "2", "-threads", _THREADS)
_FFV1 = ("-c:v", "ffv1", "-level", "3", "-g", "1", "-slices", "4", "-slicecrc", "1")
# Codec -> arguments, usual and largest quality number, deepest samples.
_LOSSY = {"H.264": (_H264, 16, 51, 8), "HEVC": (_HEVC, 18, 51, 12), "VP9": (_VP9, 20, 63, 12)}
_LOSSLESS_FORMATS = {(1, 1): "gray", (1, 2): "gray16le", (3, 1): "bgr0", (3, 2): "rgb48le", (4, 1): "bgra", (4, 2): "rgba64le"}


@dataclass(frozen=True)
class Encoding:
    """How frames are stored.

    Attributes:
      name: of the codec, with its quality, for messages.
      arguments: ffmpeg's, for the codec.
      pixel_format: ffmpeg's, of what is stored.
      matrix: by which YUV is made of RGB, and the tag that says so; "gbr" where RGB itself is stored.
      matrix_tag: what the file shall say of that.
      color_range: "tv" or "pc".
      muxer: ffmpeg's name of the file's format.
    """

    name: str
    arguments: tuple[str, ...]
    pixel_format: str
    matrix: str
    matrix_tag: str
    color_range: str
    muxer: str

    @property
    def piece_muxer(self) -> str:
        """Of the pieces: a format whose clock is as fine as is wanted."""
        return "mp4" if self.muxer == "webm" else "mov"


def choose_encoding(info: VideoInfo, output: Path, scale: int = 1, crf: int | None = None, lossless: bool = False) -> Encoding:
    """How to store a video like this one in this file.

    Lossless is FFV1 with RGB pixels, exactly as they were restored. Otherwise 8 bits become H.264 and more become HEVC of 10 or 12 bits, in
    .webm VP9; colour is stored as finely as in the source.

    Args:
      info: the source.
      output: the file, for its suffix.
      scale: by how much the frames are enlarged.
      crf: the codec's quality number, smaller is better; by default 16 for H.264, 18 for HEVC, 20 for VP9.
      lossless: whether every pixel shall come back bit for bit.

    Raises:
      InputError: an unknown suffix, or something that the format cannot hold.
    """
    muxer = MUXERS.get(output.suffix.lower())
    if muxer is None:
        raise InputError(f"{output}: the suffix {output.suffix!r} is none of {', '.join(MUXERS)}, in which videos are written")
    if lossless:
        if crf is not None:
            raise InputError("--crf and --lossless exclude each other: take one")
        if muxer != "matroska":
            raise InputError(f"{output}: lossless video is written into .mkv only; name such a file, or choose --crf")
        pixels = _LOSSLESS_FORMATS[info.channels, info.dtype.itemsize]
        return Encoding("FFV1, lossless", _FFV1, pixels, "gbr", "gbr" if info.channels > 1 else "unknown", "pc", muxer)
    if info.channels == 4:
        raise InputError(f"{info.path} has transparency, which {output.suffix} as written here cannot hold: take --lossless and an .mkv")
    codec = "VP9" if muxer == "webm" else "H.264" if info.bits <= 8 else "HEVC"
    arguments, usual, largest, deepest = _LOSSY[codec]
    crf = usual if crf is None else crf
    if not 0 <= crf <= largest:
        raise InputError(f"--crf is {crf}: it must be 0 (best) to {largest} for {codec}")
    if codec == "HEVC" and muxer != "matroska":
        arguments += ("-tag:v", "hvc1")
    depth = {8: "", 9: "10le", 10: "10le"}.get(max(info.bits, 8), f"{deepest}le")
    matrix_tag = info.yuv_matrix if info.matrix == "gbr" else info.matrix
    return Encoding(
        name=f"{codec}, crf {crf}",
        arguments=(*arguments, "-crf", str(crf)),
        pixel_format=f"yuv{_sampling(info, scale)}p{depth}",
        matrix=info.yuv_matrix,
        matrix_tag=matrix_tag,
        color_range="tv" if info.matrix == "gbr" else info.color_range,
        muxer=muxer,
    )


def _sampling(info: VideoInfo, scale: int) -> str:
    """As in the source, but for sizes that these codecs cannot halve."""
    if info.channels == 1:
        return "420" if info.width * scale % 2 == info.height * scale % 2 == 0 else "444"
    odd = (info.width * scale % 2 and info.sampling != "444") or (info.height * scale % 2 and info.sampling == "420")
    return "444" if odd else info.sampling


def write_piece(path: Path, frames: Iterable[Frame], info: VideoInfo, encoding: Encoding) -> tuple[int, int]:
    """Code frames into a file of their own, whose clock begins with the first of them.

    Args:
      path: the file.
      frames: at least one, all of one size.
      info: the source, for times and tags.
      encoding: how.

    Returns:
      The first frame's time in ticks of the source, and how many frames there were.

    Raises:
      InputError: it cannot be written.
    """
    frames = iter(frames)
    frame = next(frames)
    height, width, channels = frame.pixels.shape
    start, count = frame.time, 0
    with ffmpeg.Process(_arguments(path, info, encoding), stdin=True) as process:
        try:
            process.stdin.write(timed_frames.header(width, height, channels, frame.pixels.dtype, info.rate))
            while frame is not None:
                _write(process, frame, start, info.time_base)
                count, frame = count + 1, next(frames, None)
        except BrokenPipeError:
            process.finish()
            raise InputError(f"{path} cannot be written: {process.reason()}") from None
        if not process.finish():
            raise InputError(f"{path} cannot be written: {process.reason()}")
    return start, count


def _write(process: ffmpeg.Process, frame: Frame, start: int, time_base: Fraction) -> None:
    time, duration = (timed_frames.nanoseconds(ticks * time_base) for ticks in (frame.time - start, frame.duration))
    pixels = np.ascontiguousarray(frame.pixels)
    process.stdin.write(timed_frames.before_frame(time, duration, pixels.nbytes))
    process.stdin.write(memoryview(pixels).cast("B"))


def _arguments(path: Path, info: VideoInfo, encoding: Encoding) -> list[str]:
    tags = {"colorspace": encoding.matrix_tag, "color_primaries": info.primaries, "color_trc": info.transfer, "range": encoding.color_range}
    chain = [f"format={encoding.pixel_format}", "setparams=" + ":".join(f"{name}={value}" for name, value in tags.items())]
    if encoding.matrix != "gbr":
        matrix = MATRICES.get(encoding.matrix, "bt709")
        chain.insert(0, f"scale=flags={SCALING}:in_range=pc:out_range={encoding.color_range}:out_color_matrix={matrix}")
    chain.append(f"setsar={info.aspect.numerator}/{info.aspect.denominator}")
    base = f"{info.time_base.numerator}/{info.time_base.denominator}"
    reading = ["-loglevel", "error", "-analyzeduration", "0", "-probesize", "32", "-f", "matroska", "-i", "pipe:0"]
    coding = ["-vf", ",".join(chain), "-fps_mode", "passthrough", "-enc_time_base", base, *encoding.arguments]
    return [*reading, "-map", "0:v:0", *coding, "-f", encoding.piece_muxer, ffmpeg.url(path)]
