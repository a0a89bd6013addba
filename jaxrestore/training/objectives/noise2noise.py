"""Noise2Noise: restore a degraded image towards another degradation of the same one."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.training.objectives.run import Run
from jaxrestore.training.objectives.supervised import Batch, Supervised, as_float, common_fields
from jaxrestore.training.state import TrainState
from jaxrestore.typing import Image, Key, Tree

_LEAST = 1e-8


@dataclass(frozen=True)
class Noise2Noise(Supervised):
    """Minimise the mean of `loss(model(first), second)`, two independent degradations of each image.

    What minimises the squared error is the mean of all degraded images that could be the second: the clean image, where the noise has mean
    zero. The absolute error leads to the median (a minority of pixels may be anything), the annealed one to the most frequent value.

    Attributes:
      annealed_steps: None, or in how many steps the exponent of the error (|restored - second| + 1e-8)**exponent falls from 2 to 0, instead
        of `loss`.

    Reference: Lehtinen et al., "Noise2Noise: Learning Image Restoration without Clean Data", ICML 2018, sections 2 and 3.
    """

    annealed_steps: int | None = None

    def inputs(self, key: Key, batch: Batch) -> tuple[jax.Array, jax.Array]:
        """Two degradations of a batch."""
        clean = as_float(batch["image"][:, : self.side, : self.side])

        def twice(index: jax.Array, image: Image) -> tuple[jax.Array, jax.Array]:
            first, second = jax.random.split(jax.random.fold_in(key, index))
            return self.degrade(first, image), self.degrade(second, image)

        return jax.vmap(twice)(batch["index"], clean)

    def part_loss(self, params: Tree, stats: Tree, state: TrainState, batch: Batch) -> tuple[jax.Array, Tree]:
        """The loss of a part of a batch, and the new statistics."""
        if self.annealed_steps is None:
            return super().part_loss(params, stats, state, batch)
        first, second = self.inputs(state.key, batch)
        (restored, _), new = self.forward(params, stats, first, state.key, batch)
        exponent = 2.0 * jnp.maximum(1.0 - state.step / self.annealed_steps, 0.0)
        return jnp.mean((jnp.abs(restored.astype(jnp.float32) - second) + _LEAST) ** exponent), new


def build(run: Run, *, annealed: bool = False) -> Noise2Noise:
    """Two degradations by the recipe of the configuration.

    Args:
      run: what every objective can use.
      annealed: the error's exponent falls from 2 to 0 during the run, instead of `config.loss`; for noise that replaces pixels.
    """
    if run.degrade is None:
        raise InputError("objective noise2noise needs degradation, which it draws twice; pairs of noisy images train by supervised")
    return Noise2Noise(**common_fields(run), annealed_steps=run.config.steps if annealed else None)
