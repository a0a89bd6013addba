"""What a degradation leaves nothing of."""

import jax.numpy as jnp
import numpy as np

from jaxrestore.degradations.recipes import Recipe
from jaxrestore.errors import InputError
from jaxrestore.typing import Key


def recipe_mask(recipe: Recipe, key: Key, shape: tuple[int, ...]) -> np.ndarray:
    """Where a recipe, with this key, leaves nothing of an image of this shape (H, W, C).

    What comes out where content is erased does not depend on what went in: there, black and white images end alike.

    Returns:
      (H, W, 1) bool, True where content is missing.

    Raises:
      InputError: the recipe changes the size.
    """
    black, white = (np.asarray(recipe(key, jnp.full(shape, value))) for value in (0.0, 1.0))
    if black.shape != tuple(shape):
        raise InputError(f"recipe {recipe} changes the size of the image: a mask is made of recipes that keep it")
    return np.all(black == white, axis=-1, keepdims=True)
