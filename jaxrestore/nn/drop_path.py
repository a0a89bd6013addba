"""Stochastic depth: in training a residual branch is left out for some of the images."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError


class DropPath(nn.Module):
    """A branch that is zero for each image with a probability, and scaled so that its mean stays.

    Attributes:
      rate: probability of leaving the branch out, 0 <= rate < 1.

    Takes and gives (N, ...). It changes nothing unless `train` is set and the random stream "dropout" is given.

    Raises:
      InputError: a rate outside [0, 1).

    Reference: Huang, Sun, Liu, Sedra and Weinberger, "Deep Networks with Stochastic Depth", ECCV 2016, equation 2.
    """

    rate: float = 0.0

    @nn.compact
    def __call__(self, branch: jax.Array, train: bool = False) -> jax.Array:
        """Leave out or scale."""
        if not 0.0 <= self.rate < 1.0:
            raise InputError(f"rate of leaving out a branch is {self.rate}: it must be at least 0 and less than 1")
        if not train or self.rate == 0.0 or not self.has_rng("dropout"):
            return branch
        shape = (branch.shape[0],) + (1,) * (branch.ndim - 1)
        kept = jax.random.bernoulli(self.make_rng("dropout"), 1.0 - self.rate, shape)
        return jnp.where(kept, branch / (1.0 - self.rate), jnp.zeros((), branch.dtype))
