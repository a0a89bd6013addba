"""What is to be done with one picture file."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Job:
    """One picture: where it is read, where it goes, and where the spread of several networks' results goes, if anywhere."""

    source: Path
    target: Path
    spread: Path | None = None
