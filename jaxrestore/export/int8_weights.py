"""Kernels in eight bits: a quarter of the file, computed with as numbers of 32 bits."""

from collections.abc import Container, Mapping

import numpy as np

SCALE = ".scale"
"""What a kernel's scales are called after its name."""

_LEVELS = 127
_KERNELS = ("kernel", "kernel_transposed")
# Cutting off the largest weights may leave less error than rounding all the others more coarsely.
_SHARES = np.linspace(0.6, 1.0, 21, dtype=np.float32)


def quantise(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers and one scale for each output channel, which together come as near to the kernel as any share of its range allows.

    Args:
      kernel: (..., out), floating point.

    Returns:
      (whole numbers in -127..127 of the kernel's shape, scales (out,)): the kernel is about their product.
    """
    flat = np.asarray(kernel, np.float32).reshape(-1, kernel.shape[-1])
    largest = np.abs(flat).max(0)
    largest = np.where(largest > 0, largest, 1.0)
    best_error, best = np.full(flat.shape[1], np.inf, np.float32), largest
    for share in _SHARES:
        scale = share * largest / _LEVELS
        error = np.square(np.clip(np.rint(flat / scale), -_LEVELS, _LEVELS) * scale - flat).sum(0)
        best, best_error = np.where(error <= best_error, share * largest, best), np.minimum(error, best_error)
    scale = (best / _LEVELS).astype(np.float32)
    return np.clip(np.rint(flat / scale), -_LEVELS, _LEVELS).astype(np.int8).reshape(kernel.shape), scale


def quantised(weights: Mapping[str, np.ndarray], names: Container[str] | None = None) -> dict[str, np.ndarray]:
    """Weights by name with every kernel, or those of these names, in eight bits and its scales beside it; what is no kernel stays."""
    result = {}
    for name, value in weights.items():
        if names is not None and name not in names:
            result[name] = value
        elif name.rpartition("/")[2] in _KERNELS and value.ndim > 1 and np.issubdtype(value.dtype, np.floating):
            result[name], result[name + SCALE] = quantise(value)
        else:
            result[name] = value
    return result


def restored(weights: Mapping) -> dict:
    """Weights by name as the network takes them, of traced arrays."""
    result = {name: value for name, value in weights.items() if not name.endswith(SCALE)}
    for name, value in weights.items():
        if name.endswith(SCALE):
            whole = result[name.removesuffix(SCALE)]
            scale = value.reshape((1,) * (whole.ndim - 1) + (-1,))
            result[name.removesuffix(SCALE)] = whole.astype(value.dtype) * scale
    return result
