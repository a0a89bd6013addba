"""The receptive field of a network, measured: which output pixels depend on which input pixels.

A NaN put into one place of the input reaches exactly the outputs that depend on it (`dependence`): it survives products with zero,
activations, maxima and any depth, where a gradient would vanish, saturate, or follow only the winner of a maximum. From the outputs it
reaches follow the halo that a tile needs, and whether the network is local at all. A local network must moreover treat all places alike;
that is tried by shifting the image. Strips are enough, since rows and columns can be looked at one after the other.

It costs the computation of the network, and checks what is computed from the traced network alone (`receptive_field`).
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.inference.dependence import propagating
from jaxrestore.inference.field import ReceptiveField, apply_network
from jaxrestore.typing import Image, Variables

# A strip this much wider than a window catches blocks, strides and windows of every size that `_PERIODS` lists.
_STRIP_WIDTH = 32
# Candidates for the period of a network, and their least common multiple.
_PERIODS, _COMMON_PERIOD = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32), 96
# Multiples of every period, so that nothing is padded inside the network.
_LENGTHS = (3 * _COMMON_PERIOD, 6 * _COMMON_PERIOD, 12 * _COMMON_PERIOD)
LARGEST_RADIUS = _LENGTHS[-1] // 2 - _COMMON_PERIOD - max(_PERIODS)
# Float noise of a computation relative to the largest output; a resampling tied to the image's size differs by more.
_NOISE = 2e-5


@jax.jit(static_argnums=0)
def _apply_propagating(model: nn.Module, variables: Variables, image: Image) -> Image:
    return propagating(model.apply)(variables, image)


def measured_field(model: nn.Module, variables: Variables, channels: int) -> ReceptiveField:
    """Measure the receptive field of a network.

    Args:
      model: a network that takes (N, H, W, channels) and gives (N, scale*H, scale*W, ...), where the scale is a whole number, and
        draws nothing pixel by pixel (`sequential`), which would take as long as it takes.
      variables: its variables; the field is that of these weights, since a layer may depend on them.
      channels: channels of its input.

    Returns:
      The larger of the vertical and the horizontal field. It is global where an output depends on pixels more than `LARGEST_RADIUS`
      away, or where the same content at another place gives another result (resampling or an embedding tied to the image's size).
    """
    cpu = jax.local_devices(backend="cpu")[0]  # on an accelerator a fast convolution may mix neighbours that the exact one does not
    with jax.default_device(cpu):
        variables = jax.device_put(variables, cpu)
        rows, columns = (_along(model, variables, channels, axis) for axis in (1, 2))
    if rows.radius is None or columns.radius is None:
        return rows if rows.radius is None else columns
    multiple = int(np.lcm(rows.multiple, columns.multiple))
    return ReceptiveField(-(-max(rows.radius, columns.radius) // multiple) * multiple, multiple)


def _along(model: nn.Module, variables: Variables, channels: int, axis: int) -> ReceptiveField:
    def strip(length: int) -> np.ndarray:
        shape = (1, length, _STRIP_WIDTH, channels) if axis == 1 else (1, _STRIP_WIDTH, length, channels)
        return np.random.default_rng(0).random(shape, np.float32)

    def run(image: np.ndarray) -> np.ndarray:
        return np.asarray(apply_network(model, variables, jnp.asarray(image)))

    def run_propagating(image: np.ndarray) -> np.ndarray:
        return np.asarray(_apply_propagating(model, variables, jnp.asarray(image)))

    for length in _LENGTHS:
        image = strip(length)
        reach = _reach(run_propagating, image, axis)
        if reach is not None and 2 * (reach + _COMMON_PERIOD) <= length:  # after any shift, places remain that see no border
            break
    else:
        return ReceptiveField(None, reason=f"an output depends on pixels more than {LARGEST_RADIUS} away")
    result = run(image)

    def equivariant(shift: int) -> bool:
        return _same_after_shift(result, run(np.roll(image, -shift, axis)), image.shape[axis], axis, reach, shift)

    if not equivariant(_COMMON_PERIOD):
        return ReceptiveField(None, reason="its result depends on where in the image a pixel lies")
    middle = image.shape[axis] // 2 // _COMMON_PERIOD * _COMMON_PERIOD

    def footprint(start: int) -> tuple[int, int]:
        first, last, scale = _poisoned(run_propagating, image, axis, start, start + 1)
        return first - start * scale, last - start * scale

    # What reaches how far shows a period even where the weights make its effect small; the values show what extent alone does not.
    here = footprint(middle)
    multiple = next((p for p in _PERIODS if footprint(middle + p) == here and equivariant(_odd_multiple(p))), _COMMON_PERIOD)
    return ReceptiveField(_halo(run_propagating, image, axis, multiple), multiple)


def _reach(run, image: np.ndarray, axis: int) -> int | None:
    """How far a row (or column) in the middle reaches, the phase of strides and windows included; None if it reaches a border."""
    middle = image.shape[axis] // 2
    first, last, scale = _poisoned(run, image, axis, middle, middle + 1)
    if first == 0 or last == image.shape[axis] * scale:
        return None
    return max(middle - first // scale, -(-last // scale) - middle) + max(_PERIODS)


def _halo(run, image: np.ndarray, axis: int, multiple: int) -> int:
    start = image.shape[axis] // 2 // multiple * multiple
    first, last, scale = _poisoned(run, image, axis, start, start + multiple)
    distance = max(start - first // scale, -(-last // scale) - start - multiple, 0)
    return -(-distance // multiple) * multiple


def _poisoned(run, image: np.ndarray, axis: int, start: int, stop: int) -> tuple[int, int, int]:
    """The output rows (or columns) first..last that rows start..stop of the input reach, and the network's scale."""
    image = image.copy()
    image[(slice(None),) * axis + (slice(start, stop),)] = np.nan
    result = run(image)
    reached = np.flatnonzero(np.isnan(result).any(axis=tuple(a for a in range(4) if a != axis)))
    scale = result.shape[axis] // image.shape[axis]
    return (int(reached[0]), int(reached[-1]) + 1, scale) if reached.size else (start * scale, stop * scale, scale)


def _odd_multiple(period: int) -> int:
    """An odd multiple of the period near half the common one: a large shift shows a slow drift that a small one hides."""
    return period * (_COMMON_PERIOD // 2 // period | 1)


def _same_after_shift(before: np.ndarray, after: np.ndarray, length: int, axis: int, reach: int, shift: int) -> bool:
    """Whether shifting an input of this length by `shift` shifted the result, away from borders."""
    scale = before.shape[axis] // length
    inside = np.arange(reach * scale, (length - shift - reach) * scale)
    difference = np.take(before, inside + shift * scale, axis) - np.take(after, inside, axis)
    return bool(np.abs(difference).max() <= _NOISE * max(np.abs(before).max(), 1.0))
