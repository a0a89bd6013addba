"""Train super-resolution networks at a reduced size, as their experiments' docstrings say, and compare them with bicubic interpolation.

Run it where the folders T91 and Set5 are:

    python -m benchmarks.super_resolution_short_runs espcn vdsr      trains these two
    python -m benchmarks.super_resolution_short_runs --table         writes results/super_resolution_short_runs.{json,md} of all runs so far
"""

import ast
import json
import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxrestore.degradations import recipes
from jaxrestore.metrics import Convention, convention_for, psnr
from jaxrestore.models.catalogue import create_model, model_card
from jaxrestore.ops.resize import imresize
from jaxrestore.training.config import Experiment, load_experiment
from jaxrestore.training.inputs import validation_set
from jaxrestore.training.loop import train

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "super_resolution_short_runs"


def commands(path: Path) -> list[list[str]]:
    """The arguments of the `jaxrestore train` lines of an experiment's docstring: first the published run, then the reduced one."""
    text = (ast.get_docstring(ast.parse(path.read_text())) or "").replace("\\\n", " ")
    return [shlex.split(line)[2:] for line in text.splitlines() if line.strip().startswith("jaxrestore train")]


def bicubic(config: Experiment) -> float:
    """PSNR of bicubic interpolation on the run's validation images, in the run's convention."""
    card = model_card(config.model.name)
    scale = getattr(create_model(config.model.name, **config.model.fields), "scale", 1)
    recipe = recipes.parse(config.validation.recipe or config.degradation.replace("{scale}", str(scale)))
    images = validation_set(config.validation, config.data, recipe, card.multiple)
    assert images is not None
    named = config.validation.convention
    convention = Convention.parse(named) if named else convention_for(card.task, card.scale, card.channels)
    enlarged = np.asarray(imresize(images.degraded, size=images.clean.shape[1:3]))
    return float(np.mean(psnr(np.clip(enlarged, 0.0, 1.0), images.clean, convention)))


def short_run(name: str) -> dict[str, Any]:
    """Train one network at its reduced size."""
    path, *_ = (ROOT / "experiments" / "super_resolution").glob(f"{name}.py")
    _, (_, *overrides) = commands(path)
    config = load_experiment(path, overrides)
    config = replace(config, log_every=min(config.log_every, max(config.steps // 10, 1)))
    start = time.perf_counter()
    state = train(config)
    seconds = time.perf_counter() - start
    lines = [json.loads(line) for line in (Path(config.run) / "log.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines if "loss" in line]
    score = [line for line in lines if "validation_psnr" in line][-1]
    return {
        "experiment": name,
        "model": config.model.name,
        "command": f"jaxrestore train experiments/super_resolution/{name}.py {shlex.join(overrides)}",
        "steps": config.steps,
        "parameters": sum(leaf.size for leaf in jax.tree.leaves(state.params)),
        "first_loss": float(np.median(losses[:3])),
        "last_loss": float(np.median(losses[-3:])),
        "psnr": score["validation_psnr"],
        "bicubic_psnr": bicubic(config),
        "convention": score["convention"],
        "seconds": round(seconds),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The results in words and as a table."""
    lines = [
        "# Short runs of the super-resolution recipes",
        "",
        "Each network at the reduced size of the second command in its experiment's docstring, trained on the 91 images on two shared",
        "CPU cores, measured on the centres of Set5's five images. These runs show that a recipe learns, not what the network reaches.",
        "Losses: the medians of the first and of the last three that are logged, 50 steps or a tenth of the run apart. Each is of a small",
        "batch and depends more on what is in it than on the step; PSNR is the measure. Time includes compilation and validation.",
        "",
        "| experiment | steps | parameters | loss, first to last | PSNR, dB | bicubic, dB | gain | convention | seconds |",
        "|---|---:|---:|---|---:|---:|---:|---|---:|",
    ]
    for row in rows:
        gain = row["psnr"] - row["bicubic_psnr"]
        lines.append(
            f"| {row['experiment']} | {row['steps']:,} | {row['parameters']:,} | {row['first_loss']:.4g} to {row['last_loss']:.4g} | "
            f"{row['psnr']:.2f} | {row['bicubic_psnr']:.2f} | {gain:+.2f} | `{row['convention']}` | {row['seconds']} |"
        )
    known = {path.stem for path in (ROOT / "experiments" / "super_resolution").glob("*.py") if "training.config" in path.read_text()}
    missing = sorted(known - {row["experiment"] for row in rows})
    lines += ["", f"Not run: {', '.join(missing)}." if missing else "Every recipe was run."]
    below = [row["experiment"] for row in rows if row["psnr"] < row["bicubic_psnr"]]
    if below:
        lines += ["", f"Below bicubic interpolation after so few steps: {', '.join(below)}."]
    return "\n".join(lines) + "\n"


def main(names: list[str]) -> None:
    """Run, or collect."""
    folder = Path("runs/short_runs")
    folder.mkdir(parents=True, exist_ok=True)
    if names == ["--table"]:
        rows = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
        RESULTS.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n")
        RESULTS.with_suffix(".md").write_text(table(rows))
        return
    for name in names:
        result = short_run(name)
        (folder / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
