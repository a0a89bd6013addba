"""The orientation tag inside a block of EXIF bytes, read and changed in place so that every other tag stays as it is."""

import struct

PREFIX = b"Exif\x00\x00"
_ORIENTATION = 0x0112
_SHORT = 3


def normalised(exif: bytes | None) -> bytes | None:
    """EXIF bytes as a JPEG holds them, with the prefix that some formats leave out; None for nothing."""
    if not exif:
        return None
    return exif if exif.startswith(PREFIX) else PREFIX + exif


def orientation(exif: bytes | None) -> int:
    """The EXIF orientation, 1..8; 1 (upright) where there is none or it makes no sense."""
    place = _find(exif)
    if place is None:
        return 1
    (value,) = struct.unpack_from(place[1] + "H", exif, place[0])
    return value if 1 <= value <= 8 else 1


def with_orientation(exif: bytes | None, value: int) -> bytes | None:
    """The same EXIF bytes with another orientation; a block of this tag alone where there is none and one is needed."""
    place = _find(exif)
    if place is not None:
        changed = bytearray(exif)
        struct.pack_into(place[1] + "H", changed, place[0], value)
        return bytes(changed)
    if value == 1 or exif is not None:
        return exif
    return PREFIX + b"II*\x00" + struct.pack("<IHHHIHHI", 8, 1, _ORIENTATION, _SHORT, 1, value, 0, 0)


def _find(exif: bytes | None) -> tuple[int, str] | None:
    """Where the orientation's value lies, and the byte order it is in."""
    if not exif or not exif.startswith(PREFIX):
        return None
    start = len(PREFIX)
    order = {b"II": "<", b"MM": ">"}.get(exif[start : start + 2])
    if order is None:
        return None
    try:
        directory = start + struct.unpack_from(order + "I", exif, start + 4)[0]
        (entries,) = struct.unpack_from(order + "H", exif, directory)
        for entry in range(directory + 2, directory + 2 + 12 * entries, 12):
            tag, kind, count, _ = struct.unpack_from(order + "HHIH", exif, entry)
            if (tag, kind, count) == (_ORIENTATION, _SHORT, 1):
                return entry + 8, order
    except struct.error:
        pass
    return None
