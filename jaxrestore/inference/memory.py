"""How much memory a network needs for an image, and how much there is."""

import ctypes
import math
import os
import re
import sys
from contextlib import suppress
from pathlib import Path

import flax.linen as nn
import jax
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.typing import Variables

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
# Measured on the CPU with networks of 12 to 20 layers: what a backend keeps beside the live arrays (packed operands, padded copies), and
# the copies of input and output on their way in and out.
_OVERHEAD, _COPIES = 1.3, 3
# Taken when a machine does not say how much memory it has free.
_UNKNOWN = 2**31
_M_MMAP_THRESHOLD = -3  # in glibc's malloc.h
# Share of the free memory that a computation may plan with.
_SHARE = 0.5


def parse_memory(text: str | int) -> int:
    """Bytes from "2GiB", "500 MB", "1.5g" or a number of bytes.

    Raises:
      InputError: not an amount of memory, or not positive.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]i?|)b?\s*", str(text).lower())
    amount = int(float(match[1]) * _UNITS[match[2]]) if match else 0
    if amount <= 0:
        raise InputError(f"memory {text!r} is not an amount of memory: write it like 2GiB or 500MB")
    return amount


def gibibytes(amount: float | int) -> str:
    """An amount of memory for messages."""
    return f"{amount / 2**30:.2g} GiB"


def free_memory() -> int:
    """Bytes that a computation on the default device may plan with: half of what is free."""
    statistics = jax.local_devices()[0].memory_stats()
    if statistics and "bytes_limit" in statistics:
        return int(_SHARE * (statistics["bytes_limit"] - statistics["bytes_in_use"]))
    return int(_SHARE * min(_free_in_machine(), _free_in_container(), _free_in_process()))


def give_back_large_buffers() -> None:
    """Make the C library hand every buffer above 1 MiB back to the system when it is freed.

    By itself glibc keeps those of up to 32 MiB for later, in pieces: over the tiles of one large picture hundreds of MiB that nothing uses.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 2**20)


def _free_in_machine() -> float:
    information = Path("/proc/meminfo")
    if information.is_file():
        available = re.search(r"MemAvailable:\s*(\d+) kB", information.read_text())
        if available:
            return 1024.0 * int(available[1])
    try:
        return 0.5 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # a system without these names
        return _UNKNOWN


def _free_in_container() -> float:
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text().strip()
        if limit == "max":
            return math.inf
        # Pages of files that the kernel may drop count as used.
        droppable = re.search(r"^inactive_file (\d+)$", (folder / "memory.stat").read_text(), re.MULTILINE)
        used = int((folder / "memory.current").read_text()) - (int(droppable[1]) if droppable else 0)
        return max(int(limit) - used, 0)
    except (OSError, ValueError):
        return math.inf


def _free_in_process() -> float:
    """What the limits of this process leave it (`ulimit -d`, `ulimit -v`)."""
    try:
        import resource

        status = Path("/proc/self/status").read_text()
    except (ImportError, OSError):  # another system
        return math.inf
    free = math.inf
    for limit, field in ((resource.RLIMIT_DATA, "VmData"), (resource.RLIMIT_AS, "VmSize")):
        most, _ = resource.getrlimit(limit)
        used = re.search(rf"^{field}:\s*(\d+) kB", status, re.MULTILINE)
        if most != resource.RLIM_INFINITY and used:
            free = min(free, max(most - 1024.0 * int(used[1]), 0.0))
    return free


def bytes_per_pixel(model: nn.Module, variables: Variables, channels: int) -> float:
    """Peak of the activations for each input pixel, estimated from the traced network.

    The arrays that are alive at each operation are added up, as if nothing were fused and every array freed after its last use; the copies
    of input and output are added.
    """
    side = 96
    return bytes_needed(model, variables, (1, side, side, channels)) / side**2


def bytes_needed(model: nn.Module, variables: Variables, shape: tuple[int, int, int, int]) -> float:
    """Peak of the activations for images of this shape (N, H, W, C), estimated as for `bytes_per_pixel`.

    Where every pixel sees every other the peak grows faster than the number of pixels.
    """
    image = jax.ShapeDtypeStruct(shape, np.float32)
    traced = jax.make_jaxpr(lambda v, x: model.apply(v, x))(jax.eval_shape(lambda v: v, variables), image).jaxpr
    ends = _COPIES * sum(_size(v) for v in (traced.invars[-1], *traced.outvars))
    return _OVERHEAD * _peak(traced, without=traced.invars[:-1]) + ends


def _peak(jaxpr, without=()) -> int:
    """Bytes alive at the worst operation; the arrays `without` are parameters and are not counted."""
    last_use = {}
    for place, equation in enumerate(jaxpr.eqns):
        last_use |= {id(v): place for v in equation.invars if not hasattr(v, "val")}
    last_use |= {id(v): len(jaxpr.eqns) for v in jaxpr.outvars}
    ignored = {id(v) for v in without}
    alive = {id(v): _size(v) for v in jaxpr.invars if id(v) not in ignored}
    peak = sum(alive.values())
    for place, equation in enumerate(jaxpr.eqns):
        alive |= {id(v): _size(v) for v in equation.outvars}
        inner = max((_inside(p) for p in jax.tree.leaves(list(equation.params.values()), is_leaf=_is_jaxpr)), default=0)
        outer = sum(_size(v) for v in (*equation.invars, *equation.outvars) if id(v) in alive)
        peak = max(peak, sum(alive.values()) + max(inner - outer, 0))
        alive = {v: size for v, size in alive.items() if last_use.get(v, -1) > place}
    return peak


def _is_jaxpr(value) -> bool:
    return hasattr(value, "eqns") or hasattr(value, "jaxpr")


def _inside(value) -> int:
    if not _is_jaxpr(value):
        return 0
    return _peak(value.jaxpr if hasattr(value, "jaxpr") else value)


def _size(variable) -> int:
    return math.prod(variable.aval.shape) * np.dtype(variable.aval.dtype).itemsize if hasattr(variable.aval, "shape") else 0
