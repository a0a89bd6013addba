"""A video made in pieces, each finished at once or not at all, so that a killed run can be gone on with.

The work folder lies beside the output and holds the finished pieces and what they were made with. A piece gets its name when it is whole.
"""

import contextlib
import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxrestore.data.video.encode import Encoding, write_piece
from jaxrestore.data.video.frames import Frame
from jaxrestore.data.video.probe import VideoInfo
from jaxrestore.errors import InputError

LENGTH = 48
"""Frames of a piece: what a kill can cost at most."""


@dataclass(frozen=True)
class Piece:
    """A finished piece: its file, the time of its first frame in ticks of the source, and how many frames it holds."""

    path: Path
    start: int
    count: int


class Pieces:
    """The pieces of one output.

    Args:
      output: the file that they will be.
      settings: everything that decides what is in them, as JSON takes it.

    Raises:
      InputError: the folder beside the output cannot be made, or holds pieces that were made with other settings.
    """

    def __init__(self, output: Path, settings: Mapping[str, Any]) -> None:
        self.output, self.folder = output, output.with_name(f"{output.name}.parts")
        settings = json.loads(json.dumps(dict(settings)))
        noted = self.folder / "settings.json"
        with self._writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            if noted.exists():
                self._check(json.loads(noted.read_text()), settings)
            else:
                self._note(noted, settings)
            for left in self.folder.glob("*.unfinished*"):
                left.unlink(missing_ok=True)
        self.finished = self._found()

    @property
    def count(self) -> int:
        """How many frames are done."""
        return sum(piece.count for piece in self.finished)

    def extend(self, frames: Iterable[Frame], info: VideoInfo, encoding: Encoding) -> None:
        """Make the pieces that are missing.

        Args:
          frames: all that follow the finished pieces.
          info: the source.
          encoding: how they are stored.

        Raises:
          InputError: a piece cannot be written.
        """
        frames = iter(frames)
        for frame in frames:
            path = self.folder / f"{len(self.finished):06}.mov"
            unfinished = path.with_name(f"{path.stem}.unfinished{os.getpid()}.mov")
            start, count = write_piece(unfinished, itertools.chain([frame], itertools.islice(frames, LENGTH - 1)), info, encoding)
            with self._writing():
                self._note(path.with_suffix(".json"), {"start": start, "count": count})
                with unfinished.open("rb") as file:
                    os.fsync(file.fileno())
                os.replace(unfinished, path)
            self.finished.append(Piece(path, start, count))

    def finish(self, join: Callable[[Path], None]) -> None:
        """Put the output in its place and remove the folder.

        Args:
          join: writes the pieces into the file that it is given.

        Raises:
          InputError: the output cannot be written.
        """
        whole = self.folder / f"whole.unfinished{os.getpid()}{self.output.suffix}"
        join(whole)
        with self._writing():
            os.replace(whole, self.output)
            shutil.rmtree(self.folder)

    def remove_if_empty(self) -> None:
        """Remove the folder where no piece was finished."""
        if not self.finished:
            shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(f"{self.output} cannot be written: {error.strerror}") from error

    def _found(self) -> list[Piece]:
        found = []
        for number in itertools.count():
            path = self.folder / f"{number:06}.mov"
            if not path.exists():
                return found
            found.append(Piece(path, **json.loads(path.with_suffix(".json").read_text())))

    def _check(self, noted: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        for name in {**noted, **settings}:
            if noted.get(name) != settings.get(name):
                raise InputError(
                    f"{self.folder} holds pieces that were made with another {name} ({noted.get(name)}, now {settings.get(name)}): "
                    "take the same again to go on, or remove the folder to start anew"
                )

    def _note(self, path: Path, content: Mapping[str, Any]) -> None:
        unfinished = path.with_name(f"{path.name}.unfinished{os.getpid()}")
        with unfinished.open("w") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
