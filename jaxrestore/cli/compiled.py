"""What JAX compiles for a command, kept for the next run in the user's cache folder.

JAX writes its files in place: a process that is killed, or reads while another writes, would find half of one. So each run gets a folder
of its own with links to what is kept, and what it compiled itself is moved over whole when it ends.
"""

import hashlib
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jaxrestore.errors import InputError

VARIABLE = "JAXRESTORE_CACHE"
"""The environment variable: `off`, or another folder."""

_JAX_VARIABLE = "JAX_COMPILATION_CACHE_DIR"
_LARGEST = 2**29
_LEFT_BEHIND = 7 * 24 * 3600.0
_ENTRY = "*-cache"


@contextmanager
def kept() -> Iterator[None]:
    """While it lasts JAX, not imported yet, finds what was compiled before; what it compiles is kept when all ends well.

    Nothing happens where the environment says `off` or sets JAX's own cache, or where the folder cannot be written to.
    """
    home = None if _JAX_VARIABLE in os.environ or "jax" in sys.modules else _home()
    own = None if home is None else _linked(home)
    if own is None:
        yield
        return
    os.environ |= {
        _JAX_VARIABLE: str(own),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.02",
        "JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES": "none",  # else the folder's name is a part of each entry's key
    }
    try:
        yield
        _keep(own, home)
    except InputError:  # the command has ended in order
        _keep(own, home)
        raise
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _home() -> Path | None:
    chosen = os.environ.get(VARIABLE, "")
    if chosen.lower() in ("off", "0", "no"):
        return None
    base = Path(chosen) if chosen else _user_cache() / "jaxrestore"
    return base / "compiled" / _machine()


def _user_cache() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    usual = os.environ.get("LOCALAPPDATA") if sys.platform == "win32" else os.environ.get("XDG_CACHE_HOME")
    return Path(usual) if usual else Path.home() / ".cache"


def _machine() -> str:
    """Of the processor: a home folder may be shared by machines, and what is compiled for one may not run on another."""
    description = [platform.machine(), platform.processor()]
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        description += [next((line for line in lines if line.startswith(start)), "") for start in ("model name", "flags", "Features")]
    return hashlib.sha256("".join(description).encode()).hexdigest()[:16]


def _linked(home: Path) -> Path | None:
    try:
        home.mkdir(parents=True, exist_ok=True)
        own = Path(tempfile.mkdtemp(prefix="run-", dir=home))
    except OSError:
        return None
    for entry in home.glob(_ENTRY):
        with suppress(OSError):
            os.link(entry, own / entry.name)
    return own


def _keep(own: Path, home: Path) -> None:
    with suppress(OSError):  # another process may be doing the same
        for entry in own.glob(_ENTRY):
            os.replace(entry, home / entry.name)  # a link onto itself stays; what another run wrote meanwhile says the same
        entries = sorted(home.glob(_ENTRY), key=lambda entry: entry.stat().st_mtime, reverse=True)
        total = 0
        for entry in entries:
            total += entry.stat().st_size
            if total > _LARGEST:
                entry.unlink()
        for other in home.glob("run-*"):
            if time.time() - other.stat().st_mtime > _LEFT_BEHIND:
                shutil.rmtree(other, ignore_errors=True)
