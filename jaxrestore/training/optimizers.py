"""Optimisers and schedules from their configuration."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from jaxrestore.training.config import Optimizer
from jaxrestore.typing import Tree


def learning_rate(config: Optimizer, steps: int) -> Callable:
    """The learning rate as a function of the step, 0 to `steps`."""
    start = config.warmup + config.hold
    remaining = max(steps - start, 1)
    match config.schedule:
        case "constant":
            main = optax.constant_schedule(config.rate)
        case "cosine":
            main = optax.cosine_decay_schedule(config.rate, remaining, alpha=config.final_rate / config.rate)
        case "exponential":
            main = optax.exponential_decay(config.rate, remaining, config.final_rate / config.rate)
        case "linear":
            hold = config.milestones[0] if config.milestones else 0
            main = optax.linear_schedule(config.rate, config.final_rate, max(remaining - hold, 1), hold)
        case "step":
            distance = remaining / (config.halvings + 1)
            main = optax.piecewise_constant_schedule(config.rate, {round(distance * (i + 1)): 0.5 for i in range(config.halvings)})
        case "milestones":
            main = optax.piecewise_constant_schedule(config.rate, dict.fromkeys(config.milestones, config.factor))
        case unknown:
            raise ValueError(f"unknown schedule {unknown!r}")
    if config.schedule == "milestones":  # these are steps of the run already
        start = config.warmup
    if not start:
        return main
    rise = optax.linear_schedule(0.0, config.rate, config.warmup) if config.warmup else optax.constant_schedule(config.rate)  # then held
    return optax.join_schedules([rise, main], [start])


def make_optimizer(config: Optimizer, steps: int, factors: Tree | None = None, every: int = 1) -> optax.GradientTransformation:
    """The gradient transformation of a run.

    Args:
      config: how parameters move.
      steps: optimiser steps in all.
      factors: a factor on each parameter's learning rate, a tree of numbers like the parameters: 0 freezes, less than 1 slows; None is 1.
      every: it is used at every so many of these steps, the last of each group.

    Reference: RMSProp: Hinton, Srivastava and Swersky, lecture notes, 2012; Adam: Kingma and Ba, ICLR 2015; AdamW: Loshchilov and Hutter,
    ICLR 2019; adjustable clipping: Kim et al., CVPR 2016 (VDSR), section 3.2.
    """
    of_step = learning_rate(config, steps)
    rate = of_step if every == 1 else lambda count: of_step(every * count + every - 1)
    parts = [optax.clip_by_global_norm(config.clip)] if config.clip is not None else []
    if config.adjustable_clip is not None:
        parts += [_clip_by_rate(config.adjustable_clip, rate)]
    if config.weight_decay and config.name != "adamw":
        parts += [optax.add_decayed_weights(config.weight_decay)]
    match config.name:
        case "adam":
            parts += [optax.adam(rate, *config.betas)]
        case "adamw":
            parts += [optax.adamw(rate, *config.betas, weight_decay=config.weight_decay)]
        case "sgd":
            parts += [optax.sgd(rate, momentum=0.9)]
        case "rmsprop":
            momentum, decay = config.betas
            parts += [optax.rmsprop(rate, decay, eps=1e-8, momentum=momentum or None)]
        case unknown:
            raise ValueError(f"unknown optimiser {unknown!r}")
    if factors is not None:
        parts += [_scale(factors)]
    return optax.chain(*parts)


def _clip_by_rate(theta: float, rate: Callable) -> optax.GradientTransformation:
    """Clip each element of the gradient to +- theta / rate(step)."""

    def update(updates: Tree, state: optax.ScaleByScheduleState, params: Tree | None = None) -> tuple[Tree, optax.ScaleByScheduleState]:
        bound = theta / rate(state.count)
        clipped = jax.tree.map(lambda u: jnp.clip(u, -bound, bound), updates)
        return clipped, optax.ScaleByScheduleState(optax.safe_increment(state.count))

    return optax.GradientTransformation(lambda _: optax.ScaleByScheduleState(jnp.zeros((), jnp.int32)), update)


def _scale(factors: Tree) -> optax.GradientTransformation:
    """Multiply each parameter's update; after the optimiser, so that adaptive rates do not undo it."""
    return optax.stateless(lambda updates, _: jax.tree.map(lambda u, f: u * f, updates, factors))
