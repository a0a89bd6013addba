"""Raw frames with their times as a stream of bytes: Matroska with uncompressed video, as ffmpeg reads it from a pipe.

Raw pixels alone have no times, and other formats for pipes know only one frame rate. Times here are in nanoseconds, finer than any
container's clock, so that rounding them to the clock of a source gives the source's times back.
"""

from fractions import Fraction

import numpy as np

# What ffmpeg calls these layouts of raw pixels: channels and bytes of a sample -> four characters.
_LAYOUTS = {
    (1, 1): b"Y800",
    (1, 2): b"Y1\x00\x10",
    (3, 1): b"RGB\x18",
    (3, 2): b"RGB\x30",
    (4, 1): b"RGBA",
    (4, 2): b"RBA\x40",
}
_NANOSECONDS = 1_000_000_000
_UNKNOWN_SIZE = b"\x01" + b"\xff" * 7


def header(width: int, height: int, channels: int, dtype: np.dtype, rate: Fraction) -> bytes:
    """What the stream begins with.

    Args:
      width: of a frame.
      height: of a frame.
      channels: 1 grey, 3 RGB, 4 RGBA.
      dtype: uint8 or uint16.
      rate: frames per second, as a hint; times are each frame's own.
    """
    ebml = _element("4286", 1) + _element("42f7", 1) + _element("42f2", 4) + _element("42f3", 8)
    ebml += _element("4282", b"matroska") + _element("4287", 4) + _element("4285", 2)
    layout = _LAYOUTS[channels, np.dtype(dtype).itemsize]
    video = _element("b0", width) + _element("ba", height) + _element("2eb524", layout)
    track = _element("d7", 1) + _element("73c5", 1) + _element("83", 1) + _element("9c", 0)
    track += _element("86", b"V_UNCOMPRESSED") + _element("23e383", nanoseconds(1 / rate)) + _element("e0", video)
    information = _element("2ad7b1", 1) + _element("4d80", b"jaxrestore") + _element("5741", b"jaxrestore")
    segment = _element("1549a966", information) + _element("1654ae6b", _element("ae", track))
    return _element("1a45dfa3", ebml) + bytes.fromhex("18538067") + _UNKNOWN_SIZE + segment


def before_frame(time: int, duration: int, size: int) -> bytes:
    """What stands before a frame's pixels.

    Args:
      time: of the frame in nanoseconds, not negative.
      duration: in nanoseconds.
      size: of the frame in bytes.
    """
    timestamp, shown = _element("e7", time), _element("9b", duration)
    block = bytes.fromhex("a1") + _size(size + 4) + b"\x81\x00\x00\x00"  # of track 1, at the cluster's time, no flags
    group = bytes.fromhex("a0") + _size(len(shown) + len(block) + size) + shown + block
    return bytes.fromhex("1f43b675") + _size(len(timestamp) + len(group) + size) + timestamp + group


def nanoseconds(seconds: Fraction) -> int:
    """The nearest number of nanoseconds."""
    return round(seconds * _NANOSECONDS)


def _element(name: str, content: int | bytes) -> bytes:
    if isinstance(content, int):
        content = content.to_bytes(max((content.bit_length() + 7) // 8, 1), "big")
    return bytes.fromhex(name) + _size(len(content)) + content


def _size(size: int) -> bytes:
    return (size | 1 << 56).to_bytes(8, "big")
