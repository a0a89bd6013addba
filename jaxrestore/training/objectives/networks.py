"""Networks in a training step: running one as training does, and partners that learn beside the restorer."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from jaxrestore.errors import InputError
from jaxrestore.models.catalogue import create_model
from jaxrestore.nn.initialise import initialise
from jaxrestore.nn.remat import rematerialised
from jaxrestore.training.config import Experiment
from jaxrestore.training.masking import parted
from jaxrestore.training.optimizers import make_optimizer
from jaxrestore.typing import Key, Tree, Variables

_STREAMS = ("dropout", "noise")


def apply_training(
    model: nn.Module, variables: Variables, *inputs: jax.Array, key: Key | None = None, mutable: Sequence[str] = (), remat: int = 0
) -> tuple[Any, Tree]:
    """Run a network as training does: `train=True` where it knows the word, its statistics moving.

    Args:
      model: the network.
      variables: {"params": ..., "batch_stats": ... where it keeps statistics}.
      *inputs: of the network; a single one for a network that takes a mask holds both (`masking.parted`).
      key: of its dropout and noise. Under a mapped axis every device draws the same numbers from it.
      mutable: further collections that are wanted, such as "intermediates".
      remat: levels of blocks that are rematerialised, see `nn.remat`.

    Returns:
      The output and {collection: new values}.
    """
    inputs = parted(model, *inputs) if len(inputs) == 1 else inputs
    words = {"train": True} if "train" in inspect.signature(type(model).__call__).parameters else {}
    if key is not None:
        words["rngs"] = {name: jax.random.fold_in(key, i) for i, name in enumerate(_STREAMS)}
    collections = [*(["batch_stats"] if variables.get("batch_stats") else []), *mutable]
    with rematerialised(remat):
        if not collections:
            return model.apply(variables, *inputs, **words), {}
        return model.apply(variables, *inputs, **words, mutable=collections)


@dataclass(frozen=True)
class Partner:
    """A network that learns beside the restorer, with an optimiser of its own.

    Its state, for `TrainState.extra`, is {"params": ..., "batch_stats": ..., "optimizer": ...}.

    Attributes:
      model: the network.
      optimizer: its gradient transformation.
      remat: levels of its blocks that are rematerialised.
    """

    model: nn.Module
    optimizer: optax.GradientTransformation
    remat: int = 0

    def init(self, key: Key, *example: Any) -> dict[str, Any]:
        """The state before the first step; only the shapes of the example matter."""
        variables = initialise(self.model, key, *(parted(self.model, *example) if len(example) == 1 else example))
        state = {"params": variables["params"], "batch_stats": variables.get("batch_stats", {})}
        return {**state, "optimizer": self.optimizer.init(variables["params"])}

    def apply(self, params: Tree, stats: Tree, *inputs: jax.Array, key: Key | None = None) -> tuple[Any, Tree]:
        """(output, new statistics)."""
        variables = {"params": params, **({"batch_stats": stats} if stats else {})}
        output, new = apply_training(self.model, variables, *inputs, key=key, remat=self.remat)
        return output, new.get("batch_stats", stats)

    def update(self, state: dict[str, Any], gradient: Tree, stats: Tree) -> dict[str, Any]:
        """The state after one step of the optimiser."""
        updates, optimizer = self.optimizer.update(gradient, state["optimizer"], state["params"])
        return {"params": optax.apply_updates(state["params"], updates), "batch_stats": stats, "optimizer": optimizer}


def make_partner(config: Experiment, name: str, fields: dict[str, Any], rate: float | None = None) -> Partner:
    """A network of the catalogue that learns by the run's schedule and precision, from another highest rate if one is given."""
    own = config.optimizer
    if rate is not None:
        if not 0 < rate < float("inf"):
            raise InputError(f"objective.arguments.discriminator_rate = {rate}: must be greater than 0")
        own = replace(own, rate=rate, final_rate=own.final_rate * rate / own.rate)
    model = create_model(name, **fields)
    if config.precision == "bfloat16":
        model = model.clone(dtype=jnp.bfloat16)
    return Partner(model, make_optimizer(own, config.steps), config.remat)


def check_labels(config: Experiment, classes: int, field: str = "model.fields.classes") -> None:
    """A network with classes needs batches with labels.

    Raises:
      InputError: they bring none.
    """
    if classes and config.data.source != "classes":
        raise InputError(f"{field} = {classes}: these batches bring no labels; set data.source=classes, or {field}=0")


def check_whole_batch(config: Experiment) -> None:
    """Games see their batch whole.

    Raises:
      InputError: it is to be cut into parts.
    """
    if config.optimizer.accumulate != 1:
        raise InputError(f"optimizer.accumulate = {config.optimizer.accumulate}: the objective {config.objective.name} takes a batch whole")
