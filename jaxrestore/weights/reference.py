"""Between a reference's state dict and our variables, strict both ways.

A model file says only which module of ours is which of theirs (`reference_names`: "block_0/conv" -> "body.0"), or which leaf where their
names follow no rule ("block_0/conv.kernel" -> "W_0"); how a leaf is laid out is known here, once, from the leaf's name. Nothing may be left
over on either side. `REFERENCE_IGNORED` in a model file are prefixes of tensors without a counterpart, `REFERENCE_SYNONYMS` parts of names
that another repository uses for the same network, and `REFERENCE_KERNELS` = "HWIO" says that its kernels lie as ours do (TensorFlow); where
that depends on the network's fields, a function `reference_kernels(model)` says it.
"""

import sys
from collections.abc import Callable, Mapping
from functools import lru_cache

import flax.linen as nn
import flax.traverse_util
import jax
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.models.inputs import example_inputs
from jaxrestore.nn import shapes
from jaxrestore.typing import Variables
from jaxrestore.weights.compare import compare, some

# Our leaf's name -> the reference's, for modules of every kind.
_THEIR_LEAF = {
    "kernel": "weight",
    "kernel_transposed": "weight",
    "scale": "weight",
    "slope": "weight",
    "embedding": "weight",
    "bias": "bias",
    "mean": "running_mean",
    "var": "running_var",
    "u": "weight_u",
    "v": "weight_v",
}
_KERNELS = ("kernel", "kernel_transposed")
# Counters and tables that follow from the network's fields.
_NO_COUNTERPART = (
    "num_batches_tracked",
    "relative_position_index",
    "attn_mask",
    "position_ids",
    "downsampler_.weight",  # a fixed filter
    "downsampler_.bias",
    ".mask",  # of masked convolutions
)
_WRAPPERS = ("module.",)


def reference_table(model: nn.Module) -> tuple[Callable, tuple[str, ...]]:
    """The `reference_names` function and the ignored prefixes of the file in which a network is defined."""
    home = sys.modules[type(model).__module__]
    if not hasattr(home, "reference_names"):
        raise InputError(f"{type(model).__name__} has no reference layout: its weights come only from jaxrestore's own files")
    return home.reference_names, getattr(home, "REFERENCE_IGNORED", ())


def reference_modules(model: nn.Module) -> set[str]:
    """Names of the reference's modules that hold tensors, as far as they are known without computing any shape."""
    names = reference_table(model)[0](model)
    return {module_of(their) if "." in our else their for our, their in names.items()}


def module_of(tensor: str) -> str:
    """The name of the reference's module that holds a tensor: TensorFlow divides names by "/"."""
    return tensor.rpartition("/" if "/" in tensor else ".")[0]


def expected_tensors(model: nn.Module) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors of the reference's state dict for this network."""
    _, theirs = _layouts(model)
    return {name: theirs(path[-1], np.empty(leaf.shape, np.uint8)).shape for path, leaf, name in _pairs(model)}


def counted_shapes(model: nn.Module, state: Mapping[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors of a state that must have a counterpart in this network."""
    ignored = tuple(reference_table(model)[1])
    state = renamed(model, state)
    return {k: tuple(v.shape) for k, v in state.items() if not k.startswith(ignored) and not k.endswith(_NO_COUNTERPART)}


def from_reference(model: nn.Module, state: Mapping[str, np.ndarray]) -> Variables:
    """Our variables from a reference's state dict.

    Args:
      model: the network, with the fields of the configuration that the state belongs to.
      state: the reference's tensors by name, in its own layout (torch: kernels OIHW).

    Raises:
      InputError: a leaf of ours has no source, a tensor of theirs is neither used nor ignored, or a shape differs; all are listed.
    """
    state = renamed(model, without_wrappers(state))
    difference = compare(expected_tensors(model), counted_shapes(model, state))
    if difference:
        raise InputError(f"these weights do not fit {type(model).__name__}: {difference}")
    ours, _ = _layouts(model)
    variables = {path: ours(path[-1], np.asarray(state[name])).astype(leaf.dtype) for path, leaf, name in _pairs(model)}
    return flax.traverse_util.unflatten_dict(variables)


def to_reference(model: nn.Module, variables: Variables) -> dict[str, np.ndarray]:
    """A state dict that the reference code loads: `from_reference` backwards (without its counters and fixed tensors)."""
    flat = flax.traverse_util.flatten_dict(variables)
    _, theirs = _layouts(model)
    return {name: np.ascontiguousarray(theirs(path[-1], np.asarray(flat[path]))) for path, _, name in _pairs(model)}


def renamed(model: nn.Module, state: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
    """The state with the synonyms of the network's file replaced."""
    synonyms = getattr(sys.modules[type(model).__module__], "REFERENCE_SYNONYMS", None)
    if not synonyms:
        return state
    return {".".join(synonyms.get(part, part) for part in name.split(".")): value for name, value in state.items()}


def without_wrappers(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The state without the prefix that data-parallel training puts before every name."""
    for prefix in _WRAPPERS:
        if state and all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return dict(state)


def variable_shapes(model: nn.Module) -> Variables:
    """Shapes of a network's variables, by evaluating nothing."""
    try:
        return _cached_shapes(model)
    except TypeError:  # a field that has no hash
        return _shapes(model)


def _shapes(model: nn.Module) -> Variables:
    return shapes.variable_shapes(model, jax.random.key(0), *example_inputs(model))


_cached_shapes = lru_cache(maxsize=256)(_shapes)


def _pairs(model: nn.Module) -> list[tuple[tuple[str, ...], jax.ShapeDtypeStruct, str]]:
    names = reference_table(model)[0](model)
    leaves = flax.traverse_util.flatten_dict(variable_shapes(model))
    unnamed = sorted({"/".join(path[1:-1]) for path in leaves if _leaf_key(path) not in names} - set(names))
    if unnamed:
        raise ValueError(f"reference_names of {type(model).__name__} does not name {some(unnamed)}")
    normalised = {path[1:-1] for path in leaves if path[-1] == "u"}
    return [(path, leaf, _their_name(names, path, path[1:-1] in normalised)) for path, leaf in leaves.items()]


def _their_name(names: Mapping[str, str], path: tuple[str, ...], normalised: bool) -> str:
    """A leaf's name in the reference: of its own where `names` has one, else by the name of its module."""
    own = names.get(_leaf_key(path))
    if own is not None:
        return own
    # torch's spectral normalisation keeps the kernel before the division under a name of its own.
    leaf = "weight_orig" if normalised and path[-1] in _KERNELS else _THEIR_LEAF[path[-1]]
    return f"{names['/'.join(path[1:-1])]}.{leaf}"


def _leaf_key(path: tuple[str, ...]) -> str:
    return f"{'/'.join(path[1:-1])}.{path[-1]}"


def _layouts(model: nn.Module) -> tuple[Callable, Callable]:
    """(leaf's name, their value) -> ours, and back."""
    home = sys.modules[type(model).__module__]
    kernels = home.reference_kernels(model) if hasattr(home, "reference_kernels") else getattr(home, "REFERENCE_KERNELS", "OIHW")
    return {"OIHW": (_ours, _theirs), "HWIO": (_ours_of_tensorflow, _tensorflows)}[kernels]


def _ours_of_tensorflow(leaf: str, value: np.ndarray) -> np.ndarray:
    if leaf == "kernel_transposed":  # theirs (height, width, out, in), applied as a gradient
        return np.flip(value.swapaxes(-1, -2), tuple(range(value.ndim - 2)))
    return value[0] if leaf == "u" else value


def _tensorflows(leaf: str, value: np.ndarray) -> np.ndarray:
    if leaf == "kernel_transposed":
        return np.flip(value, tuple(range(value.ndim - 2))).swapaxes(-1, -2)
    return value[None] if leaf == "u" else value


def _ours(leaf: str, value: np.ndarray) -> np.ndarray:
    if leaf == "kernel":
        return value.T if value.ndim == 2 else np.moveaxis(value, (0, 1), (-1, -2))
    if leaf == "kernel_transposed":  # theirs (in, out, height, width), applied as a gradient
        return np.flip(np.moveaxis(value, (0, 1), (-2, -1)), tuple(range(value.ndim - 2)))
    return value


def _theirs(leaf: str, value: np.ndarray) -> np.ndarray:
    if leaf == "kernel":
        return value.T if value.ndim == 2 else np.moveaxis(value, (-1, -2), (0, 1))
    if leaf == "kernel_transposed":
        return np.moveaxis(np.flip(value, tuple(range(value.ndim - 2))), (-2, -1), (0, 1))
    return value
