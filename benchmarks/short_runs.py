"""Train networks at a reduced size, as their experiments' docstrings say, and compare them with what they were given.

Run it where the folders of the commands are (T91, BSDS400, Set5...):

    python -m benchmarks.short_runs super_resolution/vdsr denoising/restormer      trains these two
    python -m benchmarks.short_runs --table                       writes results/short_runs.{json,md}: all earlier runs and these
"""

import ast
import json
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from benchmarks.harness import RESULTS
from jaxrestore.degradations import recipes
from jaxrestore.metrics import Convention, convention_for, psnr
from jaxrestore.models.catalogue import create_model, model_card
from jaxrestore.ops.resize import imresize
from jaxrestore.training.config import Experiment, load_experiment
from jaxrestore.training.inputs import validation_set
from jaxrestore.training.loop import train
from jaxrestore.training.masking import with_mask
from jaxrestore.typing import Variables

Row = dict[str, Any]
EXPERIMENTS = Path(__file__).resolve().parents[1] / "experiments"
FAMILIES = ("super_resolution", "denoising", "deblurring", "inpainting", "restoration", "translation")
HEADER = (
    "| experiment | steps | parameters | loss, first to last | PSNR, dB | input, dB | gain | convention | seconds |\n"
    "|---|---:|---:|---|---:|---:|---:|---|---:|"
)
WORDS = """# Short runs of the recipes

Each network at the reduced size of the second command in its experiment's docstring, on two shared CPU cores, measured on the centres of
the images that it validates on. These runs show that a recipe learns, not what the network reaches. Losses: the first that is logged (or
the median of three) and the median of the last three, each of one small batch and of the damage that it drew; losses of games need not
fall. Input: the damaged image itself, enlarged by bicubic interpolation where the network enlarges; whole where the network
erases its middle itself. Time includes compilation, validation
and waiting."""


def commands(path: Path) -> list[list[str]]:
    """The arguments of the `jaxrestore train` lines of an experiment's docstring: first the published run, then the reduced one."""
    text = (ast.get_docstring(ast.parse(path.read_text())) or "").replace("\\\n", " ")
    return [shlex.split(line)[2:] for line in text.splitlines() if line.strip().startswith("jaxrestore train")]


def recipes_of(family: str) -> list[str]:
    """The experiments of a folder that train a network by steps and measure it against clean images."""
    if family == "translation":
        return ["generative/cyclegan", "generative/pix2pix"]
    files = sorted((EXPERIMENTS / family).glob("*.py"))
    return [f"{family}/{path.stem}" for path in files if "training.config" in path.read_text()]


def train_reduced(name: str, measured: Callable[[Experiment, nn.Module, Variables, list[Row]], Row]) -> Row:
    """Train one network at its reduced size.

    Args:
      name: of the experiment, "denoising/restormer".
      measured: further columns, of the run's configuration, the network, its variables and the lines of its log.
    """
    _, (_, *overrides) = commands(EXPERIMENTS / f"{name}.py")
    config = load_experiment(EXPERIMENTS / f"{name}.py", overrides)
    config = replace(config, log_every=min(config.log_every, max(config.steps // 10, 1)))
    start = time.perf_counter()
    state = train(config)
    seconds = time.perf_counter() - start
    log = [json.loads(line) for line in (Path(config.run) / "log.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in log if "loss" in line]
    model = create_model(config.model.name, **config.model.fields)
    return {
        "experiment": name,
        "model": config.model.name,
        "command": f"jaxrestore train experiments/{name}.py {shlex.join(overrides)}",
        "steps": config.steps,
        "parameters": sum(leaf.size for leaf in jax.tree.leaves(state.params)),
        "first_loss": float(np.median(losses[:3])),
        "last_loss": float(np.median(losses[-3:])),
        **measured(config, model, jax.device_get(state.variables()), log),
        "seconds": round(seconds),
    }


def collect(rows: Sequence[Row], names: Sequence[str], folder: Path) -> tuple[list[Row], list[str]]:
    """Earlier results with those of a folder in their place, in the order of the names; and the names that no run has."""
    found = {row["experiment"]: row for row in rows} | {
        row["experiment"]: row for row in (json.loads(path.read_text()) for path in folder.glob("*.json"))
    }
    return [found[name] for name in names if name in found], [name for name in names if name not in found]


def run_or_collect(arguments: list[str], names: Sequence[str], result: str, run: Callable[[str], Row], table: Callable) -> None:
    """The command line of a table of short runs.

    Args:
      arguments: the names to run, none for all; or "--table".
      names: all that can be run, in the table's order.
      result: the name of the files in results/, and of the folder in runs/ where single results wait to be collected.
      run: trains one and gives its row.
      table: the text of the rows and of the names that are missing.
    """
    folder = Path("runs") / result
    folder.mkdir(parents=True, exist_ok=True)
    if arguments == ["--table"]:
        target = (RESULTS / result).with_suffix(".json")
        rows, missing = collect(json.loads(target.read_text()) if target.exists() else [], names, folder)
        target.write_text(json.dumps(rows, indent=1) + "\n")
        target.with_suffix(".md").write_text(table(rows, missing))
        return
    for name in arguments or names:
        row = run(name)
        (folder / f"{name.replace('/', '_')}.json").write_text(json.dumps(row, indent=1) + "\n")
        print(json.dumps(row), flush=True)


def beside_input(config: Experiment, model: nn.Module, variables: Variables, log: list[Row]) -> Row:
    """The validation's last PSNR and that of the degraded images themselves, in the run's convention."""
    card = model_card(config.model.name)
    recipe = config.validation.recipe or config.degradation.replace("{scale}", str(getattr(model, "scale", 1)))
    images = validation_set(config.validation, config.data, with_mask(model, recipes.parse(recipe)), card.multiple)
    assert images is not None
    named = config.validation.convention
    convention = Convention.parse(named) if named else convention_for(card.task, card.scale, card.channels)
    clean, degraded = images.clean, images.degraded[..., : images.clean.shape[-1]]  # a mask may follow the image
    if degraded.shape != clean.shape:
        degraded = np.asarray(imresize(degraded, size=clean.shape[1:3]))
    score = [line for line in log if "validation_psnr" in line][-1]
    given = float(np.mean(psnr(np.clip(degraded, 0.0, 1.0), clean, convention)))
    return {
        "psnr": score["validation_psnr"],
        "input_psnr": given if np.isfinite(given) else None,
        "convention": score["convention"],
    }


def table(rows: list[Row], missing: list[str]) -> str:
    """The results in words and as a table of each family."""
    lines = [WORDS]
    for family in FAMILIES:
        lines += ["", f"## {family.replace('_', ' ').capitalize()}", "", HEADER]
        names = recipes_of(family)
        for row in (row for row in rows if row["experiment"] in names):
            given = row["input_psnr"]
            beside = "whole |" if given is None else f"{given:.2f} | {row['psnr'] - given:+.2f}"
            lines.append(
                f"| {row['experiment'].split('/')[1]} | {row['steps']:,} | {row['parameters']:,} | "
                f"{row['first_loss']:.4g} to {row['last_loss']:.4g} | {row['psnr']:.2f} | {beside} | "
                f"`{row['convention']}` | {row['seconds']} |"
            )
    below = [row["experiment"] for row in rows if row["input_psnr"] is not None and row["psnr"] < row["input_psnr"]]
    if below:
        lines += ["", f"Below their input after so few steps: {', '.join(below)}."]
    lines += ["", f"Not run: {', '.join(missing)}." if missing else "Every recipe was run."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    run_or_collect(
        sys.argv[1:],
        [name for family in FAMILIES for name in recipes_of(family)],
        "short_runs",
        lambda name: train_reduced(name, beside_input),
        table,
    )
