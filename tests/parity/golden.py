"""Golden vectors: inputs, outputs and weights of reference implementations."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.shared import SHARED

PARITY = SHARED / "parity"


@dataclass(frozen=True)
class Golden:
    """One case: `<group>/<name>`. Images are given NHWC."""

    name: str

    def __str__(self) -> str:
        return self.name.split("/")[-1]

    @cached_property
    def description(self) -> dict[str, Any]:
        return json.loads((PARITY / f"{self.name}.json").read_text())

    @cached_property
    def tensors(self) -> dict[str, np.ndarray]:
        """Everything in the file, as stored."""
        return load_file(PARITY / f"{self.name}.safetensors")

    @property
    def constructor(self) -> dict[str, Any]:
        return self.description["constructor"]

    @property
    def scale(self) -> int:
        return self.constructor["scale"]

    @property
    def state(self) -> dict[str, np.ndarray]:
        return {k.removeprefix("state."): v for k, v in self.tensors.items() if k.startswith("state.")}

    @property
    def input(self) -> np.ndarray:
        return _nhwc(self.tensors["input"])

    @property
    def output(self) -> np.ndarray:
        return _nhwc(self.tensors["output"])

    @property
    def tolerance(self) -> float:
        """20 times the reference's own float32 noise, at least 1e-6 of the output's scale."""
        noise = self.description["f32_vs_f64_max_abs"]
        noise = noise["output"] if isinstance(noise, dict) else noise
        return max(20.0 * noise, 1e-6 * float(np.abs(self.output).max()))


def _nhwc(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, 1, -1)


def goldens(pattern: str) -> list:
    """Cases that match `group/pattern`, as parameters of a test; one skipped parameter where the vectors are absent."""
    names = sorted(str(Path(f).relative_to(PARITY).with_suffix("")) for f in PARITY.glob(f"{pattern}.safetensors"))
    if names:
        return [Golden(name) for name in names]
    assert not PARITY.is_dir(), f"no golden matches {pattern}"
    reason = "golden vectors are not beside this checkout (../shared/parity)"
    return [pytest.param(Golden(pattern), marks=pytest.mark.skip(reason=reason))]
