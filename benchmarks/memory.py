"""The memory that restoring takes: planned before, and taken in fact; and pictures of every size within a hard limit.

    python -m benchmarks.memory plans              planned and real peak of several networks
    python -m benchmarks.memory sizes              TIFF files up to 400 megapixels, restored by the command at 512 MiB

Every case runs in a process of its own. What it takes is the high-water mark of its resident memory (VmHWM, reset through
/proc/self/clear_refs once the network is compiled), less what was resident then, less the result. Linux only.
"""

import ctypes
import gc
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import machine, rows_before, write

# name: (network, fields, MiB of the budget, side of the image)
NETWORKS: dict[str, tuple[str, dict[str, Any], int, int]] = {
    "DnCNN, 6 layers": ("dncnn_color_blind", {"depth": 6}, 512, 1200),
    "DnCNN, 4 layers of 16": ("dncnn_color_blind", {"depth": 4, "features": 16}, 512, 2100),
    "EDSR x2, 4 blocks": ("edsr_baseline_x2", {"depth": 4}, 512, 700),
    "U-Net": ("unet", {}, 512, 1024),
    "NAFNet, width 32": ("nafnet_sidd_width32", {}, 512, 384),
    "SwinIR, lightweight": ("swinir_lightweight_x2", {}, 512, 256),
}
MEGAPIXELS = (0.01, 1, 16, 100, 400)
BUDGET = 512
MIB = 2**20


def status(field: str) -> int:
    """Bytes that /proc/self/status says."""
    return 1024 * int(re.search(rf"{field}:\s*(\d+)", Path("/proc/self/status").read_text())[1])


def reset() -> int:
    """Start the high-water mark anew; bytes that are resident now."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return status("VmRSS")


def restorer_of(name: str) -> Any:
    """The restorer of one case."""
    import jax
    import jax.numpy as jnp

    from jaxrestore.inference import Restorer
    from jaxrestore.models.catalogue import create_model
    from jaxrestore.weights.reference import variable_shapes

    network, fields, budget, _ = NETWORKS[name]
    model = create_model(network, **fields)
    variables = jax.tree.map(lambda s: jnp.full(s.shape, 0.01, s.dtype), variable_shapes(model))
    return Restorer(model, variables, memory=budget * MIB)


def chosen(name: str) -> tuple[int, int]:
    """The tile that the budget leads to."""
    from jaxrestore.inference.tiles import tile_shape

    engine, side = restorer_of(name).engine, NETWORKS[name][3]
    largest = engine._side(side, side, 1, 3 * side)
    return (side, side) if largest is None else tile_shape(side, side, largest, engine.receptive_field)


def taken(name: str, height: str, width: str) -> dict[str, Any]:
    """One tile at its first run. Choosing it measures the network's receptive field, which warms up what is counted here: not in here."""
    engine = restorer_of(name).engine
    image = np.full((1, int(height), int(width), 3), 100, np.uint8)
    planned = engine.planned_bytes(image.shape)
    before = reset()
    engine._run(image)
    return {"planned": planned / MIB, "real": (status("VmHWM") - before) / MIB}


def plans() -> None:
    """Planned against real."""
    columns = ("network", "budget, MiB", "tile", "planned, MiB", "real, MiB", "planned / real")
    rows = rows_before("memory", columns)
    for name in sys.argv[2:] or NETWORKS:
        tile = in_own_process("chosen", name)
        row = in_own_process("taken", name, *map(str, tile))
        rows[name] = [name, NETWORKS[name][2], "x".join(map(str, tile)), row["planned"], row["real"], row["planned"] / row["real"]]
        print(rows[name], flush=True)
    write(
        "memory",
        "Memory of one tile: planned and real",
        "Planned: what XLA says of the compiled tile (temporary buffers, result), the input, and what the kernel library on the CPU takes\n"
        "beside it (`inference/compiled_memory.py`). Real: the high-water mark of the process over the first tile, less what was resident\n"
        "before, the weights and the program among it. The tile is the one that the budget leads to.",
        columns,
        [rows[name] for name in NETWORKS if name in rows],
        machine(),
    )


def picture(path: Path, megapixels: float) -> tuple[int, int]:
    """A grey 8-bit TIFF file, made in strips."""
    import tifffile

    side = round((megapixels * 1e6) ** 0.5)
    row = np.random.default_rng(0).integers(0, 256, (16, side), np.uint8)
    strips = (np.roll(row, start, axis=1)[: side - start].tobytes() for start in range(0, side, 16))
    with tifffile.TiffWriter(path) as file:
        file.write(strips, shape=(side, side), dtype=np.uint8, rowsperstrip=16, photometric="minisblack", metadata=None)
    return side, side


def restored(megapixels: str) -> dict[str, Any]:
    """One picture through the command, in this process."""
    import jax

    from jaxrestore.cli.main import main
    from jaxrestore.models.restoration.dncnn import DnCNN
    from jaxrestore.nn.initialise import initialise
    from jaxrestore.weights import save_weights

    with tempfile.TemporaryDirectory() as folder:
        source, target, weights = (Path(folder) / name for name in ("in.tif", "out.tif", "weights.safetensors"))
        picture(source, float(megapixels))
        model = DnCNN(depth=2, features=4, channels=1, norm=False)
        save_weights(weights, initialise(model, jax.random.key(0), np.zeros((1, 8, 8, 1), np.float32)), model)
        before = reset()
        start = time.perf_counter(), time.process_time()
        main(["restore", str(source), "-o", str(target), "--weights", str(weights), "--memory", f"{BUDGET}MiB"])
        seconds = time.perf_counter() - start[0], time.process_time() - start[1]
        return {
            "file": source.stat().st_size / MIB,
            "result": target.stat().st_size / MIB,
            "before": before / MIB,
            "peak": status("VmHWM") / MIB,
            "seconds": seconds[0],
            "processor": seconds[1],
        }


def sizes() -> None:
    """Pictures of all sizes at one budget."""
    columns = ("megapixels", "file, MiB", "before, MiB", "peak, MiB", "seconds", "processor seconds", "more, MiB")
    rows = rows_before("memory_sizes", columns)
    for megapixels in sys.argv[2:] or MEGAPIXELS:
        row = in_own_process("restored", str(megapixels))
        values = [row[key] for key in ("file", "before", "peak", "seconds", "processor")]
        rows[float(megapixels)] = [float(megapixels), *values, row["peak"] - row["before"]]
        print(rows[float(megapixels)], flush=True)
    write(
        "memory_sizes",
        f"Pictures of every size at a budget of {BUDGET} MiB",
        "Grey 8-bit TIFF files of noise through `jaxrestore restore` with a light network (2 convolutions, 4 features). Before: resident\n"
        "when the command began, with JAX imported; peak: the high-water mark of the whole process at its end; more: their difference,\n"
        "with compilation, tiles, and all of input and output that is ever held.",
        columns,
        [rows[megapixels] for megapixels in sorted(rows)],
        machine(),
    )


def in_own_process(what: str, *arguments: str) -> Any:
    """Run one case by itself."""
    command = [sys.executable, "-m", "benchmarks.memory", f"--{what}", *arguments]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "JAX_PLATFORMS": "cpu"})
    if outcome.returncode:
        raise SystemExit(f"{what} {arguments}: {outcome.stderr[-2000:]}")
    return json.loads(outcome.stdout.splitlines()[-1])


if __name__ == "__main__":
    match sys.argv[1:2]:
        case ["--chosen"]:
            print(json.dumps(chosen(sys.argv[2])))
        case ["--taken"]:
            print(json.dumps(taken(*sys.argv[2:])))
        case ["--restored"]:
            print(json.dumps(restored(sys.argv[2])))
        case ["sizes"]:
            sizes()
        case _:
            plans()
