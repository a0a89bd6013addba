"""How two ways of computing the same thing are compared on a machine that others use too.

The ways take turns, A B A B..., so that a slow minute hits all of them; each is warmed up first; a ratio is taken within each round, and
its median is given with the smallest and largest. Times alone are not comparable between runs, ratios are.
"""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Ratio:
    """How long one way takes in units of another: below 1 is faster."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.least:.2f}-{self.most:.2f}]"


def use_threads(threads: int) -> None:
    """Confine this process to so many cores; call it before JAX or PyTorch is imported, since they count the cores once."""
    cores = sorted(os.sched_getaffinity(0))
    if threads > len(cores):
        raise SystemExit(f"{threads} threads asked for, this process may use {len(cores)} cores")
    os.sched_setaffinity(0, cores[:threads])
    os.environ["OMP_NUM_THREADS"] = str(threads)
    # An OpenMP worker that waits actively would take the core from whichever way has the next turn.
    os.environ["OMP_WAIT_POLICY"] = "passive"


def take_turns(
    ways: Mapping[str, Callable[[], Any]], rounds: int = 9, warm_up: int = 1, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of every way in every round.

    Args:
      ways: name -> a call that returns when its result is there (`jax.block_until_ready`).
      rounds: how often each way is measured.
      warm_up: how often each is run before, for compilation and caches.
      clock: `time.process_time` counts the processor time of all threads, which other processes hardly change.
    """
    for call in ways.values():
        for _ in range(warm_up):
            call()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for index in range(rounds):
        # Every other round runs backwards: no way always finds the caches as the same neighbour left them.
        for name, call in list(ways.items())[:: -1 if index % 2 else 1]:
            start = clock()
            call()
            seconds[name].append(clock() - start)
    return seconds


def ratio(seconds: Sequence[float], reference: Sequence[float]) -> Ratio:
    """The ratio within each round: its median, least and most."""
    ratios = [a / b for a, b in zip(seconds, reference, strict=True)]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def machine() -> dict[str, Any]:
    """What the numbers were measured on, and how busy it was."""
    cores = len(os.sched_getaffinity(0))
    facts = {"processor": _processor(), "cores used": cores, "cores of the machine": os.cpu_count(), "python": platform.python_version()}
    facts["load over the last minute"] = round(os.getloadavg()[0], 2)
    for package in ("jax", "jaxlib", "flax", "numpy", "torch"):
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            continue
    return facts


def write(name: str, title: str, notes: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], facts: Mapping[str, Any]) -> None:
    """Print a table and keep it as results/<name>.md for readers and results/<name>.json for programs."""
    lines = [f"# {title}", "", notes, "", "| " + " | ".join(columns) + " |", "|--" * len(columns) + "|"]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    lines += ["", ", ".join(f"{key}: {value}" for key, value in facts.items()), ""]
    text = "\n".join(lines)
    print(text, flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text)
    plain = [{c: asdict(v) if isinstance(v, Ratio) else v for c, v in zip(columns, row, strict=True)} for row in rows]
    (RESULTS / f"{name}.json").write_text(json.dumps({"title": title, "machine": dict(facts), "rows": plain}, indent=1) + "\n")


def rows_before(name: str, columns: Sequence[str]) -> dict[str, list[Any]]:
    """The rows of results/<name>.json by their first column, so that a run of some of them leaves the others; none of other columns."""
    file = RESULTS / f"{name}.json"
    rows = json.loads(file.read_text())["rows"] if file.exists() else []
    rows = [{key: Ratio(**value) if isinstance(value, dict) else value for key, value in row.items()} for row in rows]
    return {row[columns[0]]: [row[column] for column in columns] for row in rows if list(row) == list(columns)}


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    vectors = [f for f in ("avx2", "avx512f", "avx512_bf16", "amx_tile") if f in flags]
    return f"{model} ({', '.join(vectors)})"
