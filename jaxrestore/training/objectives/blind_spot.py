"""A network that cannot see a pixel where it restores it, restored towards the noisy image itself."""

from dataclasses import dataclass

import jax

from jaxrestore.errors import InputError
from jaxrestore.training.objectives.run import Run
from jaxrestore.training.objectives.supervised import Batch, Supervised, common_fields
from jaxrestore.typing import Key


@dataclass(frozen=True)
class BlindSpot(Supervised):
    """Minimise the mean of `loss(model(noisy), noisy)`.

    Only for a network with a blind spot, such as `Neighbor2NeighborUNet(blind_spot=True)`: any other learns to copy its input.

    Reference: Laine, Karras, Lehtinen and Aila, "High-Quality Self-Supervised Deep Image Denoising", NeurIPS 2019, section 2; the mean
      alone, without the posterior of a noise model.
    """

    def inputs(self, key: Key, batch: Batch) -> tuple[jax.Array, jax.Array]:
        """The noisy images of a batch, twice."""
        noisy, _ = super().inputs(key, batch)
        return noisy, noisy


def build(run: Run) -> BlindSpot:
    """Noisy images by the recipe of the configuration, compared by its loss."""
    if not getattr(run.model, "blind_spot", False):
        name = type(run.model).__name__
        raise InputError(f"objective blind_spot needs a network with a blind spot: {name} would learn to copy its input")
    return BlindSpot(**common_fields(run))
