"""Does the input pipeline deliver more crops a second than the train step eats?

    python -m benchmarks.input_pipeline [FOLDER]

FOLDER holds pictures; without it, images are made. The step is that of the package's own denoiser; pipeline and step are measured in turn,
each alone, and the last column is how many times as many crops the pipeline delivers.
"""

import sys

import jax
import numpy as np
import optax

from benchmarks.harness import machine, ratio, take_turns, write
from jaxrestore.data.dead_leaves import DeadLeaves
from jaxrestore.data.pipeline import training_batches
from jaxrestore.data.sources import ImageFolder
from jaxrestore.degradations import recipes
from jaxrestore.losses.pixel import l1
from jaxrestore.models.catalogue import create_model
from jaxrestore.training.objectives.supervised import Supervised
from jaxrestore.training.parallel import compile_step, make_mesh, put_batch, replicate

PATCH, BATCH, STEPS = 64, 16, 4


def main() -> None:
    """Measure and write the table."""
    folder = sys.argv[1] if len(sys.argv) > 1 else None
    sources = {"made images": DeadLeaves()}
    if folder:
        sources = {"decoded once, kept": ImageFolder(folder), "decoded each time": ImageFolder(folder, cache="none")}
    batches = {name: training_batches(source, batch_size=BATCH, patch=PATCH, seed=0) for name, source in sources.items()}
    objective = Supervised(
        create_model("drunet_color_blind_light"), l1, optax.adam(1e-4), degrade=recipes.parse("gaussian:sigma=0..55"), ema=0.999
    )
    mesh = make_mesh()
    images = np.random.default_rng(0).integers(0, 256, (BATCH, PATCH, PATCH, 3), dtype=np.uint8)
    batch = put_batch({"image": images, "index": np.arange(BATCH, dtype=np.uint32)}, mesh)
    step = compile_step(objective.step, mesh)
    state = replicate(objective.init(jax.random.key(0), batch), mesh)

    def train() -> None:
        nonlocal state
        for _ in range(STEPS):
            state, metrics = step(state, batch)
        jax.block_until_ready(metrics)

    def read(name: str) -> None:
        for _ in range(STEPS):
            next(batches[name])

    # A whole epoch first, so that what is kept is there.
    for name, source in sources.items():
        for _ in range(len(source) // BATCH + 1):
            next(batches[name])
    seconds = take_turns({"train": train, **{name: lambda n=name: read(n) for name in sources}}, rounds=9)
    crops = STEPS * BATCH
    rows = [
        [name, crops / np.median(seconds[name]), crops / np.median(seconds["train"]), ratio(seconds["train"], seconds[name])]
        for name in sources
    ]
    notes = (
        f"Crops of {PATCH}x{PATCH}, batches of {BATCH}, no workers; the step of drunet_color_blind_light. Above 1 in the last column, "
        "the pipeline keeps up; prefetching lets the two overlap."
    )
    columns = ["source", "pipeline, crops/s", "train step, crops/s", "pipeline / step"]
    write("input_pipeline", "The input pipeline against the train step", notes, columns, rows, machine())


if __name__ == "__main__":
    main()
