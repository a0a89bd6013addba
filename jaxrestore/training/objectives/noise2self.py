"""Noise2Self: a grid of pixels of a noisy image is hidden, another one at every step, and learned."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from jaxrestore.ops.blind_spots import grid_spots, hide, restore_hidden
from jaxrestore.ops.checks import check_range
from jaxrestore.training.objectives.hidden_pixels import HiddenPixels
from jaxrestore.training.objectives.run import Run
from jaxrestore.training.objectives.supervised import common_fields
from jaxrestore.typing import Image, Key, Variables


@dataclass(frozen=True)
class Noise2Self(HiddenPixels):
    """Every `width`-th pixel of every `width`-th row is hidden, in all channels.

    Attributes:
      width: distance between hidden pixels.
      interpolate: put the mean of the pixels around in their place; otherwise zero.
      invariant: validation restores every pixel from the others alone, by width**2 passes; otherwise in one pass that sees all.

    Reference: Batson and Royer, "Noise2Self: Blind Denoising by Self-Supervision", ICML 2019, sections 3 and 4.
    """

    width: int = 4
    interpolate: bool = True
    invariant: bool = False

    def hidden(self, key: Key, step: jax.Array, image: Image) -> tuple[jax.Array, jax.Array]:
        """One image without its hidden pixels, and which these are."""
        spots = grid_spots(image.shape[:2], self.width, step % self.width**2)
        return hide(image, spots, self.interpolate), jnp.broadcast_to(spots, image.shape)

    def restore(self, variables: Variables, degraded: Image) -> jax.Array:
        """How validation restores."""
        apply = lambda image: self.model.apply(variables, image)  # noqa: E731
        return restore_hidden(apply, degraded, self.width, self.interpolate) if self.invariant else apply(jnp.asarray(degraded))


def build(run: Run, *, width: int = 4, interpolate: bool = True, invariant: bool = False) -> Noise2Self:
    """Noisy images by the recipe of the configuration, compared by its loss.

    Args:
      run: what every objective can use.
      width: distance between hidden pixels, at least 2.
      interpolate: put the mean of the pixels around in their place; otherwise zero.
      invariant: validation restores every pixel from the others alone, by width**2 passes.
    """
    check_range("objective.arguments.width", width, low=2)
    return Noise2Self(**common_fields(run), width=width, interpolate=interpolate, invariant=invariant)
