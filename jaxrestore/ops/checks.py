"""Checks of numbers and images, made on concrete values before anything is traced.

A value that is being traced has no number yet and passes; shapes and types are always known and always checked.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.typing import ArrayLike

Numbers = float | int | Float[Array | np.ndarray, "..."]
"""A number or an array of them."""


def check_range(name: str, value: Numbers, low: float | int | None = None, high: float | int | None = None, open_low: bool = False) -> None:
    """Every number of `value` is finite and in [low, high], or in (low, high] with `open_low`.

    Args:
      name: what the caller calls the argument.
      value: a number or an array of them.
      low: least allowed value; None for no bound.
      high: greatest allowed value; None for no bound.
      open_low: `low` itself is not allowed.

    Raises:
      InputError: names the argument, the first offending value and the allowed range.
    """
    if not is_concrete(value):
        return
    numbers = np.asarray(value, np.float64).ravel()
    good = np.isfinite(numbers)
    if low is not None:
        good &= (numbers > low) if open_low else (numbers >= low)
    if high is not None:
        good &= numbers <= high
    if not good.all():
        raise InputError(f"{name} is {numbers[~good][0]:g}: it must be {range_text(low, high, open_low)}")


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
    with jax.ensure_compile_time_eval():  # the image may be a constant inside something that is being traced
        least, greatest = (float(x) for x in _extremes(jnp.asarray(image)))
    if not (np.isfinite(least) and np.isfinite(greatest)):
        raise InputError("image has values that are NaN or infinite: it must be finite")
    if (low is not None and least < low) or (high is not None and greatest > high):
        raise InputError(f"image has values from {least:g} to {greatest:g}: they must be {range_text(low, high)}; clip it first")


@jax.jit
def _extremes(image: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jnp.min(image), jnp.max(image)  # both are NaN where any value is


def is_concrete(value: ArrayLike) -> bool:
    """Whether the value can be looked at: it is not being traced, and all of it lies on this host."""
    return not isinstance(value, jax.core.Tracer) and getattr(value, "is_fully_addressable", True)


def range_text(low: float | int | None, high: float | int | None, open_low: bool = False) -> str:
    """An allowed range in words: "in 0..1", "greater than 0 and finite"."""
    if low is not None and high is not None and not open_low:
        return f"in {low:g}..{high:g}"
    bounds = [] if low is None else [f"greater than {low:g}" if open_low else f"at least {low:g}"]
    bounds += ["finite"] if high is None else [f"at most {high:g}"]
    return " and ".join(bounds)
