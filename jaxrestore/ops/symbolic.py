"""Sizes that are not numbers yet.

A program for images of any size is traced with symbols for height and width (`jax.export`). They add, multiply and divide like numbers, but
a comparison of two of them may have no answer. What operations need beside arithmetic is here; for numbers it is what Python gives.
"""

import numpy as np
from jax import core

from jaxrestore.typing import Side


def is_symbolic(*sides: Side) -> bool:
    """Whether any of these sizes is not a number yet."""
    return not all(isinstance(side, int | np.integer) for side in sides)


def smaller(a: Side, b: Side) -> Side:
    """The smaller of two sizes."""
    return core.min_dim(a, b)


def larger(a: Side, b: Side) -> Side:
    """The larger of two sizes."""
    return core.max_dim(a, b)


def next_multiple(side: Side, multiple: int) -> Side:
    """The smallest multiple that is no smaller."""
    return -(-side // multiple) * multiple
