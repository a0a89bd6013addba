"""Learning a noisy image's hidden pixels from the others: what Noise2Void and Noise2Self share."""

from abc import abstractmethod
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from jaxrestore.training.objectives.supervised import Batch, Supervised
from jaxrestore.training.state import TrainState
from jaxrestore.typing import Image, Key, Tree

# Folded into the key of an image, so that what is hidden is independent of its degradation.
_OF_SPOTS = 0x5107


@dataclass(frozen=True)
class HiddenPixels(Supervised):
    """Minimise `loss(model(noisy image without some pixels), noisy image)` on those pixels alone.

    The loss of an image counts what is not hidden as restored exactly, and is divided by the share that is hidden: for a loss that is a
    mean over pixels, its mean over the hidden ones.
    """

    @abstractmethod
    def hidden(self, key: Key, step: jax.Array, image: Image) -> tuple[jax.Array, jax.Array]:
        """One image (H, W, C) without its hidden pixels, and which these are (H, W, C)."""

    def part_loss(self, params: Tree, stats: Tree, state: TrainState, batch: Batch) -> tuple[jax.Array, Tree]:
        """The loss of a part of a batch, and the new statistics."""
        noisy, _ = self.inputs(state.key, batch)
        keys = jax.vmap(lambda index: jax.random.fold_in(jax.random.fold_in(state.key, index), _OF_SPOTS))(batch["index"])
        seen, spots = jax.vmap(self.hidden, (0, None, 0))(keys, state.step, noisy)
        (restored, _), new = self.forward(params, stats, seen, state.key, batch)
        loss = self.loss(jnp.where(spots, restored.astype(jnp.float32), noisy), noisy)
        share = jnp.mean(spots, (1, 2, 3))
        return jnp.mean(jnp.where(share > 0, loss / jnp.maximum(share, 1e-9), 0.0)), new
