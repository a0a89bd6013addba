"""A traced network as one flat list of operations, to be looked at or run piece by piece."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from jaxrestore.typing import Tree, Variables

# Operations that hold others and are nevertheless run as they stand.
_CONTROL = ("scan", "while", "cond")


@dataclass(frozen=True, eq=False, slots=True)
class Literal:
    """A number written into an operation."""

    value: Any
    shape: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
      primitive: JAX's primitive.
      parameters: its parameters.
      inputs: numbers of values, or literals.
      outputs: numbers of values.
      place: the module that it belongs to, as "block_0/attention".
    """

    primitive: Any
    parameters: dict[str, Any]
    inputs: tuple[int | Literal, ...]
    outputs: tuple[int, ...]
    place: str

    @property
    def name(self) -> str:
        """The primitive's name."""
        return self.primitive.name

    def run(self, inputs: Sequence[Any]) -> list[Any]:
        """Perform it, traced or not."""
        result = self.primitive.bind(*inputs, **self.parameters)
        return list(result) if self.primitive.multiple_results else [result]


@dataclass(frozen=True)
class Program:
    """A network for one size of image.

    Attributes:
      operations: in the order of evaluation; every value is the result of one, an argument or a constant.
      avals: shape and dtype of each value, by number.
      variables: the numbers of the leaves of the variables.
      image: the number of the image.
      result: the number of the result.
      constants: arrays that belong to the network's code, by number.
    """

    operations: tuple[Operation, ...]
    avals: tuple[Any, ...]
    variables: tuple[int, ...]
    image: int
    result: int
    constants: dict[int, Any]

    def shape(self, value: "int | Literal") -> tuple[int, ...]:
        """Shape of a value."""
        return value.shape if isinstance(value, Literal) else self.avals[value].shape


def trace(model: nn.Module, variables: Variables, height: int, width: int, channels: int) -> Program:
    """Trace a network for images (1, height, width, channels); nothing is computed.

    Args:
      model: takes and gives one image.
      variables: its variables, or their shapes.
      height: rows.
      width: columns.
      channels: channels of its input.
    """
    image = jax.ShapeDtypeStruct((1, height, width, channels), np.float32)
    return flatten(lambda v, x: model.apply(v, x), jax.eval_shape(lambda v: v, variables), image)


def flatten(function: Callable[[Tree, jax.Array], jax.Array], variables: Tree, image: jax.Array | jax.ShapeDtypeStruct) -> Program:
    """Trace function(variables, image), with what is called inside written out."""
    closed = jax.make_jaxpr(function)(variables, image)
    avals: list[Any] = []
    operations: list[Operation] = []
    constants: dict[int, Any] = {}

    def new(aval: Any) -> int:
        avals.append(aval)
        return len(avals) - 1

    def walk(jaxpr: Any, consts: Sequence[Any], inputs: Sequence[int | Literal], place: str) -> list[int | Literal]:
        known: dict[Any, int | Literal] = dict(zip(jaxpr.invars, inputs, strict=True))
        for variable, value in zip(jaxpr.constvars, consts, strict=True):
            known[variable] = new(variable.aval)
            constants[known[variable]] = value

        def read(variable: Any) -> int | Literal:
            return Literal(variable.val, variable.aval.shape) if hasattr(variable, "val") else known[variable]

        for equation in jaxpr.eqns:
            arguments = [read(variable) for variable in equation.invars]
            where = "/".join(part for part in (place, str(equation.source_info.name_stack)) if part)
            inner = inner_program(equation.primitive.name, equation.params)
            if inner is not None:
                outputs = walk(*inner, arguments, where)
            else:
                outputs = [new(variable.aval) for variable in equation.outvars]
                operations.append(Operation(equation.primitive, equation.params, tuple(arguments), tuple(outputs), where))
            known.update(zip(equation.outvars, outputs, strict=True))
        return [read(variable) for variable in jaxpr.outvars]

    arguments = [new(variable.aval) for variable in closed.jaxpr.invars]
    (result,) = walk(closed.jaxpr, closed.consts, arguments, "")
    return Program(_used(operations, result), tuple(avals), tuple(arguments[:-1]), arguments[-1], result, constants)


def _used(operations: list[Operation], result: int | Literal) -> tuple[Operation, ...]:
    """The operations that the result needs."""
    needed, kept = {result}, []
    for operation in reversed(operations):
        if needed & set(operation.outputs):
            kept.append(operation)
            needed |= set(operation.inputs)
    return tuple(reversed(kept))


def inner_program(name: str, parameters: dict[str, Any]) -> tuple[Any, Sequence[Any]] | None:
    """What an operation calls, as a jaxpr and its constants, or None for one that is run as it stands."""
    inner = parameters.get("jaxpr", parameters.get("call_jaxpr"))
    if inner is None or name in _CONTROL:
        return None
    return getattr(inner, "jaxpr", inner), getattr(inner, "consts", ())
