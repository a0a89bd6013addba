"""Where a run starts: from nothing, or from weights of another run, with some parameters frozen or slowed."""

import math
from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import flax.traverse_util
import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.nn.initialise import initialise
from jaxrestore.training.config import Experiment
from jaxrestore.typing import Tree, Variables
from jaxrestore.weights import load_weights
from jaxrestore.weights.transfer import path_matches, transfer


@dataclass(frozen=True)
class StartingPoint:
    """Initial variables and how each parameter may move.

    Attributes:
      variables: initial variables; None draws them from the network's initialisers (and on resumption, which brings its own).
      rates: factor on the learning rate of each parameter, by path; 0 is frozen. None: all 1.
      frozen_statistics: paths of normalisation statistics that stay as they are.
      report: which weights were taken, to be shown.
    """

    variables: Variables | None = None
    rates: dict[str, float] | None = None
    frozen_statistics: frozenset[str] = frozenset()
    report: str = ""

    @property
    def factors(self) -> Tree | None:
        """`rates` as a tree like the parameters."""
        return None if self.rates is None else flax.traverse_util.unflatten_dict(self.rates, sep="/")

    def to_meta(self) -> dict[str, Any]:
        """What a checkpoint keeps, so that resuming needs no other file."""
        return {"rates": self.rates, "frozen_statistics": sorted(self.frozen_statistics), "transfer": self.report}

    @classmethod
    def from_meta(cls, meta: dict[str, Any]) -> "StartingPoint":
        """The starting point of the run that a checkpoint belongs to, without the variables."""
        return cls(rates=meta["rates"], frozen_statistics=frozenset(meta["frozen_statistics"]), report=meta["transfer"])


def starting_point(config: Experiment, model: nn.Module) -> StartingPoint:
    """What `config.transfer` and `config.optimizer.rates` ask for.

    Raises:
      InputError: no weights at the source, none of them fits, or a pattern of `freeze` or `rates` matches nothing.
    """
    wish, factors = config.transfer, config.optimizer.rates
    if wish.source is None and not wish.freeze and not factors:
        return StartingPoint()
    image = jax.ShapeDtypeStruct((1, config.data.patch, config.data.patch, config.data.channels), np.float32)
    initial, _ = jax.random.split(jax.random.key(config.seed))
    variables = initialise(model, initial, image)
    taken: frozenset[str] = frozenset()
    report = ""
    if wish.source is not None:
        variables, transferred = transfer(variables, load_weights(wish.source).variables)
        taken = frozenset(transferred.taken)
        report = str(transferred)
        if not taken:
            raise InputError(f"transfer.source = {wish.source}: none of its weights fits {type(model).__name__}")
    paths = ["/".join(path) for path in flax.traverse_util.flatten_dict(variables)]
    for field, patterns in (("transfer.freeze", wish.freeze), ("optimizer.rates", factors)):
        for pattern in patterns:
            if any(path_matches(path.partition("/")[2], (pattern,)) for path in paths):
                continue
            raise InputError(f"{field}: {pattern!r} matches no parameter; they are named like {paths[0].partition('/')[2]!r}")
    rates, statistics = {}, set()
    for path in paths:
        collection, _, name = path.partition("/")
        frozen = path_matches(name, wish.freeze)
        if collection == "params":
            own = math.prod(factor for pattern, factor in factors.items() if path_matches(name, (pattern,)))
            rates[name] = 0.0 if frozen else own * (wish.rate if path in taken else 1.0)
        elif frozen:
            statistics.add(name)
    started = None if wish.source is None else jax.tree.map(jnp.asarray, variables)
    return StartingPoint(started, rates, frozenset(statistics), report)
