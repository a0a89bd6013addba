"""Checks of a degradation's arguments, made on concrete values before anything is traced.

A value that is being traced has no number yet and passes; shapes and types are always known and always checked.
"""

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.degradations.arguments import Count, Interval
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range, is_concrete, range_text
from jaxrestore.typing import ArrayLike


def check_interval(
    name: str, value: Interval, low: float | int | None = None, high: float | int | None = None, open_low: bool = False
) -> tuple[float, float]:
    """Check a number or (low, high) as `check_range` does, and give it as (low, high).

    Raises:
      InputError: an end is out of the range, or the ends are in the wrong order.
    """
    first, last = value if isinstance(value, tuple) else (value, value)
    for end in (first, last):
        check_range(name, end, low, high, open_low)
    if first > last:
        raise InputError(f"{name} is {first:g}..{last:g}: its lower end comes first")
    return float(first), float(last)


def check_count(name: str, value: Count, low: int = 0) -> tuple[int, int]:
    """Check a whole number or (low, high) of them, and give it as (low, high).

    Raises:
      InputError: an end is below `low`, or the ends are in the wrong order.
    """
    first, last = check_interval(name, value, low)
    return int(first), int(last)


def check_image(image: ArrayLike, low: float | int | None = None, high: float | int | None = None) -> None:
    """The image is (..., H, W, C), floating point, finite and, where bounds are given, in [low, high].

    Raises:
      InputError: it is not.
    """
    if jnp.ndim(image) < 3:
        raise InputError(f"image has the shape {jnp.shape(image)}: it must be (..., height, width, channels)")
    dtype = jnp.result_type(image)
    if not jnp.issubdtype(dtype, jnp.floating):
        raise InputError(f"image is {dtype}: it must be floating point in [0, 1]; divide 8-bit values by 255")
    if not is_concrete(image) or not jnp.size(image):
        return
    least, greatest = (float(x) for x in _extremes(jnp.asarray(image)))
    if not (np.isfinite(least) and np.isfinite(greatest)):
        raise InputError("image has values that are NaN or infinite: it must be finite")
    if (low is not None and least < low) or (high is not None and greatest > high):
        raise InputError(f"image has values from {least:g} to {greatest:g}: they must be {range_text(low, high)}; clip it first")


@jax.jit
def _extremes(image: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jnp.min(image), jnp.max(image)  # both are NaN where any value is
