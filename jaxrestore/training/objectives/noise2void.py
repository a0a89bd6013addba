"""Noise2Void: a few random pixels of a noisy image are replaced by their neighbours, and learned."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from jaxrestore.ops.blind_spots import random_neighbors, stratified_spots
from jaxrestore.ops.checks import check_range
from jaxrestore.training.objectives.hidden_pixels import HiddenPixels
from jaxrestore.training.objectives.run import Run
from jaxrestore.training.objectives.supervised import common_fields
from jaxrestore.typing import Image, Key


@dataclass(frozen=True)
class Noise2Void(HiddenPixels):
    """One pixel of every box is hidden by the value of one that is near, in every channel for itself.

    Attributes:
      share: of the pixels that are hidden.
      radius: how many rows and columns away the replacing pixel may be.
      centre: whether it may be the hidden pixel itself.

    Reference: Krull, Buchholz and Jug, "Noise2Void: Learning Denoising from Single Noisy Images", CVPR 2019, section 3.4.
    """

    share: float = 0.00198
    radius: int = 5
    centre: bool = True

    def hidden(self, key: Key, step: jax.Array, image: Image) -> tuple[jax.Array, jax.Array]:
        """One image without its hidden pixels, and which these are."""
        of_spots, of_neighbors = jax.random.split(key)
        spots = stratified_spots(of_spots, image.shape, self.share)
        return jnp.where(spots, random_neighbors(of_neighbors, image, self.radius, self.centre), image), spots


def build(run: Run, *, share: float = 0.00198, radius: int = 5, centre: bool = True) -> Noise2Void:
    """Noisy images by the recipe of the configuration, compared by its loss.

    Args:
      run: what every objective can use.
      share: of the pixels that are hidden, in (0, 1]; the authors' code has 0.00198 and, as its newer default, 0.015.
      radius: how far the replacing pixel may be, at least 1.
      centre: whether it may be the hidden pixel itself.
    """
    check_range("objective.arguments.share", share, low=0, high=1, open_low=True)
    check_range("objective.arguments.radius", radius, low=1)
    return Noise2Void(**common_fields(run), share=share, radius=radius, centre=centre)
