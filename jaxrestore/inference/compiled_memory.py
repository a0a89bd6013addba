"""The memory that a compiled network takes when it runs.

XLA plans every buffer of a program before it runs and says what they add up to. On the CPU that is not all: groups of operations are handed
to a library of kernels (YNNPACK, `__ynn_fusion` in the program's text), which has buffers of its own, and where it is handed the whole
network, XLA's plan is empty. Those buffers are counted here from the text: what is alive between the operations of the group that needs
most, and what threads work in, which was found to be some hundred rows of the largest matrix product or convolution.
"""

import math
import re
from dataclasses import dataclass

import flax.linen as nn
import jax
import numpy as np

from jaxrestore.inference.field import apply_network
from jaxrestore.typing import Variables

# Measured on the CPU, see benchmarks/results/memory.md: rows of the largest product that threads work in; and what a first run takes once,
# in bytes and at most in parts of the rest.
_ROWS, _ONCE, _ONCE_SHARE = 430, 8 * 2**20, 0.05
_BYTES = {"pred": 1, "s8": 1, "u8": 1, "f16": 2, "bf16": 2, "s16": 2, "u16": 2, "f32": 4, "s32": 4, "u32": 4, "f64": 8, "s64": 8, "u64": 8}
_COMPUTATION = re.compile(r"^(?:ENTRY )?%?([\w.\-]+) \(.*\{$")
_GROUP = re.compile(r"calls=%?([\w.\-]+),.*__ynn_fusion")
_OPERATION = re.compile(r"^\s+(ROOT )?%?([\w.\-]+) = (\w+)\[([\d,]*)\]\S* ([\w\-]+)\((.*)$")
_NO_BUFFER = ("parameter", "constant", "broadcast", "iota")
_SAME_BUFFER = ("bitcast", "reshape")
_PRODUCTS = ("convolution", "dot")


@dataclass(frozen=True)
class _Operation:
    name: str
    kind: str
    shape: tuple[int, ...]
    size: int
    inputs: list[str]
    is_result: bool


def compiled_bytes(model: nn.Module, variables: Variables, shape: tuple[int, int, int, int], once: bool = False) -> int:
    """Compile a network for images of this shape and say what running it takes beside its weights: buffers, input and result.

    The program is kept and used when such images come.

    Args:
      model: the network.
      variables: its variables, on the device that will run it.
      shape: (N, H, W, C) of its input.
      once: as for `apply_network`.
    """
    compiled = apply_network.lower(model, variables, jax.ShapeDtypeStruct(shape, np.float32), once).compile()
    plan = compiled.memory_analysis()
    ends = 4 * math.prod(shape) + plan.output_size_in_bytes
    taken = plan.temp_size_in_bytes + ends
    if _is_on_cpu(variables):
        taken += bytes_beside(compiled.as_text() or "", shape[1])
        taken += min(_ONCE, int(_ONCE_SHARE * taken))
    return taken


def bytes_beside(text: str, height: int) -> int:
    """What a program takes on the CPU beside XLA's buffers.

    Args:
      text: the program as XLA writes it after all optimisations.
      height: rows of the image, for products that do not say their own.
    """
    groups = set(_GROUP.findall(text))
    alive = threads = 0
    for name, operations in _computations(text).items():
        alive = max(alive, _alive(operations) if name in groups else 0)
        threads = max(threads, _working_memory(operations, height))
    return alive + threads


def _computations(text: str) -> dict[str, list[_Operation]]:
    found: dict[str, list[_Operation]] = {}
    current: list[_Operation] = []
    for line in text.splitlines():
        if start := _COMPUTATION.match(line):
            current = found.setdefault(start[1], [])
        elif match := _OPERATION.match(line):
            root, name, kind, dimensions, operation, rest = match.groups()
            shape = tuple(int(d) for d in dimensions.split(",") if d)
            inputs = re.findall(r"%([\w.\-]+)", rest.split(")")[0])
            current.append(_Operation(name, operation, shape, _BYTES.get(kind, 4) * math.prod(shape), inputs, root is not None))
    return found


def _working_memory(operations: list[_Operation], height: int) -> int:
    """Of the product that needs most: some rows of it, and a convolution's weights in another order."""
    sizes = {operation.name: operation.size for operation in operations}
    most = 0
    for operation in operations:
        if operation.kind == "dot":
            most = max(most, int(operation.size * min(1.0, _ROWS / height)))
        elif operation.kind == "convolution":
            image, weights = (sizes.get(name, 0) for name in operation.inputs[:2])
            most = max(most, int(min(operation.size, image) * min(1.0, _ROWS / operation.shape[1])) + weights)
    return most


def _alive(operations: list[_Operation]) -> int:
    """The most bytes between operations at one time; an operation writes over an input of its size that nothing else needs."""
    buffer: dict[str, str] = {}
    last: dict[str, int] = {}
    for place, operation in enumerate(operations):
        aliased = operation.kind in _SAME_BUFFER and operation.inputs
        buffer[operation.name] = buffer.get(operation.inputs[0], operation.inputs[0]) if aliased else operation.name
        last |= {buffer.get(name, name): place for name in operation.inputs}
    sizes: dict[str, int] = {}
    most = 0
    for place, operation in enumerate(operations):
        ending = [name for name in {buffer.get(n, n) for n in operation.inputs} if last[name] == place]
        if operation.kind not in (*_NO_BUFFER, *_SAME_BUFFER) and not operation.is_result:
            reused = next((name for name in ending if sizes.get(name) == operation.size and operation.kind not in _PRODUCTS), None)
            if reused:
                del sizes[reused]
            sizes[operation.name] = operation.size
            most = max(most, sum(sizes.values()))
        for name in ending:
            sizes.pop(name, None)
    return most


def _is_on_cpu(variables: Variables) -> bool:
    leaf = next(iter(jax.tree.leaves(variables)), None)
    return next(iter(leaf.devices())).platform == "cpu" if isinstance(leaf, jax.Array) else jax.default_backend() == "cpu"
