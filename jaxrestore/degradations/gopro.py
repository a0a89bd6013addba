"""The noisy GoPro images of the image-restoration experiments by Saraf and Morparia: four levels in fixed numbers."""

from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.degradations.batches import each_image
from jaxrestore.degradations.noise import gaussian
from jaxrestore.errors import InputError
from jaxrestore.typing import Image, Key

Split = Annotated[str, "train", "test"]

SIGMAS = (10.0, 30.0, 50.0, 70.0)
"""Standard deviations of the noise in grey levels."""

COUNTS: dict[str, tuple[int, ...]] = {"train": (1102, 1000, 1102, 1000), "test": (611, 500, 611, 500)}
"""How many images of a split have each of the levels."""

# Coprime to 4204 and to 2222, and near to the golden section of neither split's levels: neighbours get different levels.
_STRIDE = 1601


def gopro_noise(key: Key, image: Image, split: Split = "train") -> Image:
    """Additive white Gaussian noise of one of the four levels, drawn for each image with the proportions of the data set.

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1].
      split: "train" draws 10, 30, 50 or 70 with 1102 : 1000 : 1102 : 1000, "test" with 611 : 500 : 611 : 500.

    Returns:
      (..., H, W, C), not clipped.

    Raises:
      InputError: there is no such split.
    """
    _check(split)
    return each_image(_gopro_noise, key, image, split=split)


def gopro_sigma(index: int, split: Split = "train") -> float:
    """The level of one image of the data set, so that every level has exactly its number of images.

    Args:
      index: of the image, from 0 to the split's number of images, 4204 or 2222.
      split: "train" or "test".

    Returns:
      Standard deviation in grey levels. Which image had which level was not published; neighbours in the list get different ones here.

    Raises:
      InputError: there is no such split, or no such image in it.
    """
    _check(split)
    total = sum(COUNTS[split])
    if not 0 <= index < total:
        raise InputError(f"index is {index}: the {split} split has the images 0..{total - 1}")
    place = index * _STRIDE % total
    return SIGMAS[int(np.searchsorted(np.cumsum(COUNTS[split]), place, side="right"))]


def _check(split: str) -> None:
    if split not in COUNTS:
        raise InputError(f"split is {split!r}: it must be {' or '.join(COUNTS)}")


def _gopro_noise(key: Key, image: jax.Array, split: str) -> jax.Array:
    level_key, noise_key = jax.random.split(key)
    sigma = jax.random.choice(level_key, jnp.asarray(SIGMAS), p=jnp.asarray(COUNTS[split]) / sum(COUNTS[split]))
    return gaussian(noise_key, image, sigma)
