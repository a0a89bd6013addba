"""Which pictures a command reads, where it writes them, and what happens to those that fail."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from jaxrestore.data.images import SUFFIXES, Picture, find_images, make_folder, read_image, write_image
from jaxrestore.data.jobs import Job
from jaxrestore.errors import InputError, is_out_of_memory

_SPREAD_SUFFIXES = (".tif", ".tiff", ".png")


@dataclass(frozen=True)
class Jobs:
    """All pictures of a command.

    Attributes:
      jobs: what is to be done.
      failures: one line for each input that cannot even be looked for.
    """

    jobs: tuple[Job, ...]
    failures: tuple[str, ...] = ()


def plan_jobs(inputs: Iterable[Path], output: Path, spread: Path | None = None) -> Jobs:
    """Pair every picture with its place in the output.

    One picture may go to a file; otherwise the output is a folder, in which the structure of an input folder is kept. Where there are
    several inputs, each folder's pictures lie under its own name.

    Args:
      inputs: pictures and folders.
      output: a file for one picture, or a folder.
      spread: likewise for a second picture of each, a TIFF wherever it is a folder.

    Raises:
      InputError: no input, an output that cannot hold the pictures, two pictures for one place, or a picture that would overwrite an input.
    """
    inputs = tuple(inputs)
    if not inputs:
        raise InputError("no input is named: give pictures or folders")
    into_folder = len(inputs) > 1 or inputs[0].is_dir() or _is_folder(output)
    if into_folder and output.exists() and not output.is_dir():
        raise InputError(f"{output} is a file: several pictures need a folder to go to")
    jobs, failures = [], []
    for path in inputs:
        try:
            jobs += _jobs(path, output, into_folder, several=len(inputs) > 1)
        except InputError as error:
            if len(inputs) == 1:
                raise
            failures.append(str(error))
    if spread is not None:
        jobs = [replace(job, spread=_spread(job, output, spread, alone=not into_folder)) for job in jobs]
    _check_targets(jobs)
    return Jobs(tuple(jobs), tuple(failures))


def _spread(job: Job, output: Path, spread: Path, alone: bool) -> Path:
    if spread.is_dir() or not spread.suffix:
        return spread / (Path(job.target.name) if alone else job.target.relative_to(output)).with_suffix(".tiff")
    if not alone:
        raise InputError(f"{spread} is no folder: the spreads of several pictures need one")
    if spread.suffix.lower() not in _SPREAD_SUFFIXES:
        raise InputError(f"{spread}: the suffix {spread.suffix!r} is none of {', '.join(_SPREAD_SUFFIXES)}, which hold a spread")
    return spread


def _is_folder(output: Path) -> bool:
    if output.is_dir() or not output.suffix:
        return True
    if output.suffix.lower() not in SUFFIXES:
        raise InputError(f"{output}: the suffix {output.suffix!r} is none of {', '.join(SUFFIXES)}")
    return False


def _jobs(path: Path, output: Path, into_folder: bool, several: bool) -> list[Job]:
    if not path.is_dir():
        if not path.exists():
            raise InputError(f"{path} does not exist")
        return [Job(path, output / path.name if into_folder else output)]
    prefix = Path(path.resolve().name) if several else Path()
    written = output.resolve()
    # What an earlier run wrote below an input folder is no input.
    found = [p for p in find_images(path, recursive=True) if written == path.resolve() or written not in p.resolve().parents]
    return [Job(p, output / prefix / p.relative_to(path)) for p in found]


def _check_targets(jobs: list[Job]) -> None:
    targets = [target for job in jobs for target in (job.target, job.spread) if target is not None]
    twice = [target for target, count in Counter(targets).items() if count > 1]
    if twice:
        raise InputError(f"two pictures would be written to {twice[0]}: take one folder at a time")
    sources = {os.path.realpath(job.source) for job in jobs}
    for target in targets:
        if os.path.realpath(target) in sources:
            raise InputError(f"{target} would overwrite an input: name another output")


def run_jobs(planned: Jobs, change: Callable[[Picture, Path], Picture], doing: str) -> int:
    """Read, change and write each picture; one that fails does not stop the others.

    Args:
      planned: the pictures.
      change: what to do, given a picture and the path it came from.
      doing: the word beside the progress bar.

    Returns:
      How many pictures were written.

    Raises:
      InputError: something failed, as for `report`.
    """
    return report(planned, ((place, _run(job, change)) for place, job in enumerate(planned.jobs)), doing)


def progress_bar() -> Progress:
    """How far a command has come, on a terminal and nowhere else; it leaves nothing behind."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def report(planned: Jobs, outcomes: Iterable[tuple[int, Exception | None]], doing: str) -> int:
    """Show how far a command has come, and at the end what failed, in the order of the inputs.

    Args:
      planned: the pictures.
      outcomes: the place of a picture among the jobs, and why it failed or None, as each is done.
      doing: the word beside the progress bar.

    Returns:
      How many pictures were written.

    Raises:
      InputError: something failed: the one failure, or how many there were, after they have been listed.
    """
    failed: dict[int, str] = {}
    total = len(planned.jobs) + len(planned.failures)
    with progress_bar() as progress:
        for place, error in progress.track(outcomes, total=len(planned.jobs), description=doing):
            if error is not None:
                failed[place] = failure_line(planned.jobs[place].source, planned.jobs[place].target, error)
    failures = [*planned.failures, *(failed[place] for place in sorted(failed))]
    if total == 1 and failures:
        raise InputError(failures[0])
    for failure in failures:
        print(f"jaxrestore: {failure}", file=sys.stderr)
    if failures:
        raise InputError(f"{len(failures)} of {total} inputs failed, as listed; the others are done")
    return total


def _run(job: Job, change: Callable[[Picture, Path], Picture]) -> Exception | None:
    """Why the job failed, or None."""
    try:
        result = change(read_image(job.source), job.source)
        make_folder(job.target.parent)
        write_image(job.target, result)
    except InputError as error:
        return error
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return MemoryError()
    return None


def failure_line(source: Path, target: Path, error: Exception) -> str:
    """A failure as one line that names the file."""
    if not isinstance(error, InputError):
        return f"{source} does not fit into memory: allow less with --memory, or take smaller tiles with --tile"
    message = " ".join(str(error).split())
    return message if source.name in message or str(target) in message else f"{source}: {message}"
