"""On-demand learning: one network for a task in levels of difficulty, which trains most on the levels where it does worst.

After each validation level i gets the share (1 / P_i) / sum_j (1 / P_j) of the images, where P_i is its mean PSNR in dB; before the first
all are equal. An epoch, as the paper calls what lies between two validations, is here `validation.every` steps.

Gao and Grauman, "On-Demand Learning for Deep Image Restoration", ICCV 2017, equation 1.
"""

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxrestore.degradations import recipes
from jaxrestore.degradations.on_demand import BANDS, allocate
from jaxrestore.errors import InputError
from jaxrestore.text import unknown
from jaxrestore.training.objectives import supervised
from jaxrestore.training.objectives.run import Run
from jaxrestore.training.objectives.supervised import Batch, Supervised, as_float
from jaxrestore.training.state import TrainState
from jaxrestore.typing import Key, Variables

_STRIDE = np.uint32(2654435769)  # 2^32 / the golden ratio: its multiples fill the circle of 32 bits evenly
_PARTS = 1_000_000
_LEAST_PSNR = 0.1


@dataclass(frozen=True)
class OnDemand(Supervised):
    """Supervised restoration whose degradation is drawn from levels.

    `TrainState.extra` holds "shares" (levels,), float32, of sum 1. Image k's level follows from the shares and from k alone: of any stretch
    of the stream each level gets its share, to within a few images.

    Attributes:
      levels: the degradations, from the easiest to the hardest.
      every: steps between two adaptations; validations at other steps adapt nothing.
    """

    levels: tuple[recipes.Recipe, ...] = ()
    every: int = 1000

    def init(self, key: Key, batch: Batch, variables: Variables | None = None) -> TrainState:
        """The state before the first step, all shares equal."""
        state = super().init(key, batch, variables)
        return state.replace(extra={"shares": jnp.full(len(self.levels), 1.0 / len(self.levels))})

    def inputs(self, key: Key, batch: Batch) -> tuple[jax.Array, jax.Array]:
        """(degraded, clean) of a batch, each image by its "level" (the easiest where a batch says none)."""
        clean = as_float(batch["image"])
        levels = batch.get("level", jnp.zeros(clean.shape[0], jnp.int32))
        keys = jax.vmap(lambda index: jax.random.fold_in(key, index))(batch["index"])
        return jax.vmap(lambda level, key, image: lax.switch(level, self.levels, key, image))(levels, keys, clean), clean

    def step(self, state: TrainState, batch: Batch, axis: str | None = None) -> tuple[TrainState, dict[str, jax.Array]]:
        """One step of the optimiser on the levels that are due."""
        return super().step(state, {**batch, "level": self.level_of(state.extra["shares"], batch["index"])}, axis)

    def level_of(self, shares: jax.Array, index: jax.Array) -> jax.Array:
        """(N,) int32: the levels of the images at these places (N,) of the stream."""
        place = (index.astype(jnp.uint32) * _STRIDE).astype(jnp.float32) / 2.0**32
        level = jnp.searchsorted(jnp.cumsum(shares), place, side="right")
        return jnp.minimum(level, len(self.levels) - 1).astype(jnp.int32)

    def validated(self, state: TrainState, clean: np.ndarray) -> tuple[TrainState, dict[str, float]]:
        """The shares of the next epoch, from each level's PSNR on the validation images (N, H, W, C), degraded alike each time."""
        if int(state.step) % self.every:
            return state, {}
        psnr = np.maximum(np.asarray(self._psnr(state.variables(), clean), np.float64), _LEAST_PSNR)
        shares = np.asarray(allocate(psnr.tolist(), _PARTS), np.float64) / _PARTS
        values = {f"psnr_of_level_{i}": float(value) for i, value in enumerate(psnr)}
        values |= {f"share_of_level_{i}": float(value) for i, value in enumerate(shares)}
        return state.replace(extra={**state.extra, "shares": jnp.asarray(shares, jnp.float32)}), values

    @cached_property
    def _psnr(self) -> Any:
        @jax.jit
        def of_levels(variables: Variables, clean: jax.Array) -> jax.Array:
            keys = jax.random.split(jax.random.key(0), len(clean))
            values = []
            for degrade in self.levels:
                restored = jnp.clip(self.model.apply(variables, jax.vmap(degrade)(keys, clean)), 0.0, 1.0)
                error = jnp.mean(jnp.square(restored.astype(jnp.float32) - clean), (1, 2, 3))
                values.append(jnp.mean(-10.0 * jnp.log10(jnp.maximum(error, 1e-10))))
            return jnp.stack(values)

        return of_levels


def build(run: Run, *, levels: str = "denoising") -> OnDemand:
    """Levels of a task.

    Args:
      run: what every objective can use; `degradation` is what the run is validated on.
      levels: a task of `degradations.on_demand.BANDS`, or recipes joined by "|".
    """
    texts = tuple(text.strip() for text in levels.split("|")) if "|" in levels else BANDS.get(levels, ())
    if not texts:
        raise InputError(unknown("objective.arguments.levels", levels, BANDS))
    if run.config.validation.path is None:
        raise InputError("validation.path is missing: the objective on_demand learns from validation how well each level does")
    if run.side is not None:
        raise InputError("scales: the objective on_demand has levels of one scale")
    parsed = tuple(recipes.parse(text) for text in texts)
    resized = [str(recipe) for recipe in parsed if recipe.scale != 1]
    if resized:
        raise InputError(f"objective.arguments.levels: {resized[0]} changes the size of the image")
    plain = supervised.build(run)
    fields = {field.name: getattr(plain, field.name) for field in dataclasses.fields(Supervised)}
    return OnDemand(**{**fields, "degrade": parsed[0]}, levels=parsed, every=run.config.validation.every)
