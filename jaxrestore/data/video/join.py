"""The whole video of its pieces: joined without coding them again, with the sound, subtitles, chapters and tags of the source."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from jaxrestore.data.video import ffmpeg
from jaxrestore.data.video.encode import MUXERS, Encoding
from jaxrestore.data.video.pieces import Piece
from jaxrestore.data.video.probe import Stream, VideoInfo
from jaxrestore.errors import InputError

# The text subtitles of each format; what copies is copied.
_SUBTITLES = {"mp4": "mov_text", "mov": "mov_text", "matroska": "srt", "webm": "webvtt"}
_KEEPS_ROTATION = ("mp4", "mov")


@dataclass(frozen=True)
class Carried:
    """What of the source goes into the output beside the video.

    Attributes:
      streams: numbers in the source, and how each is coded: "copy" or the name of a codec.
      left_out: what the output's format cannot hold.
    """

    streams: tuple[tuple[int, str], ...]
    left_out: tuple[Stream, ...] = ()


def keeps_rotation(info: VideoInfo, output: Path) -> bool:
    """Whether the output can say that the frames wait to be turned, as the source does; otherwise they have to be `turned`."""
    return not info.mirrored and (not info.rotation or MUXERS.get(output.suffix.lower()) in _KEEPS_ROTATION)


def what_is_carried(info: VideoInfo, encoding: Encoding) -> Carried:
    """Which streams of the source the output's format takes. Tried, stream by stream, before anything is computed.

    Raises:
      InputError: it cannot hold the sound.
    """
    carried, left_out = [], []
    for stream in info.others:
        if stream.kind not in ("Audio", "Subtitle", "Attachment"):
            continue
        ways = ("copy", _SUBTITLES[encoding.muxer]) if stream.kind == "Subtitle" else ("copy",)
        way = next((way for way in ways if _is_taken(info, encoding, stream, way)), None)
        if way is not None:
            carried.append((stream.index, way))
        elif stream.kind == "Audio":
            raise InputError(f"{info.path} has sound in {stream.codec}, which {encoding.muxer} cannot hold: name an .mkv as the output")
        else:
            left_out.append(stream)
    return Carried(tuple(carried), tuple(left_out))


def _is_taken(info: VideoInfo, encoding: Encoding, stream: Stream, way: str) -> bool:
    """Whether a file with a second of this stream can be written."""
    reading = ["-loglevel", "error", *ffmpeg.READ_FILES, "-i", ffmpeg.url(info.path), "-map", f"0:{stream.index}", "-c", way]
    with tempfile.TemporaryDirectory() as folder:
        well, _, _ = ffmpeg.run([*reading, "-t", "1", "-f", encoding.muxer, ffmpeg.url(Path(folder) / "second")])
    return well


def join(path: Path, pieces: Sequence[Piece], info: VideoInfo, encoding: Encoding, carried: Carried) -> None:
    """Write the output.

    Every frame has the time that it had in the source, relative to the source's sound.

    Args:
      path: the file.
      pieces: at least one, in order.
      info: the source.
      encoding: of the pieces.
      carried: what else the file shall hold.

    Raises:
      InputError: it cannot be written.
    """
    listed = path.with_suffix(".unfinished.ffconcat")
    listed.write_text(_listing(pieces, info.time_base))
    offset = pieces[0].start * info.time_base - info.start
    turn = ["-display_rotation", f"{info.rotation:g}"] if info.rotation else []
    video = [*turn, "-itsoffset", _seconds(offset), "-safe", "0", "-f", "concat", "-i", ffmpeg.url(listed)]
    source = [*ffmpeg.READ_FILES, "-itsoffset", _seconds(-info.start), "-i", ffmpeg.url(info.path)]
    maps = ["-map", "0:v:0"]
    for number, (index, way) in enumerate(carried.streams, start=1):
        maps += ["-map", f"1:{index}", f"-c:{number}", way]
    kept = ["-map_metadata", "1", "-map_metadata:s:v:0", "1:s:v:0", "-map_chapters", "1", "-metadata:s:v:0", "encoder="]
    tags = ["-tag:v", "hvc1"] if "hvc1" in encoding.arguments else []
    rate = ["-r", f"{info.rate.numerator}/{info.rate.denominator}"] if encoding.muxer in ("matroska", "webm") else []
    writing = ["-c", "copy", *maps, *kept, *tags, *rate, "-f", encoding.muxer, ffmpeg.url(path)]
    well, _, reason = ffmpeg.run(["-loglevel", "error", "-copyts", *video, *source, *writing])
    listed.unlink()
    if not well:
        raise InputError(f"{path} cannot be written: {reason}")


def _listing(pieces: Sequence[Piece], time_base: Fraction) -> str:
    """The list that ffmpeg's concat demuxer reads: with the length of each piece, so that gaps between them stay."""
    lines = ["ffconcat version 1.0"]
    starts = [_microseconds((piece.start - pieces[0].start) * time_base) for piece in pieces]
    for piece, start, following in zip(pieces, starts, [*starts[1:], None], strict=True):
        lines.append(f"file {piece.path.name}")
        if following is not None:
            lines.append(f"duration {(following - start) // 10**6}.{(following - start) % 10**6:06}")
    return "\n".join(lines) + "\n"


def _microseconds(seconds: Fraction) -> int:
    return round(seconds * 10**6)


def _seconds(seconds: Fraction) -> str:
    amount = _microseconds(seconds)
    return f"{'-' if amount < 0 else ''}{abs(amount) // 10**6}.{abs(amount) % 10**6:06}"
