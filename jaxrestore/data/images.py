"""Pictures in files: the only door between encoded files and arrays.

Pixels are kept exactly as a file stores them (8 or 16 bits, grey or RGB, with or without alpha, not turned by the EXIF orientation),
together with the colour profile and EXIF, so that writing a picture back changes nothing. Floating-point images in [0, 1] begin and end at
`to_float` and `from_float`. Formats are recognised by content, not by suffix; every file is checked by its header before it is decoded.

    picture = read_image("photograph.png")
    restored = model(to_float(picture.color))
    write_image("restored.png", picture.with_color(from_float(restored, picture.pixels.dtype)))
"""

import io
import os
import secrets
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jaxrestore.data.codecs import exif as exif_block
from jaxrestore.data.codecs import pillow, png16, tiff
from jaxrestore.errors import InputError

MAX_PIXELS = 500_000_000
"""The largest picture that is decoded unless more is asked for."""

_KINDS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WebP",
}
SUFFIXES = tuple(_KINDS)
"""File name endings, in lower case, that are read and written."""

_SAME = object()


@dataclass(frozen=True, eq=False)
class Picture:
    """What a picture file holds.

    Attributes:
      pixels: (H, W, C) uint8 or uint16 (float32 for a floating-point TIFF), as stored; C = 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA.
      icc_profile: the colour profile, or None.
      exif: the EXIF block, or None; kept as it is, the orientation tag included.
      orientation: the EXIF orientation, 1..8, which `pixels` still wait for; 1 is upright.
    """

    pixels: np.ndarray
    icc_profile: bytes | None = None
    exif: bytes | None = None
    orientation: int = 1

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[-1] not in (1, 2, 3, 4):
            raise ValueError(f"pixels must be (height, width, 1 to 4 channels), not {self.pixels.shape}")
        if self.pixels.dtype not in (np.uint8, np.uint16, np.float32):
            raise ValueError(f"pixels must be uint8, uint16 or float32, not {self.pixels.dtype}")

    @property
    def color(self) -> np.ndarray:
        """The pixels without alpha: (H, W, 1) grey or (H, W, 3) RGB."""
        return self.pixels[..., : 1 if self.pixels.shape[-1] <= 2 else 3]

    @property
    def alpha(self) -> np.ndarray | None:
        """The opacity (H, W, 1), or None."""
        return self.pixels[..., -1:] if self.pixels.shape[-1] in (2, 4) else None

    @property
    def bits(self) -> int:
        """Bits of a sample: 8, 16, or 32 for floating point."""
        return 8 * self.pixels.dtype.itemsize

    def with_color(self, color: np.ndarray, alpha: np.ndarray | object | None = _SAME) -> "Picture":
        """This picture with other colours, and the same alpha, EXIF and profile.

        Args:
          color: (H', W', 1 or 3), of any of the three types. The profile is dropped where one is grey and the other is not.
          alpha: (H', W', 1) of the same type, None for no alpha; by default the picture's own.

        Raises:
          ValueError: color and alpha differ in size or type.
        """
        alpha = self.alpha if alpha is _SAME else alpha
        profile = self.icc_profile if color.shape[-1] == self.color.shape[-1] else None
        if alpha is not None:
            if color.shape[:2] != alpha.shape[:2] or color.dtype != alpha.dtype:
                raise ValueError(f"the colours are {color.dtype}{color.shape} and alpha is {alpha.dtype}{alpha.shape}: give alpha to match")
            color = np.concatenate([color, alpha], axis=-1)
        return replace(self, pixels=color, icc_profile=profile)


def read_image(path: str | os.PathLike, *, max_pixels: int | float = MAX_PIXELS) -> Picture:
    """Read a PNG, JPEG, BMP, TIFF or WebP file; of several pictures in one file, the first.

    Palettes become RGB or RGBA, one bit becomes 0 and 255, CMYK becomes RGB (and loses its profile, which no longer describes it).

    Args:
      path: the file.
      max_pixels: a file whose header promises more is refused before it is decoded.

    Raises:
      InputError: the file is missing, empty, a folder, no picture, damaged, or too large.
    """
    path = Path(path)
    with open_picture(path) as file:
        return _decode(path, file, lambda width, height: check_size(path, width, height, max_pixels))


def read_size(path: str | os.PathLike) -> tuple[int, int]:
    """(height, width) of a picture file when upright, from its header alone.

    Raises:
      InputError: as `read_image`, as far as the header shows it.
    """
    path = Path(path)
    with open_picture(path) as file:
        kind = kind_of(path, file)
        if kind == "TIFF":
            width, height, orientation = tiff.read_header(file)
        else:
            image = pillow.open_header(kind, file)
            (width, height), orientation = image.size, exif_block.orientation(exif_block.normalised(image.info.get("exif")))
    return (width, height) if orientation >= 5 else (height, width)


@contextmanager
def open_picture(path: Path) -> Iterator[io.BufferedIOBase]:
    """The open file; whatever goes wrong while it is read becomes an InputError of one line."""
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a picture: name a file in it")
    if not path.exists():
        raise InputError(f"{path} does not exist")
    if not path.is_file():
        raise InputError(f"{path} is not an ordinary file")
    with decoding(path), path.open("rb") as file:
        yield file


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Whatever goes wrong in here is the file's fault and becomes an InputError of one line."""
    try:
        with _silence:
            yield
    except InputError:
        raise
    except MemoryError:
        raise InputError(f"{path} does not fit into memory") from None
    except PermissionError:
        raise InputError(f"{path} cannot be opened: permission denied") from None
    except Exception as error:  # decoders raise anything at all on damaged bytes
        reason = " ".join(str(error).split())
        raise InputError(f"{path} cannot be decoded: {reason if ' ' in reason else 'it is damaged'}") from error


class _Silence:
    """No warnings while at least one thread is inside: the filters are the whole process's."""

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._filters.__exit__(*error)


_silence = _Silence()


def check_size(path: Path, width: int, height: int, max_pixels: int | float) -> None:
    """Refuse a picture whose header promises more pixels than the limit."""
    if width * height > max_pixels:
        raise InputError(
            f"{path} says that it is {width}x{height}, {width * height / 1e6:.6g} million pixels, and the limit is "
            f"{max_pixels / 1e6:.6g} million: if it is genuine, raise max_pixels (--max-pixels)"
        )


def kind_of(path: Path, file: io.BufferedIOBase) -> str:
    """The format of an open file, by its content."""
    start = file.read(16)
    file.seek(0)
    if not start:
        raise InputError(f"{path} is empty")
    if start.startswith(png16.SIGNATURE):
        return "PNG"
    if start.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if start.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return "TIFF"
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "WebP"
    if start.startswith(b"BM"):
        return "BMP"
    raise InputError(f"{path} is not a picture that can be read: its content is none of PNG, JPEG, BMP, TIFF, WebP")


def _decode(path: Path, file: io.BufferedIOBase, check_size: Callable[[int, int], None]) -> Picture:
    if (kind := kind_of(path, file)) == "TIFF":
        pixels, profile, orientation = tiff.decode(file, check_size)
        return Picture(pixels, profile, None, orientation)
    head = png16.header(file) if kind == "PNG" else None
    if head is not None and head.depth == 16:
        check_size(head.width, head.height)
        pixels, profile, exif = png16.decode(file.read())
        return Picture(pixels, profile, exif, exif_block.orientation(exif))
    image = pillow.open_header(kind, file)
    check_size(*image.size)
    pixels = pillow.decode(image)
    profile = image.info.get("icc_profile") if image.mode != "CMYK" else None
    exif = exif_block.normalised(image.info.get("exif"))
    return Picture(pixels, profile or None, exif, exif_block.orientation(exif))


def write_image(path: str | os.PathLike, picture: Picture, *, quality: int = 95) -> None:
    """Write a picture in the format of the file's suffix, losslessly but for JPEG and WebP, whole or not at all.

    TIFF keeps the orientation and no other EXIF; BMP keeps neither profile nor EXIF, so the pixels are turned upright for it.

    Args:
      path: the file; one that exists is replaced.
      picture: what to write.
      quality: of JPEG (full chroma resolution) and WebP, 1..100; 100 makes WebP lossless.

    Raises:
      InputError: the suffix is unknown, the format cannot hold such pixels, or the folder cannot be written to.
    """
    write_bytes(path, encode(picture, path, quality=quality))


def write_bytes(path: str | os.PathLike, data: bytes) -> None:
    """Write a file whole or not at all; one that exists is replaced.

    Raises:
      InputError: the folder cannot be written to, or the disk is full.
    """
    path = Path(path)
    with replacing(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name beside this file's to write to; when all went well it takes the file's place, otherwise nothing of it stays."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):  # a file system that is read only refuses even that
            temporary.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are missing.

    Raises:
      InputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be made a folder: {error.strerror}") from error


def encode(picture: Picture, path: str | os.PathLike, *, quality: int = 95) -> bytes:
    """The content of the file that `write_image` writes.

    Args:
      picture: what to encode.
      path: the file's name, for its suffix and for errors; ".png" alone will do.
      quality: as in `write_image`.

    Raises:
      InputError: the suffix is unknown, or the format cannot hold such pixels.
    """
    path = Path(path)
    suffix = path.suffix or path.name
    kind = _KINDS.get(suffix.lower())
    if kind is None:
        raise InputError(f"{path}: the suffix {suffix!r} is none of {', '.join(SUFFIXES)}")
    if not 1 <= quality <= 100:
        raise InputError(f"quality is {quality}; it must be 1 to 100")
    _check_can_hold(path, kind, picture)
    try:
        return _encode(kind, picture, quality)
    except (ValueError, OSError) as error:
        raise InputError(f"{path} cannot be written as {kind}: {error}") from error


def _check_can_hold(path: Path, kind: str, picture: Picture) -> None:
    if picture.bits == 32 and kind != "TIFF":
        raise InputError(f"{path}: {kind} cannot hold floating-point pixels; write a .tiff")
    if picture.bits == 16 and kind not in ("TIFF", "PNG"):
        raise InputError(f"{path}: {kind} cannot hold 16 bits; write a .png or .tiff")
    if picture.alpha is not None and kind in ("JPEG", "BMP"):
        raise InputError(f"{path}: {kind} cannot hold an alpha channel; write a .png, .tiff or .webp")


def _encode(kind: str, picture: Picture, quality: int) -> bytes:
    exif = exif_block.with_orientation(picture.exif, picture.orientation)
    if kind == "TIFF":
        return tiff.encode(picture.pixels, picture.icc_profile, picture.orientation)
    if kind == "PNG" and picture.bits == 16:
        return png16.encode(picture.pixels, picture.icc_profile, exif)
    pixels = picture.pixels
    if kind == "BMP":
        pixels = upright(picture).pixels
    if kind == "WebP" and pixels.shape[-1] <= 2:  # it knows no grey
        pixels = pixels[..., [0, 0, 0, 1][: pixels.shape[-1] + 2]]
    return pillow.encode(kind, pixels, picture.icc_profile, exif, quality)


def upright(picture: Picture) -> Picture:
    """The picture as it should be seen: turned and mirrored as its orientation says, and marked as upright."""
    pixels = picture.pixels
    if picture.orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if picture.orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if picture.orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return Picture(np.ascontiguousarray(pixels), picture.icc_profile, exif_block.with_orientation(picture.exif, 1), 1)


def to_float(pixels: np.ndarray) -> np.ndarray:
    """Stored pixels as float32 in [0, 1]; floating-point pixels are taken as they are."""
    result = pixels.astype(np.float32)
    if pixels.dtype.kind != "f":
        result /= np.float32(np.iinfo(pixels.dtype).max)
    return result


def from_float(image: np.ndarray, dtype: np.dtype | type) -> np.ndarray:
    """Floating-point values in [0, 1] as stored pixels: clipped, and rounded to the nearest level, halves up.

    Args:
      image: any shape, floating point.
      dtype: uint8, uint16, or float32 (then values are left as they are).
    """
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return np.asarray(image, dtype)
    values = np.clip(np.asarray(image, np.float32), 0.0, 1.0)
    values *= np.float32(np.iinfo(dtype).max)  # in place: these may be the largest arrays there are
    values += np.float32(0.5)
    return values.astype(dtype)  # which cuts the fraction off


def find_images(folder: str | os.PathLike, *, recursive: bool = False) -> list[Path]:
    """The picture files of a folder by suffix, sorted by path; hidden files are left out.

    Raises:
      InputError: there is no such folder, or no picture in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder" if folder.exists() else f"the folder {folder} does not exist")
    paths = folder.rglob("*") if recursive else folder.iterdir()
    found = sorted(path for path in paths if path.suffix.lower() in _KINDS and not path.name.startswith(".") and path.is_file())
    if not found:
        raise InputError(f"{folder} holds no pictures ({', '.join(SUFFIXES)}){'' if recursive else '; its subfolders were not searched'}")
    return found


def by_stem(paths: Iterable[Path]) -> dict[str, Path]:
    """Paths by their names without suffix, by which pairs are found.

    Raises:
      InputError: two have the same.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if path.stem in found:
            raise InputError(
                f"{path} and {found[path.stem].name} have one name: pairs are found by the name without suffix; keep one of them"
            )
        found[path.stem] = path
    return found
