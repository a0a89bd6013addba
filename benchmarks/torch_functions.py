"""Networks as PyTorch functions of their reference's tensors: what the files of such networks share.

A network takes `t`, a `Tensors` that convolves with tensors by name, and an image (N, C, H, W). `as_network` makes a module of one. PyTorch
is imported only when one is called.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Tensor = Any


class Tensors:
    """A reference's tensors by name."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self.tensors = tensors

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    def __contains__(self, name: str) -> bool:
        return name in self.tensors

    def conv(
        self,
        x: Tensor,
        name: str,
        stride: int = 1,
        groups: int = 1,
        dilation: int = 1,
        padding: int | tuple[int, ...] | None = None,
        mode: str = "zeros",
    ) -> Tensor:
        """The convolution `name`, padded to the size of its input where nothing else is said; of videos where its kernel is theirs."""
        import torch.nn.functional as F

        weight = self.tensors[f"{name}.weight"]
        if padding is None:
            padding = tuple(dilation * (side // 2) for side in weight.shape[2:])
        if mode != "zeros":
            sides = (padding,) * 2 if isinstance(padding, int) else padding
            x, padding = F.pad(x, (sides[1], sides[1], sides[0], sides[0]), mode), 0
        convolve = F.conv2d if weight.ndim == 4 else F.conv3d
        return convolve(x, weight, self.tensors.get(f"{name}.bias"), stride, padding, dilation, groups)

    def deconv(self, x: Tensor, name: str, stride: int, padding: int, more: int = 0, groups: int = 1) -> Tensor:
        """The transposed convolution `name`; of sequences where its kernel is theirs."""
        import torch.nn.functional as F

        weight = self.tensors[f"{name}.weight"]
        convolve = F.conv_transpose2d if weight.ndim == 4 else F.conv_transpose1d
        return convolve(x, weight, self.tensors.get(f"{name}.bias"), stride, padding, more, groups)

    def linear(self, x: Tensor, name: str) -> Tensor:
        """The dense layer `name`."""
        import torch.nn.functional as F

        return F.linear(x, self.tensors[f"{name}.weight"], self.tensors.get(f"{name}.bias"))

    def norm(self, x: Tensor, name: str, epsilon: float = 1e-5) -> Tensor:
        """Batch normalisation `name` with its stored statistics."""
        import torch.nn.functional as F

        leaves = (self.tensors.get(f"{name}.{leaf}") for leaf in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, *leaves, eps=epsilon)

    def stack(self, x: Tensor, names: Sequence[str], **options: Any) -> Tensor:
        """Convolutions one after the other, with a ReLU after each but the last."""
        *hidden, last = names
        for name in hidden:
            x = self.conv(x, name, **options).relu_()
        return self.conv(x, last, **options)


Forward = Callable[[Tensors, Tensor], Tensor]


def as_network(forward: Forward) -> Callable[[], Any]:
    """A builder of a module whose state dict may be any."""

    def build() -> Any:
        from torch import nn

        class Network(nn.Module):
            def load_state_dict(self, state, strict=True):
                self.names = {name: f"tensor_{i}" for i, name in enumerate(state)}
                for name, place in self.names.items():
                    self.register_buffer(place, state[name])
                return nn.modules.module._IncompatibleKeys([], [])

            def forward(self, image):
                return forward(Tensors({name: getattr(self, place) for name, place in self.names.items()}), image)

        return Network()

    return build


def shuffle(x: Tensor, scale: int) -> Tensor:
    """Channels into space."""
    import torch.nn.functional as F

    return F.pixel_shuffle(x, scale)


def enlarge(x: Tensor, scale: int = 2, method: str = "nearest", align_corners: bool | None = None) -> Tensor:
    """Interpolation by a factor."""
    import torch.nn.functional as F

    return F.interpolate(x, scale_factor=scale, mode=method, align_corners=align_corners)


def join(*parts: Tensor) -> Tensor:
    """Side by side in the channels."""
    import torch

    return torch.cat(parts, 1)


def sides(x: Tensor, matrix: Callable[[int], np.ndarray]) -> Tensor:
    """Both sides of an image multiplied by a matrix for their length: a linear map that is no part of the network proper."""
    import torch

    rows, columns = (torch.from_numpy(matrix(side).copy()) for side in x.shape[-2:])
    return rows @ x @ columns.T
