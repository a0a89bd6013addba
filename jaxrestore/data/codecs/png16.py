"""16-bit PNG with its profile and EXIF: OpenCV decodes it whole where Pillow keeps only 8 bits, and knows nothing of metadata.

A file is checked before OpenCV sees it, since libpng writes its complaints straight to the process's error stream.
"""

import io
import struct
import zlib
from typing import NamedTuple

import numpy as np

from jaxrestore.data.codecs import exif as exif_block
from jaxrestore.data.codecs import opencv

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # channels of each colour type
_COLOUR_TYPES = {channels: kind for kind, channels in _CHANNELS.items()}
# Adam7: first column, first row, step across, step down.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


class Header(NamedTuple):
    """The fields of IHDR."""

    width: int
    height: int
    depth: int
    colour_type: int
    compression: int
    filtering: int
    interlaced: int


def header(file: io.BufferedIOBase) -> Header:
    """The header of an open PNG file, which is then at its start again."""
    start = file.read(29)
    file.seek(0)
    if len(start) < 29:
        raise ValueError("it is truncated")
    return Header(*struct.unpack_from(">IIBBBBB", start, 16))


def decode(data: bytes) -> tuple[np.ndarray, bytes | None, bytes | None]:
    """Pixels (H, W, C) uint16, ICC profile and EXIF of a complete 16-bit PNG file.

    Raises:
      ValueError: the file is truncated or damaged.
    """
    chunks = _chunks(data)
    head = header(io.BytesIO(data))
    if head.colour_type not in _CHANNELS:
        raise ValueError(f"colour type {head.colour_type} does not exist with 16 bits")
    _check_scanlines(head, b"".join(content for name, content in chunks if name == b"IDAT"))
    # Only what pixels come from: libpng warns aloud about odd profiles and texts.
    bare = SIGNATURE + b"".join(_chunk(name, content) for name, content in chunks if name in (b"IHDR", b"IDAT", b"IEND"))
    pixels = opencv.decode(bare)
    if pixels is None or pixels.dtype != np.uint16:
        raise ValueError("its pixels cannot be decoded")
    if head.colour_type == 4:  # OpenCV repeats the grey
        pixels = pixels[..., [0, 3]]
    others = dict(reversed(chunks))
    if b"tRNS" in others and head.colour_type in (0, 2):
        key = np.frombuffer(others[b"tRNS"], ">u2")
        opaque = np.any(pixels != key, axis=-1, keepdims=True)
        pixels = np.concatenate([pixels, np.where(opaque, np.uint16(65535), np.uint16(0))], axis=-1)
    return np.ascontiguousarray(pixels), _profile(others.get(b"iCCP")), exif_block.normalised(others.get(b"eXIf"))


def encode(pixels: np.ndarray, icc_profile: bytes | None, exif: bytes | None) -> bytes:
    """A PNG file of (H, W, C) uint16 pixels, C = 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA."""
    height, width, channels = pixels.shape
    rows = np.ascontiguousarray(pixels.astype(">u2")).view(np.uint8).reshape(height, -1)
    # Every row is written as its difference from the row above: filter type 2.
    scanlines = np.full((height, 1 + rows.shape[1]), 2, np.uint8)
    scanlines[:1, 1:] = rows[:1]
    np.subtract(rows[1:], rows[:-1], out=scanlines[1:, 1:])
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, _COLOUR_TYPES[channels], 0, 0, 0))]
    if icc_profile:
        parts.append((b"iCCP", b"ICC Profile\x00\x00" + zlib.compress(icc_profile)))
    if exif:
        parts.append((b"eXIf", exif.removeprefix(exif_block.PREFIX)))
    parts += [(b"IDAT", zlib.compress(scanlines.tobytes())), (b"IEND", b"")]
    return SIGNATURE + b"".join(_chunk(name, content) for name, content in parts)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    chunks, at = [], len(SIGNATURE)
    while not chunks or chunks[-1][0] != b"IEND":
        if at + 12 > len(data):
            raise ValueError("it is truncated")
        (length,) = struct.unpack_from(">I", data, at)
        name, content, checksum = data[at + 4 : at + 8], data[at + 8 : at + 8 + length], data[at + 8 + length : at + 12 + length]
        if len(checksum) < 4:
            raise ValueError("it is truncated")
        if struct.pack(">I", zlib.crc32(name + content)) != checksum:
            raise ValueError(f"the checksum of its part {name!r} is wrong")
        chunks.append((name, content))
        at += 12 + length
    return chunks


def _check_scanlines(head: Header, compressed: bytes) -> None:
    passes = _PASSES if head.interlaced else ((0, 0, 1, 1),)
    sizes = [(-(-(head.width - x) // across), -(-(head.height - y) // down)) for x, y, across, down in passes]
    lines = [(1 + 2 * _CHANNELS[head.colour_type] * width, height) for width, height in sizes if width > 0 and height > 0]
    expected = sum(length * count for length, count in lines)
    inflater = zlib.decompressobj()
    raw = inflater.decompress(compressed, expected + 1)
    if len(raw) != expected or not inflater.eof:
        raise ValueError("it does not hold the pixels that its header promises")
    at = 0
    for length, count in lines:
        if max(raw[at : at + length * count : length]) > 4:
            raise ValueError("it uses a filter that does not exist")
        at += length * count


def _profile(content: bytes | None) -> bytes | None:
    """The ICC profile of an iCCP chunk; None where it is damaged, since the pixels are whole without it."""
    if content is None:
        return None
    try:
        inflater = zlib.decompressobj()
        profile = inflater.decompress(content.partition(b"\x00")[2][1:], 1 << 26)
        return profile if inflater.eof else None
    except zlib.error:
        return None
