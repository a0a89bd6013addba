"""Extents followed through a traced network (`extent`): one rule for each of JAX's operations that move elements or join them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jaxrestore.inference import extent as extents
from jaxrestore.inference.extent import Extent, Untraceable
from jaxrestore.inference.program import Literal, Operation, Program, inner_program

_ELEMENTWISE = (
    "abs acos add and asin atan atan2 cbrt ceil clamp convert_element_type copy cos cosh div eq erf erf_inv erfc exp exp2 expm1 floor "
    "ge gt imag integer_pow is_finite le log log1p logistic lt max min mul ne neg nextafter not optimization_barrier or pow real "
    "reduce_precision rem round rsqrt select_n sign sin sinh sqrt square stop_gradient sub tan tanh xor "
)
ELEMENTWISE = frozenset(_ELEMENTWISE.split())
REDUCTIONS = frozenset(("reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "reduce_and", "reduce_or", "argmax", "argmin"))
_WINDOWED = frozenset(("reduce_window_sum", "reduce_window_max", "reduce_window_min", "reduce_window"))
# The whole of an axis goes into each element along it.
WHOLE_AXIS: Mapping[str, Callable[[dict], tuple[int, ...]]] = {
    "sort": lambda p: (p["dimension"],),
    "cumsum": lambda p: (p["axis"],),
    "cumprod": lambda p: (p["axis"],),
    "cummax": lambda p: (p["axis"],),
    "cummin": lambda p: (p["axis"],),
    "cumlogsumexp": lambda p: (p["axis"],),
}


class Constants:
    """Values that depend neither on the image nor on the variables, computed when they are asked for."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.maker = {output: operation for operation in program.operations for output in operation.outputs}
        self.known: dict[int, np.ndarray | None] = {number: np.asarray(value) for number, value in program.constants.items()}

    def __call__(self, value: int | Literal) -> np.ndarray | None:
        """The value, or None for one that is no constant."""
        if isinstance(value, Literal):
            return np.asarray(value.value)
        if value not in self.known:
            operation = self.maker.get(value)
            inputs = None if operation is None else [self(v) for v in operation.inputs]
            if inputs is None or any(v is None for v in inputs) or operation.name in ("platform_index", "cond"):
                self.known[value] = None
            else:
                self.known |= {o: np.asarray(r) for o, r in zip(operation.outputs, operation.run(_arrays(inputs, operation)), strict=True)}
        return self.known[value]


def _arrays(inputs: list[np.ndarray], operation: Operation) -> list[Any]:
    import jax.numpy as jnp

    return [jnp.asarray(v) for v in inputs]


class Follower:
    """Follows rows (axis 1) or columns (axis 2) of the image through a program.

    Args:
      program: the network.
      axis: of the image that is followed.
      stops: operations, by their place in the program, whose results count as depending on nothing.
      floods: operations whose results count as depending on everything.
    """

    def __init__(self, program: Program, axis: int, stops: frozenset[int], floods: frozenset[int], constants: Constants) -> None:
        self.program, self.axis, self.constants = program, axis, constants
        self.length = program.shape(program.image)[axis]
        self.found: dict[int, Extent] = {program.image: extents.of_image(program.shape(program.image), axis)}
        for number, operation in enumerate(program.operations):
            if number in stops or not any(self(v) is not None for v in operation.inputs):
                continue
            if number in floods:
                self.found |= {o: extents.everything(program.shape(o), self.length) for o in operation.outputs}
            else:
                self.found |= self._follow(operation)

    def __call__(self, value: int | Literal) -> Extent | None:
        """Extents of a value; None where it depends on nothing that is followed."""
        return None if isinstance(value, Literal) else self.found.get(value)

    def _follow(self, operation: Operation) -> dict[int, Extent]:
        inputs = [self(v) for v in operation.inputs]
        shapes = [self.program.shape(v) for v in operation.inputs]
        name = operation.name
        if name == "split":
            return self._split(operation, inputs[0])
        if name == "cond":
            return self._default_branch(operation)
        if name in ELEMENTWISE:
            if name == "optimization_barrier":
                return {o: e for o, e in zip(operation.outputs, inputs, strict=True) if e is not None}
            result = extents.joined([e for e in inputs if e is not None])
        elif name in _RULES:
            result = _RULES[name](operation.parameters, inputs, shapes)
        elif name in REDUCTIONS:
            axes = tuple(operation.parameters["axes"])
            result = np.squeeze(extents.over_axes(inputs[0], axes), tuple(a + 1 for a in axes))
        elif name in WHOLE_AXIS:
            axes = WHOLE_AXIS[name](operation.parameters)
            hull = extents.over_axes(extents.joined([e for e in inputs if e is not None]), axes)
            hull = np.concatenate([hull[:2] + 0 * inputs[0][:2], inputs[0][2:]])
            return dict.fromkeys(operation.outputs, hull)
        elif name in ("gather", "dynamic_slice"):
            result = self._moved(operation, inputs)
        else:
            raise Untraceable(name)
        return dict.fromkeys(operation.outputs, result)

    def _split(self, operation: Operation, given: Extent) -> dict[int, Extent]:
        axis, result, start = operation.parameters["axis"], {}, 0
        for output, size in zip(operation.outputs, operation.parameters["sizes"], strict=True):
            result[output] = extents.take(given, axis, np.arange(start, start + size))
            start += size
        return result

    def _default_branch(self, operation: Operation) -> dict[int, Extent]:
        """The last branch: the form for any platform; the others compute the same."""
        if self.constants.maker[operation.inputs[0]].name not in ("platform_index", "convert_element_type", "clamp"):
            raise Untraceable("cond")
        branch = operation.parameters["branches"][-1]
        known = dict(zip(branch.jaxpr.invars, operation.inputs[1:], strict=True))
        found = {variable: self(value) for variable, value in known.items()}
        results = self._inside(branch.jaxpr, found)
        return {o: e for o, e in zip(operation.outputs, results, strict=True) if e is not None}

    def _inside(self, jaxpr: Any, found: dict[Any, Extent | None]) -> list[Extent | None]:
        for equation in jaxpr.eqns:
            inputs = [None if hasattr(v, "val") else found.get(v) for v in equation.invars]
            if all(e is None for e in inputs):
                continue
            name, inner = equation.primitive.name, inner_program(equation.primitive.name, equation.params)
            if inner is not None:
                results = self._inside(inner[0], dict(zip(inner[0].invars, inputs, strict=True)))
            elif name in ELEMENTWISE:
                results = [extents.joined([e for e in inputs if e is not None])]
            elif name in _RULES:
                results = [_RULES[name](equation.params, inputs, [v.aval.shape for v in equation.invars])]
            else:
                raise Untraceable(f"cond with {name}")
            found.update(zip(equation.outvars, results, strict=True))
        return [None if hasattr(v, "val") else found.get(v) for v in jaxpr.outvars]

    def _moved(self, operation: Operation, inputs: list[Extent | None]) -> Extent:
        """Elements taken from known places: the operation itself is performed on the extents."""
        import jax.numpy as jnp

        places = [self.constants(v) for v in operation.inputs[1:]]
        if any(p is None for p in places) or inputs[0] is None:
            raise Untraceable(f"{operation.name} at places that depend on the image")
        taken = _taken_along(operation, self.program.shape(operation.inputs[0]), places)
        if taken is not None:
            return extents.take(inputs[0], *taken)
        shape = self.program.shape(operation.inputs[0])
        full = np.broadcast_to(inputs[0], (3, *shape))
        if full.size > 20_000_000:
            raise Untraceable(f"{operation.name} of many elements")
        parts = [np.asarray(operation.run([jnp.asarray(part), *map(jnp.asarray, places)])[0]) for part in full]
        return extents.compressed(np.stack(parts))


def _taken_along(operation: Operation, shape: tuple[int, ...], places: list[np.ndarray]) -> tuple[int, np.ndarray] | None:
    """The axis and the indices of `jnp.take` with a vector of them, whose result has the axes of what it takes from."""
    if operation.name != "gather":
        return None
    numbers, sizes = operation.parameters["dimension_numbers"], operation.parameters["slice_sizes"]
    collapsed, started = numbers.collapsed_slice_dims, numbers.start_index_map
    if len(started) != 1 or collapsed != started or numbers.operand_batching_dims or places[0].ndim != 2:
        return None
    axis = started[0]
    if any(size != (1 if a == axis else shape[a]) for a, size in enumerate(sizes)):
        return None
    if numbers.offset_dims != tuple(a for a in range(len(shape)) if a != axis):
        return None
    return axis, np.clip(places[0][:, 0], 0, shape[axis] - 1)


def _broadcast(parameters: dict, inputs: list, shapes: list) -> Extent:
    sizes = [1] * len(parameters["shape"])
    for axis, size in zip(parameters["broadcast_dimensions"], inputs[0].shape[1:], strict=True):
        sizes[axis] = size
    return inputs[0].reshape(3, *sizes)


def _pad(parameters: dict, inputs: list, shapes: list) -> Extent:
    result = inputs[0]
    if result is None:
        raise Untraceable("pad by what depends on the image")
    for axis, (low, high, interior) in enumerate(parameters["padding_config"]):
        result = extents.windows(result, axis, 1, 1, (int(low), int(high)), int(interior) + 1)
    return result


def _stack(parameters: dict, inputs: list, shapes: list) -> Extent:
    axis = int(parameters["axis"])
    wide = [None if e is None else np.expand_dims(e, axis + 1) for e in inputs]
    return extents.concatenate(wide, [(*s[:axis], 1, *s[axis:]) for s in shapes], axis)


def _slice(parameters: dict, inputs: list, shapes: list) -> Extent:
    result, strides = inputs[0], parameters["strides"] or (1,) * len(shapes[0])
    for axis, (start, stop, stride) in enumerate(zip(parameters["start_indices"], parameters["limit_indices"], strides, strict=True)):
        if (start, stop, stride) != (0, shapes[0][axis], 1):
            result = extents.take(result, axis, np.arange(start, stop, stride))
    return result


def _convolution(parameters: dict, inputs: list, shapes: list) -> Extent:
    image, kernel = inputs
    if kernel is not None:
        raise Untraceable("a convolution whose kernel depends on the image")
    numbers, groups = parameters["dimension_numbers"], parameters["feature_group_count"]
    channel, *spatial = numbers.lhs_spec[1:]
    if parameters["batch_group_count"] != 1:
        raise Untraceable("a convolution by groups of a batch")
    multiples = shapes[1][numbers.rhs_spec[0]] // groups
    if groups != shapes[0][channel]:
        image = extents.over_axes(image, (channel,))
    elif image.shape[channel + 1] > 1:
        image = np.repeat(image, multiples, channel + 1)
    for i, axis in enumerate(spatial):
        image = extents.windows(
            image,
            axis,
            shapes[1][numbers.rhs_spec[2 + i]],
            parameters["window_strides"][i],
            parameters["padding"][i],
            parameters["lhs_dilation"][i],
            parameters["rhs_dilation"][i],
        )
    order = np.argsort(numbers.out_spec)
    source = np.array(numbers.lhs_spec)[order]
    return image.transpose(0, *(a + 1 for a in source))


def _windowed(parameters: dict, inputs: list, shapes: list) -> Extent:
    result = inputs[0]
    names = ("window_dimensions", "window_strides", "padding", "base_dilation", "window_dilation")
    for axis, values in enumerate(zip(*(parameters[n] for n in names), strict=True)):
        result = extents.windows(result, axis, *values)
    return result


_RULES: Mapping[str, Callable[[dict, list, list], Extent]] = {
    "broadcast_in_dim": _broadcast,
    "reshape": lambda p, inputs, shapes: extents.reshape(inputs[0], shapes[0], p["new_sizes"]),
    "transpose": lambda p, inputs, shapes: inputs[0].transpose(0, *(a + 1 for a in p["permutation"])),
    "squeeze": lambda p, inputs, shapes: np.squeeze(inputs[0], tuple(a + 1 for a in p["dimensions"])),
    "rev": lambda p, inputs, shapes: np.flip(inputs[0], tuple(a + 1 for a in p["dimensions"])),
    "concatenate": lambda p, inputs, shapes: extents.concatenate(inputs, shapes, int(p["dimension"])),
    "stack": _stack,
    "slice": _slice,
    "pad": _pad,
    "conv_general_dilated": _convolution,
    "dot_general": lambda p, inputs, shapes: extents.dot_general(inputs, [len(s) for s in shapes], p["dimension_numbers"]),
    **dict.fromkeys(_WINDOWED, _windowed),
}
