"""The memory of a training step with and without rematerialised blocks, as the compiler plans it for an accelerator.

    python -m benchmarks.train_memory                    for the accelerator of this machine
    python -m benchmarks.train_memory v5e:2x2            for one chip of a TPU that need not be there (needs the package libtpu)
    python -m benchmarks.train_memory v5e:2x2 rcan_x4:2  one network, at these levels of blocks

Nothing is run: the numbers are XLA's `memory_analysis` of the compiled step, which on the CPU says nothing, as its compiler merges what is
computed again with what was computed before. Beside them stand the bytes that differentiation keeps between the two passes.
"""

import json
import math
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
CASES: dict[str, tuple[int, int, dict[str, Any]]] = {
    # network: (side of its input, images in a batch, fields that differ: fewer blocks compile sooner)
    "edsr_baseline_x4": (48, 16, {}),
    "rcan_x4": (48, 8, {"groups": 4, "depth": 4}),
    "swinir_lightweight_x4": (48, 4, {}),
    "restormer_denoise": (128, 1, {}),
}
LEVELS = (0, 1)


def measure(name: str, levels: int, device: Any) -> dict[str, Any]:
    """Compile the step of one network."""
    side, count, fields = CASES[name]
    model = create_model(name, **fields)
    scale = getattr(model, "scale", 1)
    objective = Supervised(model, l1, optax.adam(1e-4), ema=None, remat=levels)
    degraded = jax.ShapeDtypeStruct((count, side, side, 3), jnp.float32)
    clean = jax.ShapeDtypeStruct((count, side * scale, side * scale, 3), jnp.float32)
    batch = {"image": clean, "degraded": degraded, "index": jax.ShapeDtypeStruct((count,), jnp.uint32)}
    shapes = variable_shapes(model)
    state = jax.eval_shape(lambda: objective.init(jax.random.key(0), batch, jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)))
    placed = SingleDeviceSharding(device)
    start = time.perf_counter()
    compiled = jax.jit(objective.step, donate_argnums=0, in_shardings=placed, out_shardings=placed).lower(state, batch).compile()
    memory = compiled.memory_analysis()
    return {
        "network": name,
        "levels": levels,
        "input": f"{count}x{side}x{side}",
        "fields": fields,
        "temporary_bytes": memory.temp_size_in_bytes,
        "argument_bytes": memory.argument_size_in_bytes,
        "kept_bytes": kept(objective, state, batch),
        "seconds_to_compile": round(time.perf_counter() - start, 1),
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
    lines = [
        "# Memory of a training step with rematerialised blocks",
        "",
        f"Temporary memory of one step (Adam, absolute error) as XLA plans it for {rows[0]['device']}, compiled, not run. `remat` is the",
        "configuration's field: levels of blocks that are computed again. Kept: what the forward pass leaves for the backward pass.",
        "",
        "| network | input | remat | temporary, MiB | share | kept, MiB | share |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        without = next(other for other in rows if other["network"] == row["network"] and other["levels"] == 0)
        shares = [row[key] / without[key] for key in ("temporary_bytes", "kept_bytes")]
        fields = "".join(f", {field} = {value}" for field, value in row["fields"].items())
        lines.append(
            f"| {row['network']}{fields} | {row['input']} | {row['levels']} | {row['temporary_bytes'] / 2**20:,.0f} | {shares[0]:.2f} | "
            f"{row['kept_bytes'] / 2**20:,.0f} | {shares[1]:.2f} |"
        )
    best = [min(r["temporary_bytes"] for r in rows if r["network"] == name) for name in dict.fromkeys(r["network"] for r in rows)]
    first = [r["temporary_bytes"] for r in rows if r["levels"] == 0]
    ratio = math.exp(sum(math.log(b / f) for b, f in zip(best, first, strict=True)) / len(best))
    lines += ["", f"Geometric mean of the best shares of temporary memory: {ratio:.2f}."]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> None:
    """Measure every case that is asked for, or all; results are kept case by case."""
    topology, *chosen = arguments or [""]
    names = [name.partition(":")[0] for name in chosen]
    levels_of = {name.partition(":")[0]: [int(level) for level in name.partition(":")[2]] or LEVELS for name in chosen}
    if topology:
        from jax.experimental import topologies

        device = topologies.get_topology_desc(platform="tpu", topology_name=topology).devices[0]
    else:
        device = jax.devices()[0]
    file = RESULTS.with_suffix(".json")
    rows = json.loads(file.read_text()) if file.exists() else []
    for name in names or CASES:
        for levels in levels_of.get(name, LEVELS):
            row = measure(name, levels, device)
            print(json.dumps(row), flush=True)
            rows = [other for other in rows if (other["network"], other["levels"]) != (name, levels)] + [row]
            rows.sort(key=lambda row: (list(CASES).index(row["network"]), row["levels"]))
            file.write_text(json.dumps(rows, indent=1) + "\n")
            RESULTS.with_suffix(".md").write_text(table(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
