"""Layouts without names: convolutions in the order in which they are applied.

The order is that of the convolutions in the model file's `reference_names`. Another framework's layout is another small function here.
Where MATLAB counts channels in another order than we do, the model file says so by a function `from_matlab`.
"""

import sys
from collections.abc import Sequence

import flax.linen as nn
import flax.traverse_util
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.typing import Variables
from jaxrestore.weights.compare import compare
from jaxrestore.weights.contents import Layer
from jaxrestore.weights.reference import reference_table, variable_shapes

_NAMES = {"kernel": "kernel", "bias": "bias"}


def expected_layers(model: nn.Module) -> dict[str, tuple[int, ...]]:
    """Shapes of this network's convolutions as "convolution 1 kernel"..., and of anything else it has under our own paths."""
    leaves = flax.traverse_util.flatten_dict(variable_shapes(model))
    places = _places(model)
    return {_name(path, places): tuple(leaf.shape) for path, leaf in leaves.items()}


def layer_shapes(layers: Sequence[Layer]) -> dict[str, tuple[int, ...]]:
    """Shapes of a file's convolutions, named as `expected_layers` names them."""
    shapes = {}
    for i, layer in enumerate(layers, start=1):
        shapes[f"convolution {i} kernel"] = layer.kernel.shape
        if layer.bias is not None:
            shapes[f"convolution {i} bias"] = layer.bias.shape
    return shapes


def from_layers(model: nn.Module, layers: Sequence[Layer]) -> Variables:
    """Our variables from MatConvNet's (or MATLAB's) convolutions in order.

    Args:
      model: the network, in a form that has nothing but convolutions.
      layers: as many as the network has; kernels (height, width, in, out).

    Raises:
      InputError: the numbers or shapes differ, or the network has more than convolutions.
    """
    difference = compare(expected_layers(model), layer_shapes(layers))
    if difference:
        raise InputError(f"these weights do not fit {type(model).__name__}: {difference}")
    reorder = getattr(sys.modules[type(model).__module__], "from_matlab", None)
    if reorder is not None:
        layers = [Layer(kernel, bias) for kernel, bias in reorder(model, [(layer.kernel, layer.bias) for layer in layers])]
    variables = {}
    places = _places(model)
    for path, leaf in flax.traverse_util.flatten_dict(variable_shapes(model)).items():
        layer = layers[places["/".join(path[1:-1])]]
        variables[path] = np.ascontiguousarray(getattr(layer, _NAMES[path[-1]])).astype(leaf.dtype)
    return flax.traverse_util.unflatten_dict(variables)


def _places(model: nn.Module) -> dict[str, int]:
    """Path of each convolution -> its place among them."""
    leaves = flax.traverse_util.flatten_dict(variable_shapes(model), sep="/")
    convolutions = [
        path for path in reference_table(model)[0](model) if len(getattr(leaves.get(f"params/{path}/kernel"), "shape", ())) == 4
    ]
    return {path: place for place, path in enumerate(convolutions)}


def _name(path: tuple[str, ...], places: dict[str, int]) -> str:
    module = "/".join(path[1:-1])
    return f"convolution {places[module] + 1} {path[-1]}" if module in places else "/".join(path)
