"""Masks in training: a network that fills holes gets, behind its image, the mask as one more channel.

A recipe such as "erase:count=3" says what is missing; in a training step image and mask travel as one array, and are parted where a network
that takes a mask is applied.
"""

from collections.abc import Callable
from dataclasses import dataclass

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.degradations.recipes import Recipe
from jaxrestore.models.inputs import side_inputs
from jaxrestore.typing import Image, Key


def takes_mask(model: nn.Module) -> bool:
    """Whether a network takes a mask beside its image."""
    return "mask" in side_inputs(model)


@dataclass(frozen=True)
class Masking:
    """A recipe that also says what it erased.

    Attributes:
      recipe: keeps the size of the image, and erases content: what comes out there does not depend on what went in.
    """

    recipe: Recipe

    @property
    def scale(self) -> float:
        """Factor on the size: 1."""
        return self.recipe.scale

    def __call__(self, key: Key, image: Image) -> jax.Array:
        """(H, W, C + 1): the degraded image, and 1 where content is missing, which is where black and white images end alike."""
        black, white = self.recipe(key, jnp.zeros_like(image)), self.recipe(key, jnp.ones_like(image))
        missing = jnp.all(black == white, axis=-1, keepdims=True)
        return jnp.concatenate([self.recipe(key, image), missing.astype(image.dtype)], -1)


def with_mask(model: nn.Module, recipe: Callable | None) -> Callable | None:
    """The recipe as the network needs it: with the mask, if it takes one."""
    return Masking(recipe) if takes_mask(model) and isinstance(recipe, Recipe) else recipe


def parted(model: nn.Module, image: jax.typing.ArrayLike | jax.ShapeDtypeStruct) -> tuple:
    """What a network is applied to: (image,), or (image, mask) of an array that holds both.

    Args:
      model: the network.
      image: what it takes, or (N, H, W, channels + 1) for a network that takes a mask; or its shape and type.
    """
    if not takes_mask(model) or image.shape[-1] != model.channels + 1:
        return (image,)
    if isinstance(image, jax.ShapeDtypeStruct):
        *rest, channels = image.shape
        return jax.ShapeDtypeStruct((*rest, channels - 1), image.dtype), jax.ShapeDtypeStruct((*rest, 1), jnp.bool_)
    return image[..., :-1], image[..., -1:] > 0
