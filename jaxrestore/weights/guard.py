"""What every reader and writer of files needs: one clear error for whatever is wrong inside, bounded memory, nothing half-written."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jaxrestore.errors import InputError

# Weights barely compress; a file that claims to unpack to far more than it holds is an attack or damaged.
_MOST_EXPANSION = 64
_FREE_BYTES = 16 * 2**20


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Turn whatever a parser raises on a damaged file into one line.

    Args:
      path: the file.
      kind: what it should be, such as "torch file".

    Raises:
      InputError: instead of any other exception inside the block.
    """
    try:
        yield
    except InputError as error:
        if str(error).startswith(str(path)):
            raise
        raise InputError(f"{path}: {error}") from error
    except MemoryError as error:
        raise InputError(f"{path}: claims more data than memory holds: the {kind} is damaged") from error
    except Exception as error:
        said = one_line(error)
        what = f"{type(error).__name__}: {said}" if said else type(error).__name__
        raise InputError(f"{path}: is cut off, damaged or no {kind} ({what}): copy or download it again") from error


def check_unpacked_size(path: Path, claimed: int) -> None:
    """Refuse a file whose contents unpack to far more bytes than weights do.

    Args:
      path: the file.
      claimed: bytes that its contents take in memory.

    Raises:
      InputError: more than 64 times the file's size (small files may take 16 MiB).
    """
    if claimed > max(_FREE_BYTES, _MOST_EXPANSION * path.stat().st_size):
        raise InputError(f"{path}: {path.stat().st_size} bytes would unpack to {claimed}: refused, weights do not compress like that")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name in the same folder, renamed to `path` when the block ends well and removed when it does not.

    Raises:
      InputError: the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def one_line(text: object, most: int = 120) -> str:
    """What a file says, safe to print: its first line, without control characters."""
    first = (str(text).strip().splitlines() or [""])[0][:most]
    return "".join(c if c.isprintable() else "?" for c in first)
