"""What a run leaves to read: a JSON line for each measurement, TensorBoard events, sample pictures, a progress bar."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import rich.console
import rich.progress

from jaxrestore.data.images import Picture, from_float, write_image


class Log:
    """The log of one run. Lines after the step from which a run goes on are dropped, so that it reads as if never interrupted.

    Args:
      folder: the run's folder.
      step: the step from which the run starts or goes on.
    """

    def __init__(self, folder: Path, step: int):
        from tensorboardX import SummaryWriter

        self.folder = folder
        self.path = folder / "log.jsonl"
        if self.path.exists():
            _keep_until(self.path, step)
        self.file = self.path.open("a")
        self.board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1, write_to_disk=True)

    def write(self, step: int, **values: Any) -> None:
        """Numbers of one step, as one line and as TensorBoard scalars."""
        self.file.write(json.dumps({"step": step, **values}) + "\n")
        self.file.flush()
        for name, value in values.items():
            if isinstance(value, (int, float)):
                self.board.add_scalar(name, value, step)

    def picture(self, step: int, name: str, image: np.ndarray) -> None:
        """A sample (H, W, C) in [0, 1], as a PNG file and in TensorBoard."""
        pixels = from_float(image, np.uint8)
        (self.folder / "samples").mkdir(exist_ok=True)
        write_image(self.folder / "samples" / f"{step:08d}_{name}.png", Picture(pixels, None, None))
        self.board.add_image(name, pixels, step, dataformats="HWC")

    def close(self) -> None:
        """Write everything out."""
        self.file.close()
        self.board.close()


class Progress:
    """A bar with images per second and the time left on a terminal; plain lines elsewhere. Both go to stderr.

    Args:
      total: steps in all.
      done: steps already taken.
      batch: images in a step.
    """

    def __init__(self, total: int, done: int, batch: int):
        self.total, self.done, self.batch = total, done, batch
        self.started, self.first = time.monotonic(), done
        console = rich.console.Console(stderr=True)
        self.bar = None
        if console.is_terminal:
            columns = [
                rich.progress.TextColumn("step {task.completed}/{task.total}"),
                rich.progress.BarColumn(),
                rich.progress.TextColumn("{task.fields[note]}"),
                rich.progress.TimeRemainingColumn(),
            ]
            self.bar = rich.progress.Progress(*columns, console=console)
            self.task = self.bar.add_task("", total=total, completed=done, note="")

    def __enter__(self) -> "Progress":
        if self.bar:
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar:
            self.bar.stop()

    def rate(self, step: int) -> float:
        """Images per second since the start."""
        return (step - self.first) * self.batch / max(time.monotonic() - self.started, 1e-9)

    def show(self, step: int, **values: float) -> None:
        """Where the run is."""
        rate = self.rate(step)
        numbers = "  ".join(f"{name} {value:.5g}" for name, value in values.items())
        note = f"{numbers}  {rate:.1f} images/s"
        if self.bar:
            self.bar.update(self.task, completed=step, note=note)
        else:
            left = (self.total - step) * self.batch / max(rate, 1e-9)
            print(f"step {step}/{self.total}  {note}  {_duration(left)} left", file=sys.stderr, flush=True)


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"


def _keep_until(path: Path, step: int) -> None:
    kept = []
    for line in path.read_text().splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line)
        except (json.JSONDecodeError, KeyError, TypeError):
            continue  # a line that a kill cut in two
    temporary = path.with_suffix(".tmp")
    temporary.write_text("".join(line + "\n" for line in kept))
    os.replace(temporary, path)
