"""Degradations made of degradations. Every part gets a key of its own, so adding a part changes nothing before it."""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp

from jaxrestore.degradations.arguments import Interval
from jaxrestore.degradations.batches import Degradation, each_image
from jaxrestore.degradations.checks import check_interval
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range
from jaxrestore.typing import Image, Key


def chain(*degradations: Degradation) -> Degradation:
    """One after the other, from left to right; number i gets `fold_in(key, i)`, after a batch's key was split over its images."""

    def degrade(key: Key, image: Image) -> Image:
        return each_image(_chained, key, image, degradations=degradations)

    return degrade


def _chained(key: Key, image: jax.Array, degradations: tuple[Degradation, ...]) -> jax.Array:
    for i, degrade in enumerate(degradations):
        image = degrade(jax.random.fold_in(key, i), image)
    return image


def choice(degradations: Sequence[Degradation], probabilities: Sequence[float | int] | None = None) -> Degradation:
    """One of several, drawn for each image.

    Args:
      degradations: what may happen; all must give the same shape and type.
      probabilities: how often each happens; they are divided by their sum. None: equally often.

    Returns:
      A degradation. In a batch every branch is computed for every image, since the images differ in what was drawn.

    Raises:
      InputError: no degradations, not one probability for each, a negative one, or all zero.
    """
    weights = [1.0] * len(degradations) if probabilities is None else [float(p) for p in probabilities]
    if not degradations or len(weights) != len(degradations):
        raise InputError(f"choice has {len(degradations)} degradations and {len(weights)} probabilities: give one probability for each")
    for weight in weights:
        check_range("probabilities", weight, low=0.0)
    total = sum(weights)
    if not total:
        raise InputError("probabilities are all 0: at least one must be greater")

    def degrade(key: Key, image: Image) -> Image:
        shares = tuple(weight / total for weight in weights)
        return each_image(_chosen, key, image, degradations=tuple(degradations), probabilities=shares)

    return degrade


def _chosen(key: Key, image: jax.Array, degradations: tuple[Degradation, ...], probabilities: tuple[float, ...]) -> jax.Array:
    choice_key, branch_key = jax.random.split(key)
    index = jax.random.choice(choice_key, len(degradations), p=jnp.asarray(probabilities))
    branches = [partial(f, jax.random.fold_in(branch_key, i)) for i, f in enumerate(degradations)]
    return jax.lax.switch(index, branches, image)


def blind(degradation: Degradation, **intervals: Interval) -> Degradation:
    """The degradation with levels that are drawn uniformly, once for each image.

    Args:
      degradation: takes each of the named levels as a number.
      **intervals: argument name = (low, high); a number is both.

    Raises:
      InputError: an interval's ends are not finite numbers, or are in the wrong order.
    """
    ends = tuple((name, check_interval(name, interval)) for name, interval in sorted(intervals.items()))

    def degrade(key: Key, image: Image) -> Image:
        return each_image(_drawn, key, image, degradation=degradation, intervals=ends)

    return degrade


def _drawn(key: Key, image: jax.Array, degradation: Degradation, intervals: tuple) -> jax.Array:
    function_key, level_key = jax.random.split(key)
    levels = {}
    for i, (name, (low, high)) in enumerate(intervals):
        levels[name] = jax.random.uniform(jax.random.fold_in(level_key, i), minval=low, maxval=high)
    return degradation(function_key, image, **levels)
