"""Train networks at a reduced size, as their experiments' docstrings say, and compare them with the degraded input.

Run it where the folders of the commands are (T91, BSDS400, Set5...):

    python -m benchmarks.short_runs denoising/restormer deblurring/nafnet           trains these two
    python -m benchmarks.short_runs --table attention denoising/restormer ...    writes results/restoration_short_runs_attention.{json,md}
"""

import json
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

from benchmarks.super_resolution_short_runs import ROOT, commands
from jaxrestore.degradations import recipes
from jaxrestore.metrics import Convention, convention_for, psnr
from jaxrestore.models.catalogue import model_card
from jaxrestore.training.config import Experiment, load_experiment
from jaxrestore.training.inputs import validation_set
from jaxrestore.training.loop import train

RUNS = Path("runs/short_runs")


def degraded_psnr(config: Experiment) -> float:
    """PSNR of the degraded validation images themselves, in the run's convention."""
    card = model_card(config.model.name)
    images = validation_set(config.validation, config.data, recipes.parse(config.validation.recipe or config.degradation), card.multiple)
    assert images is not None
    named = config.validation.convention
    convention = Convention.parse(named) if named else convention_for(card.task, card.scale, card.channels)
    return float(np.mean(psnr(np.clip(images.degraded, 0.0, 1.0), images.clean, convention)))


def short_run(name: str) -> dict[str, Any]:
    """Train one network at its reduced size."""
    path = ROOT / "experiments" / f"{name}.py"
    _, (_, *overrides) = commands(path)
    config = load_experiment(path, overrides)
    start = time.perf_counter()
    state = train(config)
    seconds = time.perf_counter() - start
    lines = [json.loads(line) for line in (Path(config.run) / "log.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines if "loss" in line]
    score = [line for line in lines if "validation_psnr" in line][-1]
    return {
        "experiment": name,
        "model": config.model.name,
        "command": f"jaxrestore train experiments/{name}.py {shlex.join(overrides)}",
        "steps": config.steps,
        "parameters": sum(leaf.size for leaf in jax.tree.leaves(state.params)),
        "first_loss": losses[0],
        "last_loss": float(np.median(losses[-3:])),
        "psnr": score["validation_psnr"],
        "degraded_psnr": degraded_psnr(config),
        "convention": score["convention"],
        "seconds": round(seconds),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The results in words and as a table."""
    lines = [
        "# Short runs of restoration recipes",
        "",
        "Each network at the reduced size of the second command in its experiment's docstring, on two shared CPU cores, measured on the",
        "centres of the images that it validates on. These runs show that a recipe learns, not what the network reaches. Losses: the first",
        "that is logged and the median of the last three, each of one small batch and of the noise that it drew. Time includes compilation,",
        "validation and waiting for the cores.",
        "",
        "| experiment | steps | parameters | loss, first to last | PSNR, dB | degraded, dB | gain | convention | seconds |",
        "|---|---:|---:|---|---:|---:|---:|---|---:|",
    ]
    for row in rows:
        lines.append(
            f"| {row['experiment']} | {row['steps']:,} | {row['parameters']:,} | {row['first_loss']:.4g} to {row['last_loss']:.4g} | "
            f"{row['psnr']:.2f} | {row['degraded_psnr']:.2f} | {row['psnr'] - row['degraded_psnr']:+.2f} | `{row['convention']}` | "
            f"{row['seconds']} |"
        )
    below = [row["experiment"] for row in rows if row["psnr"] < row["degraded_psnr"]]
    if below:
        lines += ["", f"Below the degraded input after so few steps: {', '.join(below)}."]
    return "\n".join(lines) + "\n"


def main(names: list[str]) -> None:
    """Run, or collect."""
    RUNS.mkdir(parents=True, exist_ok=True)
    files = {name: RUNS / f"{name.replace('/', '_')}.json" for name in names}
    if names[:1] == ["--table"]:
        rows = [json.loads(files[name].read_text()) for name in names[2:]]
        target = ROOT / "benchmarks" / "results" / f"restoration_short_runs_{names[1]}"
        target.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n")
        target.with_suffix(".md").write_text(table(rows))
        return
    for name in names:
        result = short_run(name)
        files[name].write_text(json.dumps(result, indent=1) + "\n")
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
