"""What is exported: a network, its weights and what a user of the file must know, as one function of arrays."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import flax.linen as nn
import flax.traverse_util
import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.export.int8 import Ranges, in_int8
from jaxrestore.export.int8_weights import quantised, restored
from jaxrestore.inference.classical import ClassicalMethod
from jaxrestore.inference.filler import Filler
from jaxrestore.inference.restorer import Restorer
from jaxrestore.inference.super_resolution import Enlarger
from jaxrestore.models.inputs import SIDE_INPUTS
from jaxrestore.typing import Side, Variables

_LEVELS = 255.0


@dataclass(frozen=True)
class Exportable:
    """A network with its weights, ready to be written to a file.

    Attributes:
      name: what it is called.
      model: the network.
      variables: its variables.
      maps: names of what it takes beside the image, in the order of the program's inputs.
      channels: of the image.
      scale: enlargement.
      before: by how much a user must enlarge images, by bicubic interpolation, before the network sees them.
      sigma: noise level in grey levels that is fixed in the program, or None.
      int8_weights: whether kernels are stored in eight bits.
      ranges: what goes through the convolutions that compute in eight bits; None where none does.
    """

    name: str
    model: nn.Module
    variables: Variables
    maps: tuple[str, ...]
    channels: int
    scale: int
    before: int = 1
    sigma: float | int | None = None
    int8_weights: bool = False
    ranges: Mapping[str, Ranges] | None = None

    @cached_property
    def weights(self) -> dict[str, np.ndarray]:
        """The variables by their paths, such as "params/head/kernel", sorted."""
        flat = flax.traverse_util.flatten_dict(dict(self.variables), sep="/")
        weights = {name: np.asarray(flat[name]) for name in sorted(flat)}
        if self.ranges is not None and not self.int8_weights:
            return quantised(weights, {f"params/{path}/kernel" for path in self.ranges})
        return quantised(weights) if self.int8_weights else weights

    def function(self) -> Callable[[tuple[jax.Array, ...], tuple[jax.Array, ...]], jax.Array]:
        """The network as a function of (weights in their order, (image, *maps))."""
        names = tuple(self.weights)

        def run(weights: tuple[jax.Array, ...], inputs: tuple[jax.Array, ...]) -> jax.Array:
            flat = dict(zip(names, weights, strict=True))
            variables = flax.traverse_util.unflatten_dict(restored(flat), sep="/")
            image, *maps = inputs
            given = dict(zip(self.maps, maps, strict=True))
            if self.sigma is not None:
                given["noise_level"] = jnp.full((*image.shape[:3], 1), self.sigma / _LEVELS, image.dtype)
            with nullcontext() if self.ranges is None else in_int8(self.ranges, flat):
                return self.model.apply(variables, image, **given)

        return run

    def inputs(self, batch: Side, height: Side, width: Side) -> tuple[jax.ShapeDtypeStruct, ...]:
        """Shapes and types of the image and the maps."""
        image = jax.ShapeDtypeStruct((batch, height, width, self.channels), jnp.float32)
        return image, *(jax.ShapeDtypeStruct((batch, height, width, 1), SIDE_INPUTS[name]) for name in self.maps)

    def about(self) -> dict[str, Any]:
        """What a file says of the network, in JSON's types."""
        inputs: list[Mapping[str, Any]] = [{"name": "image", "dtype": "float32", "shape": ["n", "h", "w", self.channels]}]
        inputs += [{"name": name, "dtype": jnp.dtype(SIDE_INPUTS[name]).name, "shape": ["n", "h", "w", 1]} for name in self.maps]
        return {
            "name": self.name,
            "class": type(self.model).__name__,
            "channels": self.channels,
            "layout": "NHWC",
            "range": [0.0, 1.0],
            "scale": self.scale,
            "enlarge_before": self.before,
            "multiple": getattr(self.model, "multiple", 1),
            "sigma": self.sigma,
            "int8_weights": self.int8_weights,
            "int8": self.ranges is not None,
            "inputs": inputs,
        }


def exportable(restorer: Restorer, sigma: float | int | None = None) -> Exportable:
    """What of a restorer can be exported.

    Args:
      restorer: with a network as its engine.
      sigma: noise level in grey levels that shall be fixed, for a network that takes one.

    Raises:
      InputError: a classical method, or a noise level for a network that takes none.
    """
    engine, before = restorer.engine, 1
    if isinstance(engine, ClassicalMethod):
        raise InputError(f"{restorer.name} is a classical method: only networks can be exported")
    if isinstance(engine, Enlarger):
        engine, before = engine.network, engine.before
    maps = ("mask",) if isinstance(engine, Filler) and engine.needs else () if isinstance(engine, Filler) else engine.needs
    maps = tuple("noise_level" if name == "sigma" else name for name in maps)
    if sigma is not None:
        if "noise_level" not in maps:
            raise InputError(f"{restorer.name} takes no noise level: leave sigma out")
        maps = tuple(name for name in maps if name != "noise_level")
    return Exportable(restorer.name, engine.model, engine.variables, maps, engine.channels, engine.scale, before, sigma)
