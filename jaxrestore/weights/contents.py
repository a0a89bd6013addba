"""What a file of weights can hold, before anyone knows which network it is for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxrestore.typing import Variables


@dataclass(frozen=True)
class StateDict:
    """Tensors by their names in a reference implementation.

    Attributes:
      tensors: arrays in the reference's layout (kernels OIHW).
    """

    tensors: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Layer:
    """One convolution.

    Attributes:
      kernel: (height, width, in, out).
      bias: (out,), or None.
    """

    kernel: np.ndarray
    bias: np.ndarray | None


@dataclass(frozen=True)
class LayerList:
    """Convolutions in the order in which they are applied, without names (MatConvNet, MATLAB cell arrays).

    Attributes:
      layers: the convolutions.
      is_network: whether the file describes a whole network of these layers (MatConvNet), not only kernels and biases. Bare kernels say
        nothing about what is done with them: VDSR adds where DnCNN takes off, with the same twenty shapes.
      networks: how many networks of one form the layers are, one after the other.
    """

    layers: tuple[Layer, ...]
    is_network: bool = True
    networks: int = 1

    def network(self, number: int) -> "LayerList":
        """One of the networks, from 0."""
        depth = len(self.layers) // self.networks
        return LayerList(self.layers[number * depth : (number + 1) * depth], self.is_network)


@dataclass(frozen=True)
class OwnVariables:
    """Variables in our own layout.

    Attributes:
      variables: {"params": ..., "batch_stats": ...}, NumPy arrays at the leaves.
      meta: what the file says of itself: "model", "class", "fields", "information"; empty where it says nothing.
      note: where exactly they come from, such as the step of a training run.
    """

    variables: Variables
    meta: Mapping[str, Any]
    note: str = ""


Contents = StateDict | LayerList | OwnVariables
