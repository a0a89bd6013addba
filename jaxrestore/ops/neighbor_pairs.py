"""Two half-size images of one noisy image, from neighbouring pixels: Neighbor2Neighbor's sub-sampler.

Every 2x2 cell gives one pixel to each image. They lie beside or above each other, so that what they show is nearly the same and their noise
is independent.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxrestore.errors import InputError
from jaxrestore.typing import Image, Key

PAIRS = np.array([[0, 1], [0, 2], [1, 3], [2, 3], [1, 0], [2, 0], [3, 1], [3, 2]])
"""Places (2 * row + column) in a cell that the first and the second image take: all ordered pairs of neighbours."""

Choices = Int[Array | np.ndarray, "... _ _"]
"""(..., H / 2, W / 2): for every cell a row of `PAIRS`."""


def random_pairs(key: Key, shape: tuple[int, ...]) -> Int[Array, "..."]:
    """Choose a pair of neighbours in every cell, all equally likely.

    Args:
      key: of `jax.random.key`.
      shape: (..., H, W, C) of the images.

    Returns:
      (..., H / 2, W / 2): rows of `PAIRS`, the same for all channels.

    Raises:
      InputError: H or W is odd.
    """
    height, width = shape[-3:-1]
    _check_even(height, width)
    return jax.random.randint(key, (*shape[:-3], height // 2, width // 2), 0, len(PAIRS))


@jax.jit
def neighbor_pair(image: Image, choices: Choices) -> tuple[Float[Array, "... _ _ _"], Float[Array, "... _ _ _"]]:
    """The two images that the chosen pairs make.

    Args:
      image: (..., H, W, C), H and W even.
      choices: (..., H / 2, W / 2), from `random_pairs`.

    Returns:
      Two images (..., H / 2, W / 2, C).

    Raises:
      InputError: H or W is odd, or the choices are not those of an image of this shape.

    Reference: Huang et al., "Neighbor2Neighbor: Self-Supervised Denoising from Single Noisy Images", CVPR 2021, section 4.1.
    """
    *batch, height, width, _ = image.shape
    _check_even(height, width)
    if choices.shape != (*batch, height // 2, width // 2):
        raise InputError(f"choices have the shape {choices.shape}, which an image of shape {image.shape} does not have: see random_pairs")
    image, places = jnp.asarray(image), jnp.asarray(PAIRS)[jnp.asarray(choices)][..., None, :]
    cell = [image[..., i::2, j::2, :] for i in (0, 1) for j in (0, 1)]
    first, second = (_pick(cell, places[..., i]) for i in (0, 1))
    return first, second


def _pick(cell: list[jax.Array], place: jax.Array) -> jax.Array:
    return jnp.where(place < 2, jnp.where(place == 0, cell[0], cell[1]), jnp.where(place == 2, cell[2], cell[3]))


def _check_even(height: int, width: int) -> None:
    if height % 2 or width % 2:
        raise InputError(f"image is {height}x{width}: both sides must be even to be cut into cells of 2x2; crop it first")
