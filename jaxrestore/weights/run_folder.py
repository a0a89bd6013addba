"""A training run's folder: the weights of its best checkpoint, without knowing how it was optimised.

RUN/checkpoints/<step>/state   params, batch_stats, ema, and what the optimiser needs
                      /meta    model, class, fields, checksums
                      /metrics the validation score
"""

import json
import math
from pathlib import Path
from typing import Any

from jaxrestore.errors import InputError
from jaxrestore.weights.checksum import verify
from jaxrestore.weights.contents import OwnVariables
from jaxrestore.weights.guard import reading
from jaxrestore.weights.orbax_folder import read_arrays

_CHECKPOINTS = "checkpoints"
_SCORE = "psnr"
_NOT_VALIDATED = -1e6  # scores below this stand for "none"


def is_run(folder: Path) -> bool:
    """Whether a folder is a run, its folder of checkpoints, or one of these."""
    return bool(_steps(folder)) or _is_step(folder)


def read(folder: Path) -> OwnVariables:
    """The weights of a run: its best step if any was validated, else its newest; the averaged parameters where it keeps an average.

    Args:
      folder: the run, its `checkpoints`, or one step's folder in there.

    Raises:
      InputError: no checkpoint, or a damaged one.
    """
    steps = _steps(folder)
    step = folder if _is_step(folder) else steps[_chosen(steps)]
    with reading(step, "checkpoint of a training run"):
        meta = json.loads((step / "meta" / "metadata").read_text())
        arrays = read_arrays(step / "state", ("params", "batch_stats", "ema"))
        arrays = {name: value for name, value in arrays.items() if value}
        if "params" not in arrays:
            raise InputError("holds no parameters")
        verify(arrays, meta["checksums"], step / "state")
    average = arrays.pop("ema", None)
    note = f"step {step.name}" + (", averaged parameters" if average else "")
    about = {name: meta[name] for name in ("model", "class", "fields") if name in meta}
    about["information"] = {"run": folder.resolve().name, "step": meta.get("step")}
    return OwnVariables({**arrays, "params": average or arrays["params"]}, about, note)


def _steps(folder: Path) -> dict[int, Path]:
    """Finished checkpoints by step."""
    home = folder / _CHECKPOINTS if (folder / _CHECKPOINTS).is_dir() else folder
    return {int(step.name): step for step in sorted(home.iterdir()) if step.name.isdecimal() and _is_step(step)}


def _is_step(folder: Path) -> bool:
    return (folder / "state").is_dir() and (folder / "meta").is_dir()


def _chosen(steps: dict[int, Path]) -> int:
    scores = {step: score for step, path in steps.items() if (score := _score(path)) is not None}
    return max(scores, key=lambda step: (scores[step], step)) if scores else max(steps)


def _score(step: Path) -> float | None:
    try:
        metrics: Any = json.loads((step / "metrics" / "metrics").read_text())
        score = float(metrics[_SCORE])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return score if math.isfinite(score) and score > _NOT_VALIDATED else None
