"""What an objective is built from, and its building by name."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

import flax.linen as nn
import optax

from jaxrestore.errors import InputError
from jaxrestore.text import typed, unknown
from jaxrestore.training.config import Experiment
from jaxrestore.training.config import Objective as Configured
from jaxrestore.training.objectives import OBJECTIVES
from jaxrestore.training.state import TrainState
from jaxrestore.typing import Key, Tree, Variables


@runtime_checkable
class Objective(Protocol):
    """Two pure functions; `jaxrestore.training.objectives` says what they must do, and which others there may be."""

    def init(self, key: Key, batch: Any, variables: Variables | None = None) -> TrainState:
        """The state before the first step."""

    def step(self, state: TrainState, batch: Any, axis: str | None = None) -> tuple[TrainState, dict[str, Any]]:
        """One step, and what is logged of it."""


@dataclass(frozen=True)
class Run:
    """What every objective can use.

    Attributes:
      config: the whole configuration.
      model: the network, at the scale and precision of this objective.
      optimizer: its gradient transformation, with the factors that transfer asks for.
      degrade: (key, image (H, W, C)) -> degraded image; None where batches bring their own or nothing is degraded.
      side: clean images are cut to this many rows and columns; None keeps them.
      frozen: paths of normalisation statistics that do not move.
      factors: on each parameter's learning rate, a tree like the parameters, for those who make an optimiser of their own; None is 1.
    """

    config: Experiment
    model: nn.Module
    optimizer: optax.GradientTransformation
    degrade: Callable | None = None
    side: int | None = None
    frozen: frozenset[str] = frozenset()
    factors: Tree | None = None


def read_arguments(objective: Configured) -> tuple[Callable, dict[str, Any]]:
    """What builds the objective that a configuration names, and its arguments in the types it takes.

    Raises:
      InputError: an argument that it does not have, one that is missing, or a value of the wrong type.
    """
    name, given = objective.name, objective.arguments
    build = import_module(OBJECTIVES[name]).build
    known = {n: p for n, p in inspect.signature(build).parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}
    for argument in given:
        if argument not in known:
            raise InputError(unknown(f"argument of the objective {name}", argument, known))
    missing = [n for n, p in known.items() if p.default is inspect.Parameter.empty and n not in given]
    if missing:
        raise InputError(f"objective {name} needs {' and '.join(missing)}: set objective.arguments.{missing[0]}=...")
    return build, {n: typed(f"objective.arguments.{n}", known[n].annotation, value) for n, value in given.items()}


def build_objective(run: Run) -> Objective:
    """The objective that a configuration names.

    Raises:
      InputError: as `read_arguments`, or an argument that is out of its range.
    """
    build, arguments = read_arguments(run.config.objective)
    return build(run, **arguments)
