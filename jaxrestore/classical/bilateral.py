"""The bilateral filter: an average over near pixels of near values."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.classical.images import in_float
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.padding import pad
from jaxrestore.typing import Image

_LEVELS = 255.0
# What gives the best PSNR on photographs, in units of the noise's standard deviation.
_COLOR = 2.75


def bilateral(
    image: Image,
    *,
    sigma: float | int = 25.0,
    sigma_color: float | int | None = None,
    sigma_spatial: float | int = 1.5,
    size: int | None = None,
    padding: str = "symmetric",
) -> Image:
    """Average each pixel with its neighbours, weighted by a Gaussian of their distance and a Gaussian of their difference in colour.

    Args:
      image: (..., H, W, C); the difference of two pixels is the Euclidean one over all channels.
      sigma: noise level in grey levels, > 0; decides `sigma_color` where it is not given.
      sigma_color: standard deviation of the Gaussian of the difference, in grey levels, > 0; None is 2.75 sigma.
      sigma_spatial: standard deviation of the Gaussian of the distance in pixels, > 0.
      size: side of the window, odd; None is three standard deviations to each side.
      padding: how the image goes on outside; see `ops.padding.pad`.

    Raises:
      InputError: a value outside its range, or an unknown padding.

    Reference: Tomasi and Manduchi, "Bilateral Filtering for Gray and Color Images", ICCV 1998, equations 5 to 8.
    """
    check_range("sigma", sigma, low=0.0, open_low=True)
    sigma_color = _COLOR * sigma if sigma_color is None else sigma_color
    check_range("sigma_color", sigma_color, low=0.0, open_low=True)
    check_range("sigma_spatial", sigma_spatial, low=0.0, open_low=True)
    size = 2 * math.ceil(3 * sigma_spatial) + 1 if size is None else size
    if size < 1 or size % 2 == 0:
        raise InputError(f"size is {size}: a window's side must be odd and at least 1")
    return _bilateral(in_float(image), sigma_color, sigma_spatial, size, padding).astype(image.dtype)


@partial(jax.jit, static_argnames=("size", "padding"))
def _bilateral(image: jax.Array, sigma_color: jax.Array, sigma_spatial: jax.Array, size: int, padding: str) -> jax.Array:
    *batch, height, width, channels = image.shape
    reach = size // 2
    padded = pad(image, (reach, reach), (reach, reach), padding)
    color = -0.5 / jnp.square(jnp.asarray(sigma_color, image.dtype) / _LEVELS)
    space = -0.5 / jnp.square(jnp.asarray(sigma_spatial, image.dtype))
    places = jnp.asarray(np.stack(np.meshgrid(np.arange(size), np.arange(size), indexing="ij"), -1).reshape(-1, 2))

    # A loop over the window's places: its images stay in the cache, and the compiler's time does not grow with the window.
    def add(place: jax.Array, sums: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        row, column = places[place]
        start = (*(0 for _ in batch), row, column, 0)
        other = jax.lax.dynamic_slice(padded, start, (*batch, height, width, channels))
        distance = ((row - reach) ** 2 + (column - reach) ** 2).astype(image.dtype)
        difference = jnp.sum(jnp.square(other - image), axis=-1, keepdims=True)
        weight = jnp.exp(space * distance + color * difference)
        return sums[0] + weight * other, sums[1] + weight

    total, weights = jax.lax.fori_loop(0, size * size, add, (jnp.zeros_like(image), jnp.zeros_like(image[..., :1])))
    return total / weights
