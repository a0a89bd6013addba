"""The perceptual and texture terms of a generator's loss, from a VGG whose weights the user has."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.losses.perceptual import perceptual, texture
from jaxrestore.losses.pixel import l1, mse
from jaxrestore.models.features.vgg import VGG
from jaxrestore.typing import Variables
from jaxrestore.weights import load_weights

DISTANCES = {"l1": l1, "mse": mse}


@dataclass(frozen=True)
class FeatureLoss:
    """Sum of layers' weighted distances, and of their weighted texture losses in squares of 16 pixels.

    Attributes:
      source: file of the network's weights, in torchvision's layout or converted.
      depth: 16 or 19.
      layers: (name, weight) of the layers whose features are compared.
      distance: "l1" (ESRGAN) or "mse" (SRGAN).
      textures: (name, weight) of the layers whose Gram matrices are compared (EnhanceNet).
      patch: side of the squares of the texture loss, in pixels of the image.
      channel_divisor: of a narrower VGG than the published one.
    """

    source: str
    depth: int = 19
    layers: tuple[tuple[str, float], ...] = (("conv5_4", 1.0),)
    distance: str = "l1"
    textures: tuple[tuple[str, float], ...] = ()
    patch: int = 16
    channel_divisor: int = 1

    def __post_init__(self) -> None:
        if self.distance not in DISTANCES:
            raise InputError(f"objective.arguments.distance = {self.distance!r}: choose one of {', '.join(DISTANCES)}")
        if not self.layers and not self.textures:
            raise InputError("objective.arguments.layers is empty: name a layer of the VGG with its weight, or give no features")
        for _, weight in (*self.layers, *self.textures):
            if not weight > 0:
                raise InputError(f"objective.arguments.layers: a weight is {weight}: it must be greater than 0")

    def variables(self) -> Variables:
        """The network's weights, from its file."""
        return jax.tree.map(jnp.asarray, dict(load_weights(self.source, self._network(("pool5",))).variables))

    def __call__(self, variables: Variables, restored: jax.Array, clean: jax.Array) -> jax.Array:
        """(N,): one value for each image; no gradient reaches the clean ones."""
        total = jnp.zeros(len(restored))
        if self.layers:
            names, weights = zip(*self.layers, strict=True)
            total += perceptual(self._features(variables, names), restored, clean, weights, DISTANCES[self.distance])
        for name, weight in self.textures:
            side = max(self.patch // 2 ** (int(name.partition("_")[0].lstrip("convrelup")) - 1), 1)
            total += weight * texture(self._features(variables, (name,)), restored, clean, side)
        return total

    def _features(self, variables: Variables, names: tuple[str, ...]) -> Any:
        return partial(self._network(names).apply, variables)

    def _network(self, names: tuple[str, ...]) -> VGG:
        return VGG(self.depth, names, self.channel_divisor)
