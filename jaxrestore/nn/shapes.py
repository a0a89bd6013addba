"""The shapes of a network's variables, without computing anything and in a moment.

Tracing two hundred equal blocks takes seconds, and every one of them says the same. Here each distinct module (same class, same fields,
same shapes going in) is traced once; where it comes again, its variables and its result are written down from the first time. A convolution
is not even traced then: it gives zeros of the right shape (see `only_shapes`).
"""

import dataclasses
from collections.abc import Callable, Hashable
from contextvars import ContextVar
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.typing import Key, Variables

Path = tuple[str, ...]
_only_shapes: ContextVar[bool] = ContextVar("only_shapes", default=False)
_recording: ContextVar[dict[Path, Callable] | None] = ContextVar("recording", default=None)


def only_shapes() -> bool:
    """Whether nothing but shapes is wanted: then a layer may give zeros."""
    return _only_shapes.get()


def note(path: Path, initialiser: Callable) -> None:
    """Say which initialiser a variable wants, when `noted_shapes` is asking; for statistics that do not begin as zeros or ones."""
    recording = _recording.get()
    if recording is not None:
        recording[path] = initialiser


def variable_shapes(model: nn.Module, key: Key, *example: Any, **keywords: Any) -> Variables:
    """Shapes and types of a network's variables.

    Args:
      model: any Flax module.
      key: random key; its value does not matter.
      *example: arguments of the module's `__call__`; only shapes and dtypes matter, `jax.ShapeDtypeStruct` will do.
      **keywords: further arguments of `__call__`.
    """
    return noted_shapes(model, key, *example, **keywords)[0]


def noted_shapes(model: nn.Module, key: Key, *example: Any, **keywords: Any) -> tuple[Variables, dict[Path, Callable]]:
    """`variable_shapes`, and the initialisers that layers note, by path without the collection."""
    noted: dict[Path, Callable] = {}
    tokens = _only_shapes.set(True), _recording.set(noted)

    def init(key: Key, example: tuple) -> Variables:
        with nn.intercept_methods(_EachOnce(noted)):
            return model.init(key, *example, **keywords)

    try:
        return jax.eval_shape(init, key, example), noted
    finally:
        _only_shapes.reset(tokens[0])
        _recording.reset(tokens[1])


class _Seen(NamedTuple):
    """What a module left behind when it was traced."""

    variables: dict[str, Any]
    result: Any
    noted: dict[Path, Callable]


class _EachOnce:
    """Runs a module's `__call__` the first time, and repeats what it left behind when an equal one is called on equal shapes."""

    def __init__(self, noted: dict[Path, Callable]) -> None:
        self.noted = noted
        self.seen: dict[Hashable, _Seen] = {}
        self.zeros: dict[Hashable, jax.Array] = {}

    def __call__(self, run: Callable, args: tuple, kwargs: dict, context: nn.module.InterceptorContext) -> Any:
        module = context.module
        # A layer that applies another one to parameters of its own has a scope inside that nothing is written to.
        makes_variables = context.method_name == "__call__" and module.scope is not None and module.is_mutable_collection("params")
        key = _identity(module, args, kwargs) if makes_variables else None
        if key is None:
            return run(*args, **kwargs)
        if key in self.seen:
            return self._repeat(module, self.seen[key])
        result = run(*args, **kwargs)
        depth = len(module.path)
        noted = {path[depth:]: initialiser for path, initialiser in self.noted.items() if path[:depth] == module.path}
        self.seen[key] = _Seen(jax.tree.map(_shape, dict(module.variables)), jax.tree.map(_shape, result), noted)
        return result

    def _repeat(self, module: nn.Module, seen: _Seen) -> Any:
        for collection, variables in seen.variables.items():
            for name, value in variables.items():
                module.put_variable(collection, name, jax.tree.map(self._zeros, value))
        self.noted.update({(*module.path, *path): initialiser for path, initialiser in seen.noted.items()})
        return jax.tree.map(self._zeros, seen.result)

    def _zeros(self, leaf: Any) -> Any:
        if not isinstance(leaf, jax.ShapeDtypeStruct):
            return leaf
        if (leaf.shape, leaf.dtype) not in self.zeros:
            self.zeros[leaf.shape, leaf.dtype] = jnp.zeros(leaf.shape, leaf.dtype)
        return self.zeros[leaf.shape, leaf.dtype]


def _shape(leaf: Any) -> Any:
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) if isinstance(leaf, jax.Array) else leaf


def _identity(module: nn.Module, args: tuple, kwargs: dict) -> Hashable | None:
    """Equal for modules that leave the same behind; None for one that holds other modules, or is called on what cannot be compared."""
    fields = {f.name: getattr(module, f.name) for f in dataclasses.fields(module) if f.name not in ("parent", "name")}
    leaves, structure = jax.tree.flatten((fields, args, kwargs), is_leaf=lambda x: isinstance(x, nn.Module))
    if any(isinstance(leaf, nn.Module) for leaf in leaves):
        return None
    identity = (type(module), structure, tuple((leaf.shape, leaf.dtype) if hasattr(leaf, "shape") else leaf for leaf in leaves))
    try:
        hash(identity)
    except TypeError:
        return None
    return identity
