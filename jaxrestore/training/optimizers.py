"""Optimisers and schedules from their configuration."""

from collections.abc import Callable

import jax
import optax

from jaxrestore.training.config import Optimizer
from jaxrestore.typing import Tree


def learning_rate(config: Optimizer, steps: int) -> Callable:
    """The learning rate as a function of the step, 0 to `steps`."""
    remaining = max(steps - config.warmup, 1)
    match config.schedule:
        case "constant":
            main = optax.constant_schedule(config.rate)
        case "cosine":
            main = optax.cosine_decay_schedule(config.rate, remaining, alpha=config.final_rate / config.rate)
        case "exponential":
            main = optax.exponential_decay(config.rate, remaining, config.final_rate / config.rate)
        case "step":
            distance = remaining / (config.halvings + 1)
            main = optax.piecewise_constant_schedule(config.rate, {round(distance * (i + 1)): 0.5 for i in range(config.halvings)})
        case unknown:
            raise ValueError(f"unknown schedule {unknown!r}")
    if not config.warmup:
        return main
    return optax.join_schedules([optax.linear_schedule(0.0, config.rate, config.warmup), main], [config.warmup])


def make_optimizer(config: Optimizer, steps: int, factors: Tree | None = None) -> optax.GradientTransformation:
    """The gradient transformation of a run.

    Args:
      config: how parameters move.
      steps: optimiser steps in all.
      factors: a factor on each parameter's learning rate, a tree of numbers like the parameters: 0 freezes, less than 1 slows; None is 1.

    Reference: Adam: Kingma and Ba, ICLR 2015; AdamW: Loshchilov and Hutter, ICLR 2019.
    """
    rate = learning_rate(config, steps)
    parts = [optax.clip_by_global_norm(config.clip)] if config.clip is not None else []
    match config.name:
        case "adam":
            parts += [optax.adam(rate)]
        case "adamw":
            parts += [optax.adamw(rate, weight_decay=config.weight_decay)]
        case "sgd":
            decay = [optax.add_decayed_weights(config.weight_decay)] if config.weight_decay else []
            parts += [*decay, optax.sgd(rate, momentum=0.9)]
        case unknown:
            raise ValueError(f"unknown optimiser {unknown!r}")
    if factors is not None:
        parts += [_scale(factors)]
    return optax.chain(*parts)


def _scale(factors: Tree) -> optax.GradientTransformation:
    """Multiply each parameter's update; after the optimiser, so that adaptive rates do not undo it."""
    return optax.stateless(lambda updates, _: jax.tree.map(lambda u, f: u * f, updates, factors))
