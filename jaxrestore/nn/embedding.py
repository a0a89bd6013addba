"""Vectors that stand for classes."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.initialise import Normal, parameter
from jaxrestore.typing import DType, Labels

unit_normal = Normal(1.0)


class Embedding(nn.Module):
    """A learnt vector for each class.

    Attributes:
      classes: how many.
      features: length of a vector.
      embedding_init: initialiser of the vectors.
      dtype: type of the result; None takes the parameters'.
      param_dtype: type of the parameters.

    Takes labels (...,) from 0 to classes - 1, gives (..., features).
    """

    classes: int
    features: int
    embedding_init: Callable = unit_normal
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, label: Labels) -> jax.Array:
        """Look up."""
        table = jnp.asarray(parameter(self, "embedding", self.embedding_init, (self.classes, self.features), self.param_dtype))
        return jnp.take(table if self.dtype is None else table.astype(self.dtype), label, axis=0, mode="clip")
