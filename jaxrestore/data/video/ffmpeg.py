"""Running ffmpeg: where it is, what it says, and that it ends when we do."""

import contextlib
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import IO

from jaxrestore.errors import InputError

# Files only: a playlist that calls itself a video cannot make ffmpeg ask a network.
READ_FILES = ("-protocol_whitelist", "file,pipe,fd")
_KEPT_LINES = 200
_CHATTER = ("Conversion failed", "Error opening", "Error while filtering", "Nothing was written", "Format ")


@cache
def executable() -> str:
    """The ffmpeg that imageio-ffmpeg brings.

    Raises:
      InputError: it is not installed.
    """
    try:
        import imageio_ffmpeg
    except ImportError:
        raise InputError("videos need ffmpeg: install it with pip install 'jaxrestore[video]'") from None
    try:
        return imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise InputError(f"videos need ffmpeg, and imageio-ffmpeg has none for this machine: {' '.join(str(error).split())}") from error


class Process:
    """A running ffmpeg, killed when the `with` block ends if it has not ended by then.

    Args:
      arguments: what follows `ffmpeg` on the command line.
      stdin: whether it is written to.
      stdout: whether it is read from.
      heard: called with each line it prints, from another thread; a true result keeps the line out of `lines`.
    """

    def __init__(
        self, arguments: Sequence[str], *, stdin: bool = False, stdout: bool = False, heard: Callable[[str], bool] | None = None
    ) -> None:
        self.lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._heard = heard
        self._process = subprocess.Popen(
            [executable(), "-hide_banner", "-nostdin", "-nostats", "-y", *arguments],
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE if stdout else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is ours: what it writes shall not end as if it were whole
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # it ended before it had read everything
                if pipe is not None:
                    pipe.close()
        self._process.wait()
        self._listener.join()
        self._process.stderr.close()

    @property
    def stdin(self) -> IO[bytes]:
        """Where it reads from."""
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """What it writes."""
        return self._process.stdout

    def finish(self) -> bool:
        """Close its input, wait for its end, and say whether it went well."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):  # it ended by itself
                self._process.stdin.close()
        code = self._process.wait()
        self._listener.join()
        return code == 0

    def reason(self) -> str:
        """The most telling line of what it printed, without the part of ffmpeg that it came from."""
        lines = [line.split("] ", 1)[-1].strip() for line in self.lines if line.strip()]
        telling = [line for line in lines if not line.startswith(_CHATTER)]
        return next(iter(telling or lines), "it gives no reason")

    def _listen(self) -> None:
        for raw in self._process.stderr:
            line = raw.decode("utf-8", "replace").rstrip()
            if self._heard is None or not self._heard(line):
                self.lines.append(line)


def run(arguments: Sequence[str]) -> tuple[bool, list[str], str]:
    """Run ffmpeg to its end: whether it went well, what it printed, and the most telling line of that."""
    with Process(arguments) as process:
        well = process.finish()
        return well, list(process.lines), process.reason()


def url(path: Path) -> str:
    """A file as ffmpeg is told of it, whatever characters its name holds."""
    return f"file:{path}"
