"""Write a network as an ONNX model."""

import json
from pathlib import Path
from typing import Any

import jax
import numpy as np

import jaxrestore
from jaxrestore.errors import InputError
from jaxrestore.export.network import Exportable
from jaxrestore.export.onnx import protobuf
from jaxrestore.export.onnx.graph import OPSET, Graph, Tensor
from jaxrestore.export.onnx.lowering import lower
from jaxrestore.export.stablehlo import for_any_size
from jaxrestore.typing import Side
from jaxrestore.weights.guard import replacing

_LARGEST = 2**31 - 2**20  # protobuf's limit for one message


def write_onnx(network: Exportable, path: Path, *, size: tuple[int, int] | None = None) -> dict[str, Any]:
    """Write an ONNX model (opset 17) with the weights inside.

    Args:
      network: what to export. The model takes and gives NHWC, in float32, as the network does.
      path: the file; an existing one is replaced.
      size: (height, width) of the images; None for any.

    Returns:
      What the model's metadata says of the network.

    Raises:
      InputError: an operation that has no counterpart here, a network that is not one for images of every size, or weights of more than
        2 GiB.
    """
    content, about = onnx_model(network, size)
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return about


def onnx_model(network: Exportable, size: tuple[int, int] | None = None) -> tuple[bytes, dict[str, Any]]:
    """The bytes of the model, and what its metadata says.

    Raises:
      InputError: as for `write_onnx`.
    """
    weights = network.weights
    shapes = tuple(jax.ShapeDtypeStruct(value.shape, value.dtype) for value in weights.values())

    def traced(batch: Side, height: Side, width: Side) -> tuple[Any, tuple]:
        inputs = network.inputs(batch, height, width)
        return jax.jit(network.function()).trace(shapes, inputs).jaxpr, inputs

    if size is None:
        (closed, inputs), least = for_any_size(traced, network)
    else:
        from jax import export

        (closed, inputs), least = traced(export.symbolic_shape("n")[0], *size), 1
    names = ("image", *network.maps)
    graph = Graph({id(value): name for name, value in weights.items()})
    for name, value in zip(names, inputs, strict=True):
        graph.measure(name, value.shape)
    given = [Tensor(name, tuple(value.shape), np.dtype(value.dtype)) for name, value in zip(names, inputs, strict=True)]
    (result,) = lower(graph, closed, [*weights.values(), *given])
    graph.nodes.append(protobuf.node("Identity", [graph.name(result)], ["restored"], {}))
    total = sum(value.nbytes for value in graph.constants.values())
    if total > _LARGEST:
        raise InputError(f"{network.name} has {total / 2**30:.1f} GiB of weights: an ONNX file holds 2; export StableHLO")
    height, width = size or (None, None)
    about = {**network.about(), "size": {"height": height, "width": width}, "least": least}
    content = protobuf.model(
        network.name,
        graph.nodes,
        (protobuf.tensor(name, value) for name, value in graph.constants.items()),
        (protobuf.value_info(value.name, value.dtype, _sides(value.shape)) for value in given),
        [protobuf.value_info("restored", np.dtype(result.dtype), _sides(result.shape))],
        OPSET,
        jaxrestore.__version__,
        {key: value if isinstance(value, str) else json.dumps(value) for key, value in about.items()},
    )
    return content, about


def _sides(shape: tuple[Side, ...]) -> list[int | str]:
    return [side if isinstance(side, int) else str(side) for side in shape]
