"""Activations by name, so that a network's activation can be a plain field."""

from collections.abc import Callable
from functools import partial

import flax.linen as nn

from jaxrestore.errors import InputError

_ACTIVATIONS: dict[str, Callable] = {
    "gelu": partial(nn.gelu, approximate=False),
    "leaky_relu": nn.leaky_relu,
    "relu": nn.relu,
    "sigmoid": nn.sigmoid,
    "silu": nn.silu,
    "tanh": nn.tanh,
}

ACTIVATIONS = tuple(_ACTIVATIONS)
"""The names that `activation` knows."""


def activation(name: str, slope: float = 0.01) -> Callable:
    """The function of an activation's name.

    Args:
      name: one of `ACTIVATIONS`; "gelu" is the exact one, with the error function.
      slope: of "leaky_relu" below zero (0.01 is the usual default; others do not have one).

    Raises:
      InputError: unknown name.
    """
    if name not in _ACTIVATIONS:
        raise InputError(f"activation is {name!r}: it must be one of {', '.join(ACTIVATIONS)}")
    return partial(nn.leaky_relu, negative_slope=slope) if name == "leaky_relu" else _ACTIVATIONS[name]
