"""Dropout that is on where it is given random numbers."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.typing import Image


class Dropout(nn.Module):
    """Values set to zero at random, the others enlarged so that the mean stays (Srivastava et al. 2014).

    Attributes:
      rate: share of the values that become zero, in [0, 1).

    Takes and gives arrays of any shape. Random with `rngs={"dropout": key}`, in training and outside of it (pix2pix keeps its dropout when
    it is used: it is the only noise that it has); without them it changes nothing.
    """

    rate: float = 0.5

    @nn.compact
    def __call__(self, x: Image) -> jax.Array:
        """Drop."""
        if not self.rate or not self.has_rng("dropout"):
            return jnp.asarray(x)
        keep = jax.random.bernoulli(self.make_rng("dropout"), 1.0 - self.rate, x.shape)
        return jnp.where(keep, x / (1.0 - self.rate), 0.0).astype(x.dtype)
