"""A folder of pictures from files to files, beside the bare compiled network on the same pixels in memory.

    python -m benchmarks.folder [--network TAG] [--pictures 256] [--side 256] [--rounds 3]

The bare network runs batches of the size that the folder path takes, on floating-point images that lie in memory already. The folder path
reads PNG files, converts, restores, rounds and writes PNG files, by what `jaxrestore restore` runs.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.harness import machine, ratio, rows_before, take_turns, write
from jaxrestore.cli.demo import PHOTOGRAPH
from jaxrestore.data.images import Picture, from_float, read_image, to_float, write_image
from jaxrestore.data.jobs import Job
from jaxrestore.inference import Restorer, folder
from jaxrestore.inference.field import apply_network
from jaxrestore.inference.folder import restore_files
from jaxrestore.models.catalogue import create_model
from jaxrestore.nn.initialise import initialise

LIGHT = "drunet_color_blind_light.bsds400"
COLUMNS = ("network", "pictures", "clock", "bare network, s", "folder, s", "folder / bare")


def make_tasks(place: Path, count: int, side: int) -> list[Job]:
    """Noisy pieces of a photograph, as PNG files."""
    photograph, generator = to_float(read_image(PHOTOGRAPH).color), np.random.default_rng(0)
    tasks = []
    for n in range(count):
        top, left = (int(generator.integers(0, size - side)) for size in photograph.shape[:2])
        noisy = photograph[top : top + side, left : left + side] + generator.normal(0, 25 / 255, (side, side, 3))
        tasks.append(Job(place / "in" / f"{n}.png", place / "out" / f"{n}.png"))
        tasks[-1].source.parent.mkdir(exist_ok=True)
        write_image(tasks[-1].source, Picture(from_float(noisy.astype(np.float32), np.uint8)))
    return tasks


def make_restorer(name: str) -> Restorer:
    """Shipped weights, or random ones: they take as long."""
    if "." in name:
        return Restorer(name)
    model = create_model(name)
    return Restorer(model, initialise(model, jax.random.key(0), jnp.zeros((1, 32, 32, model.channels))))


def measure(name: str, count: int, side: int, rounds: int) -> list[list[Any]]:
    restorer, rows = make_restorer(name), []
    with tempfile.TemporaryDirectory() as place:
        tasks = make_tasks(Path(place), count, side)
        batch = max(folder._BATCH_PIXELS.get(jax.default_backend(), folder._BATCH_PIXELS_OF_ACCELERATORS) // side**2, 1)
        images = jnp.asarray(to_float(np.stack([read_image(task.source).color for task in tasks[:batch]])))

        def bare() -> None:
            for _ in range(count // batch):
                result = apply_network(restorer.engine.model, restorer.engine.variables, images)
            jax.block_until_ready(result)

        def whole() -> None:
            assert all(failure is None for _, failure in restore_files(restorer, tasks))

        wall: dict[str, list[float]] = {"bare": [], "folder": []}

        def timed(way: str, call) -> None:
            start = time.perf_counter()
            call()
            wall[way].append(time.perf_counter() - start)

        ways = {"bare": lambda: timed("bare", bare), "folder": lambda: timed("folder", whole)}
        processor = take_turns(ways, rounds, clock=time.process_time)
        wall = {way: seconds[1:] for way, seconds in wall.items()}  # the first was the warm-up
    for clock, seconds in (("processor", processor), ("wall", wall)):
        middle = [float(np.median(seconds[way])) for way in ("bare", "folder")]
        rows.append([f"{name} ({clock})", f"{count} of {side}x{side}", clock, *middle, ratio(seconds["folder"], seconds["bare"])])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default=LIGHT)
    parser.add_argument("--pictures", type=int, default=256)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    result = f"folder_{jax.default_backend()}"
    rows = rows_before(result, COLUMNS)
    rows |= {row[0]: row for row in measure(options.network, options.pictures, options.side, options.rounds)}
    notes = (
        "Median of the rounds in seconds, and the ratio within each round. Wanted: at most 1.1. Processor time is that of all threads, and "
        "hardly depends on what else a machine does; on a processor without a free core the codecs' time adds to the network's."
    )
    write(result, "A folder of PNG files beside the bare network", notes, COLUMNS, list(rows.values()), machine())


if __name__ == "__main__":
    main()
