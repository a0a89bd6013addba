"""Neighbor2Neighbor: restore a half-size image of a noisy one towards another, made of the neighbouring pixels."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import lax

from jaxrestore.losses.neighbor2neighbor import neighbor2neighbor
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.neighbor_pairs import neighbor_pair, random_pairs
from jaxrestore.training.objectives.run import Run
from jaxrestore.training.objectives.supervised import Batch, Supervised, common_fields
from jaxrestore.training.state import TrainState
from jaxrestore.typing import Tree

# Folded into the key of an image, so that the choice of pixels is independent of its degradation.
_OF_PAIRS = 0x2172


@dataclass(frozen=True)
class Neighbor2Neighbor(Supervised):
    """The squared error between two neighbouring sub-images, and a regulariser whose weight rises linearly with the steps.

    Attributes:
      weight: of the regulariser at the end.
      steps: of the run.

    Reference: Huang et al., "Neighbor2Neighbor: Self-Supervised Denoising from Single Noisy Images", CVPR 2021, section 4.
    """

    weight: float = 2.0
    steps: int = 1

    def part_loss(self, params: Tree, stats: Tree, state: TrainState, batch: Batch) -> tuple[jax.Array, Tree]:
        """The loss of a part of a batch, and the new statistics."""
        noisy, _ = self.inputs(state.key, batch)
        keys = jax.vmap(lambda index: jax.random.fold_in(jax.random.fold_in(state.key, index), _OF_PAIRS))(batch["index"])
        choices = jax.vmap(lambda key: random_pairs(key, noisy.shape[1:]))(keys)
        first, second = neighbor_pair(noisy, choices)
        (whole, _), _ = self.forward(lax.stop_gradient(params), stats, noisy, state.key, batch)
        (restored, _), new = self.forward(params, stats, first, state.key, batch)
        weight = self.weight * jnp.minimum((state.step + 1) / self.steps, 1.0)
        denoised = neighbor_pair(whole.astype(jnp.float32), choices)
        return jnp.mean(neighbor2neighbor(restored.astype(jnp.float32), second, denoised, weight)), new


def build(run: Run, *, weight: float = 2.0) -> Neighbor2Neighbor:
    """Noisy images by the recipe of the configuration; its loss is not used.

    Args:
      run: what every objective can use.
      weight: of the regulariser at the end of the run, >= 0: 2 for synthetic noise, 1 for a camera's.
    """
    check_range("objective.arguments.weight", weight, low=0)
    return Neighbor2Neighbor(**common_fields(run), weight=weight, steps=run.config.steps)
