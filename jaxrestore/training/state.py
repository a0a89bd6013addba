"""Everything that a training step changes."""

from typing import Any

import flax.struct
import jax
import jax.numpy as jnp

from jaxrestore.typing import Tree, Variables


@flax.struct.dataclass
class TrainState:
    """A pytree; `step` maps it to the next one. Its leaves may be arrays, or shapes and shardings that stand for them.

    Attributes:
      step: optimiser steps taken, int32 scalar.
      params: the network's parameters.
      batch_stats: running statistics of its normalisation layers, {} where it has none.
      optimizer: state of the optimiser.
      ema: exponential moving average of the parameters, or None.
      key: random key from which every degradation's key is folded; never changes.
      extra: whatever else an objective carries from step to step (partners' parameters and optimisers, pools of images), a nested
        dictionary of arrays; {} for most.
    """

    step: Any
    params: Tree
    batch_stats: Tree
    optimizer: Any
    ema: Tree | None
    key: Any
    extra: Tree = flax.struct.field(default_factory=dict)

    def variables(self, average: bool = True) -> Variables:
        """What `model.apply` takes: with the averaged parameters where there are any, unless told otherwise."""
        params = self.ema if average and self.ema is not None else self.params
        return {"params": params, **({"batch_stats": self.batch_stats} if self.batch_stats else {})}


def to_storable(state: TrainState) -> dict[str, Any]:
    """As a dictionary of plain arrays: keys become their data."""
    fields = {name: getattr(state, name) for name in ("step", "params", "batch_stats", "optimizer", "ema")}
    extra = {"extra": state.extra} if state.extra else {}
    return {**fields, "key": jax.random.key_data(state.key), **extra}


def from_storable(stored: dict[str, Any]) -> TrainState:
    """The inverse of `to_storable`."""
    return TrainState(**{**stored, "key": jax.random.wrap_key_data(jnp.asarray(stored["key"]))})
