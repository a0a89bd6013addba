"""The graph that is written: nodes, constants, and sizes computed from the inputs' shapes."""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from jaxrestore.export.int8_convolution import LEAST, Levels
from jaxrestore.export.onnx import protobuf
from jaxrestore.typing import Side

OPSET = 17


@dataclass(frozen=True)
class Whole:
    """Whole numbers of eight bits.

    Attributes:
      name: in the graph.
      levels: what they stand for.
    """

    name: str
    levels: Levels


@dataclass(frozen=True)
class Tensor:
    """A value that the graph computes.

    Attributes:
      name: in the graph.
      shape: numbers and symbolic sizes.
      dtype: NumPy's.
      narrow: name of a tensor that becomes this one when it is broadcast; empty where there is none. Elementwise operations broadcast by
        themselves, so that the wide tensor is often never made.
      whole: where it is stored in whole numbers; then it has no name until something wants its numbers of 32 bits.
    """

    name: str
    shape: tuple[Side, ...]
    dtype: np.dtype
    narrow: str = ""
    whole: Whole | None = None


Value = Tensor | np.ndarray | jax.Array
"""Computed by the graph, or known already."""


class Graph:
    """Collects what an ONNX model consists of.

    Args:
      names: of constants, by the identity of their array.

    Attributes:
      nodes: the messages so far.
      constants: by name.
      rectified: variables of the traced function that nothing but a ReLU reads.
    """

    def __init__(self, names: Mapping[int, str]) -> None:
        self.nodes: list[bytes] = []
        self.constants: dict[str, np.ndarray] = {}
        self._names = dict(names)
        self._known: dict[tuple, str] = {}
        self._symbols: dict[str, str] = {}
        self._sizes: dict[str, str] = {}
        self._changed: dict[tuple, tuple[np.ndarray, np.ndarray]] = {}
        self._count = 0
        self.rectified: set[Any] = set()

    def add(self, kind: str, inputs: Sequence[str], outputs: int = 1, **attributes: Any) -> list[str]:
        """Add a node; gives the names of its outputs."""
        self._count += 1
        names = [f"{kind.lower()}_{self._count}" + (f"_{i}" if i else "") for i in range(outputs)]
        self.nodes.append(protobuf.node(kind, inputs, names, attributes))
        return names

    def one(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output."""
        return self.add(kind, inputs, **attributes)[0]

    def constant(self, value: Any) -> str:
        """The name of a constant; equal small ones share one."""
        value = np.asarray(value)
        key = (value.dtype.str, value.shape, value.tobytes()) if value.size <= 64 else (id(value),)
        if key not in self._known:
            name = self._names.get(id(value)) or f"constant_{len(self.constants)}"
            self.constants[name] = value
            self._known[key] = name
        return self._known[key]

    def changed(self, value: np.ndarray, how: str, change: Callable[[np.ndarray], np.ndarray]) -> str:
        """The name of a constant made of another; a kernel that is used often is written once.

        Args:
          value: a constant.
          how: what is done, in words that differ where it does.
          change: does it.
        """
        key = (id(value), how)
        if key not in self._changed:
            self._changed[key] = value, np.ascontiguousarray(change(value))
        return self.constant(self._changed[key][1])

    def name(self, value: Value) -> str:
        """The name of any value."""
        if not isinstance(value, Tensor):
            return self.constant(value)
        if value.name:
            return value.name
        if value.whole:
            return self._dequantized(value.whole)
        key = f"wide:{value.narrow}:{value.shape}"
        if key not in self._sizes:
            self._sizes[key] = self.one("Expand", value.narrow, self.shape(value.shape))
        return self._sizes[key]

    def levels(self, of: Levels) -> tuple[str, str]:
        """Step and zero point of whole numbers, which are stored from 0: ONNX's runtimes are made for that."""
        return self.constant(np.float32(of.step)), self.constant(np.uint8(of.zero - LEAST))

    def _dequantized(self, whole: Whole) -> str:
        key = f"numbers of {whole.name}"
        if key not in self._sizes:
            self._sizes[key] = self.one("DequantizeLinear", whole.name, *self.levels(whole.levels))
        return self._sizes[key]

    def narrow(self, value: Value) -> str:
        """A name whose tensor broadcasts to the value."""
        return value.narrow if isinstance(value, Tensor) and value.narrow else self.name(value)

    def measure(self, name: str, shape: Sequence[Side]) -> None:
        """Learn the symbols in an input's shape."""
        for axis, side in enumerate(shape):
            if not isinstance(side, int) and str(side) not in self._symbols:
                self._symbols[str(side)] = self.one("Slice", self.one("Shape", name), *map(self.ints, ([axis], [axis + 1], [0])))

    def ints(self, values: Sequence[int]) -> str:
        """A constant vector of int64."""
        return self.constant(np.asarray(values, np.int64))

    def size(self, side: Side) -> str:
        """A size as a vector of one int64, computed where it is symbolic."""
        if isinstance(side, int | np.integer):
            return self.ints([int(side)])
        text = str(side)
        if text not in self._sizes:
            self._sizes[text] = self._expression(ast.parse(text.replace("^", "**"), mode="eval").body)
        return self._sizes[text]

    def shape(self, sides: Sequence[Side]) -> str:
        """Sizes as a vector of int64."""
        if all(isinstance(side, int | np.integer) for side in sides):
            return self.ints([int(side) for side in sides])
        key = f"shape:{tuple(map(str, sides))}"
        if key not in self._sizes:
            self._sizes[key] = self.add("Concat", [self.size(side) for side in sides], axis=0)[0]
        return self._sizes[key]

    def _expression(self, tree: ast.expr) -> str:
        """A size from how JAX writes it, such as "8*floordiv(h + 7, 8)"."""
        if isinstance(tree, ast.Constant):
            return self.ints([int(tree.value)])
        if isinstance(tree, ast.Name):
            return self._symbols[tree.id]
        if isinstance(tree, ast.UnaryOp):
            return self.one("Neg", self._expression(tree.operand))
        if isinstance(tree, ast.BinOp):
            if isinstance(tree.op, ast.Pow):
                base = self._expression(tree.left)
                result = base
                for _ in range(ast.literal_eval(tree.right) - 1):
                    result = self.one("Mul", result, base)
                return result
            kinds = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul"}
            return self.one(kinds[type(tree.op)], self._expression(tree.left), self._expression(tree.right))
        assert isinstance(tree, ast.Call)
        assert isinstance(tree.func, ast.Name)
        a, b = (self._expression(argument) for argument in tree.args)
        if tree.func.id == "floordiv":  # ONNX's own division rounds towards zero, its remainder has the divisor's sign
            return self.one("Div", self.one("Sub", a, self.one("Mod", a, b)), b)
        return self.one({"mod": "Mod", "max": "Max", "min": "Min"}[tree.func.id], a, b)
