"""The memory of a training step with and without rematerialised blocks, as the compiler plans it for an accelerator.

    python -m benchmarks.train_memory                    for the accelerator of this machine
    python -m benchmarks.train_memory kept               compiles nothing: what differentiation keeps, of the whole networks
    python -m benchmarks.train_memory v5e:2x2            for one chip of a TPU that need not be there (needs the package libtpu)
    python -m benchmarks.train_memory v5e:2x2 rcan_x4:2  one network, at these levels of blocks

Nothing is run: the numbers are XLA's `memory_analysis` of the compiled step, which on the CPU says nothing, as its compiler merges what is
computed again with what was computed before. Beside them stand the bytes that differentiation keeps between the two passes.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.sharding import SingleDeviceSharding

from jaxrestore.losses.pixel import l1
from jaxrestore.models.catalogue import create_model
from jaxrestore.training.objectives.supervised import Supervised
from jaxrestore.weights.reference import variable_shapes

RESULTS = Path(__file__).with_name("results") / "train_memory"
# name: (network, side of its input, images in a batch, fields that differ: fewer blocks compile sooner)
CASES: dict[str, tuple[str, int, int, dict[str, Any]]] = {
    "edsr_baseline": ("edsr_baseline_x4", 48, 16, {}),
    "rcan_short": ("rcan_x4", 48, 8, {"groups": 4, "depth": 4}),
    "rcan": ("rcan_x4", 48, 16, {}),
    "swinir": ("swinir_classical_x4", 48, 16, {}),
    "restormer": ("restormer_denoise", 128, 4, {}),
}
LEVELS = (0, 1)


def measure(case: str, levels: int, device: Any) -> dict[str, Any]:
    """Compile the step of one network; without a device only count what is kept."""
    name, side, count, fields = CASES[case]
    model = create_model(name, **fields)
    scale = getattr(model, "scale", 1)
    objective = Supervised(model, l1, optax.adam(1e-4), ema=None, remat=levels)
    degraded = jax.ShapeDtypeStruct((count, side, side, 3), jnp.float32)
    clean = jax.ShapeDtypeStruct((count, side * scale, side * scale, 3), jnp.float32)
    batch = {"image": clean, "degraded": degraded, "index": jax.ShapeDtypeStruct((count,), jnp.uint32)}
    shapes = variable_shapes(model)
    state = jax.eval_shape(lambda: objective.init(jax.random.key(0), batch, jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)))
    row = {
        "case": case,
        "network": name,
        "levels": levels,
        "input": f"{count}x{side}x{side}",
        "fields": fields,
        "kept_bytes": kept(objective, state, batch),
    }
    if device is None:
        return row
    placed = SingleDeviceSharding(device)
    start = time.perf_counter()
    compiled = jax.jit(objective.step, donate_argnums=0, in_shardings=placed, out_shardings=placed).lower(state, batch).compile()
    seconds = round(time.perf_counter() - start, 1)
    memory = compiled.memory_analysis()
    return {
        **row,
        "temporary_bytes": memory.temp_size_in_bytes,
        "argument_bytes": memory.argument_size_in_bytes,
        "seconds_to_compile": seconds,
        "device": device.device_kind,
    }


def kept(objective: Supervised, state: Any, batch: Any) -> int:
    """Bytes that the backward pass reads of the forward pass."""

    def pull_back(state: Any, batch: Any) -> Any:
        def loss(params: Any) -> jax.Array:
            images, _ = objective.forward(params, state.batch_stats, batch["degraded"], state.key, batch)
            return objective.mean_loss(*images, batch["image"])

        return jax.vjp(loss, state.params)[1]

    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(jax.eval_shape(pull_back, state, batch)))


def table(rows: list[dict[str, Any]]) -> str:
    """The results in words and as a table."""
    devices = sorted({row["device"] for row in rows if "device" in row})
    lines = [
        "# Memory of a training step with rematerialised blocks",
        "",
        "`remat` is the configuration's field: levels of blocks that are computed again for the gradient. Kept: the bytes that the forward",
        "pass leaves for the backward pass, exact and the same on every device. Temporary: the memory of one compiled step (Adam, l1,",
        f"float32) as XLA plans it for {' and '.join(devices) or 'no device yet'}; nothing was run. It includes what the passes need",
        "besides, such as the large images after the enlargement; a network without a number there was not compiled.",
        "",
        "| network | input | remat | kept, MiB | share | temporary, MiB | share |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        first = next(other for other in rows if other["case"] == row["case"] and other["levels"] == 0)
        cells = []
        for key in ("kept_bytes", "temporary_bytes"):
            known = key in row and key in first
            cells += [f"{row[key] / 2**20:,.0f}", f"{row[key] / first[key]:.2f}"] if known else ["", ""]
        fields = "".join(f", {field} = {value}" for field, value in row["fields"].items())
        lines.append(f"| {row['network']}{fields} | {row['input']} | {row['levels']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> None:
    """Measure every case that is asked for, or all; results are kept case by case."""
    where, *chosen = arguments or [""]
    wanted = {name.partition(":")[0]: tuple(int(level) for level in name.partition(":")[2]) or LEVELS for name in chosen or CASES}
    if where == "kept":
        device = None
    elif where:
        from jax.experimental import topologies

        device = topologies.get_topology_desc(platform="tpu", topology_name=where).devices[0]
    else:
        device = jax.devices()[0]
    file = RESULTS.with_suffix(".json")
    rows = {(row["case"], row["levels"]): row for row in (json.loads(file.read_text()) if file.exists() else [])}
    for case, several in wanted.items():
        for levels in several:
            row = measure(case, levels, device)
            print(json.dumps(row), flush=True)
            rows[case, levels] = {**rows.get((case, levels), {}), **row}
            ordered = [rows[key] for key in sorted(rows, key=lambda key: (list(CASES).index(key[0]), key[1]))]
            file.write_text(json.dumps(ordered, indent=1) + "\n")
            RESULTS.with_suffix(".md").write_text(table(ordered))


if __name__ == "__main__":
    main(sys.argv[1:])
