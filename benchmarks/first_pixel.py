"""How long a user waits: for `jaxrestore --help`, and from the start of `jaxrestore restore` to a restored small picture.

python -m benchmarks.first_pixel [--rounds 5]

Each is a process of its own. Warm means that an earlier run left what it compiled in the user's cache folder, cold that none did.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.harness import machine, ratio, take_turns, write

SIDE = 64
LIMITS = {"--help": 0.4, "restore, warm": 3.0}
COLUMNS = ("command", "processor time, s", "wall time, s", "wanted, s", "processor time / that of importing JAX and Flax")


def children() -> float:
    """Processor time of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as place:
        picture = Path(place) / "small.png"
        make_picture(picture)
        wall: dict[str, list[float]] = {}

        def way(name: str, *arguments: str, cache: str = "off"):
            variables = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")} | {"JAXRESTORE_CACHE": cache}

            def call() -> None:
                start = time.perf_counter()
                subprocess.run([sys.executable, *arguments], env=variables, check=True, capture_output=True)
                wall.setdefault(name, []).append(time.perf_counter() - start)

            return call

        restore = ("-m", "jaxrestore", "restore", str(picture), "-o", str(Path(place) / "restored.png"))
        ways = {
            "--help": way("--help", "-m", "jaxrestore", "--help"),
            "importing JAX and Flax": way("importing JAX and Flax", "-c", "import jax, flax.linen"),
            "restore, warm": way("restore, warm", *restore, cache=str(Path(place) / "cache")),
            "restore, cold": way("restore, cold", *restore),
        }
        seconds = take_turns(ways, rounds, clock=children)
    reference = seconds["importing JAX and Flax"]
    rows = [
        [
            name,
            statistics.median(seconds[name]),
            statistics.median(wall[name][1:]),
            LIMITS.get(name, ""),
            ratio(seconds[name], reference),
        ]
        for name in ways
    ]
    notes = (
        f"Medians of {rounds} rounds, interleaved; the picture has {SIDE}x{SIDE} pixels, the network is the package's own. With a free "
        "core the wall time is about the processor time; under load it is longer."
    )
    write("first_pixel_cpu", "From the start of a command to its result", notes, COLUMNS, rows, machine())


def make_picture(path: Path) -> None:
    from jaxrestore.cli.demo import PHOTOGRAPH
    from jaxrestore.data.images import Picture, read_image, write_image

    write_image(path, Picture(read_image(PHOTOGRAPH).color[:SIDE, :SIDE]))


if __name__ == "__main__":
    main()
