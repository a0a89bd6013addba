"""What a network takes: an image, and beside it what its `__call__` names."""

import inspect
from collections.abc import Mapping

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.typing import DType

SIDE_INPUTS: Mapping[str, DType] = {"noise_level": jnp.float32, "mask": jnp.bool_}
"""Maps (N, H, W, 1) that a network may take beside an image: the noise's standard deviation, and where content is missing."""

_SIDE = 32


def example_inputs(model: nn.Module, side: int | None = None) -> tuple[jax.ShapeDtypeStruct, ...]:
    """Shapes of arguments that a network can be applied to, one of each: its own property `example_inputs`, or an image.

    Args:
      model: the network. A field `image_size` says which size it needs, where it needs one.
      side: of the image, in pixels; None for a small one. It means nothing to a network with `example_inputs` of its own.
    """
    own = getattr(model, "example_inputs", None)
    if own is not None:
        return own
    side = getattr(model, "image_size", side or _SIDE)
    return (jax.ShapeDtypeStruct((1, side, side, getattr(model, "channels", 3)), jnp.float32),)


def takes_an_image(model: nn.Module) -> bool:
    """Whether a network can be applied to an image; not, for instance, one that takes a latent vector or a video."""
    return getattr(model, "example_inputs", None) is None


def side_inputs(model: nn.Module) -> tuple[str, ...]:
    """Those of `SIDE_INPUTS` that a network takes; one that is blind takes no noise level, one that enlarges no mask."""
    known = inspect.signature(type(model).__call__).parameters
    without = {"noise_level": getattr(model, "blind", False), "mask": getattr(model, "scale", 1) != 1}
    return tuple(name for name in SIDE_INPUTS if name in known and not without[name])
