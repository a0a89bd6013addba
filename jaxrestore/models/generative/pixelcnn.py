"""PixelCNN: pixel recurrent neural networks, in their convolutional form.

Van den Oord, Kalchbrenner and Kavukcuoglu, ICML 2016, https://arxiv.org/abs/1601.06759

    image -> masked conv 7 "A", BN, ReLU -> [masked conv 7 "B", BN, ReLU] x (depth - 1) -> 1x1 -> logits of each value

Given all pixels before it in raster order, but for those in a blind spot to the right above, the distribution of every pixel.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.masked_conv import MaskedConv
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.typing import DType, Image, Labels


class PixelCNN(nn.Module):
    """A stack of masked convolutions.

    Attributes:
      features: channels of every hidden layer.
      depth: number of masked convolutions.
      kernel_size: side of their windows, odd.
      levels: values that a channel may have: multiples of 1 / (levels - 1).
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives logits (N, H, W, channels, levels). `nn.autoregression.sample` draws from it, and completes
    images of which pixels are missing.
    """

    features: int = 64
    depth: int = 8
    kernel_size: int = 7
    levels: int = 256
    channels: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    def setup(self) -> None:
        """The layers."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        masked = partial(MaskedConv, groups=self.channels, kernel_init=TORCH_INIT["kernel_init"], **types)
        window = (self.kernel_size, self.kernel_size)
        self.conv = [masked(self.features, window, strict=i == 0, use_bias=False) for i in range(self.depth)]
        self.norm = [BatchNorm(**types) for _ in range(self.depth)]
        self.tail = masked(self.levels * self.channels, (1, 1))

    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """All distributions at once, each from the values before it."""
        x = image
        for conv, norm in zip(self.conv, self.norm, strict=True):
            x = nn.relu(norm(conv(x), train))
        return self._distributions(x)

    def memory(self, count: int, width: int) -> list[jax.Array]:
        """What is remembered of the rows above the first."""
        return [jnp.zeros((count, self.kernel_size // 2, width, inputs)) for inputs in self._inputs()]

    def left(self, count: int) -> list[jax.Array]:
        """What is remembered of the pixels to the left of a row."""
        return [jnp.zeros((count, 1, self.kernel_size // 2, inputs)) for inputs in self._inputs()]

    def above(self, memory: list[jax.Array]) -> list[jax.Array]:
        """What a row needs of those above it."""
        return [conv(rows, part="above") for conv, rows in zip(self.conv, memory, strict=True)]

    def here(
        self, left: list[jax.Array], above: list[jax.Array], pixel: jax.Array, label: Labels | None = None
    ) -> tuple[jax.Array, list[jax.Array]]:
        """Logits (N, 1, 1, channels, levels) of one pixel, and each layer's input there."""
        x, inputs = pixel, []
        for conv, norm, before, over in zip(self.conv, self.norm, left, above, strict=True):
            inputs.append(x)
            x = nn.relu(norm(conv(jnp.concatenate([before, x], 2), part="here") + over))
        return self._distributions(x), inputs

    def remember(self, memory: list[jax.Array], inputs: list[jax.Array], label: Labels | None = None) -> list[jax.Array]:
        """The memory with one more row, of which each layer's inputs (N, 1, W, C) are given."""
        return [jnp.concatenate([rows[:, 1:], new], 1) for rows, new in zip(memory, inputs, strict=True)]

    def _inputs(self) -> list[int]:
        return [self.features if i else self.channels for i in range(self.depth)]

    def _distributions(self, x: Image) -> jax.Array:
        x = self.tail(x).astype(jnp.float32)
        return jnp.swapaxes(x.reshape(*x.shape[:-1], self.levels, self.channels), -1, -2)


def reference_names(model: PixelCNN) -> dict[str, str]:
    """Our module paths -> the module names of jzbontar/pixelcnn-pytorch."""
    names = {"tail": str(3 * model.depth)}
    for i in range(model.depth):
        names |= {f"conv_{i}": str(3 * i), f"norm_{i}": str(3 * i + 1)}
    return names


CARDS = (
    ModelCard(
        name="pixelcnn",
        module=PixelCNN,
        task="generation",
        paper="https://arxiv.org/abs/1601.06759",
        channels=1,
        parameters=1_425_728,
        reference="jzbontar/pixelcnn-pytorch (MIT)",
        reference_names=reference_names,
        notes="about half of the parameters are masked",
    ),
)
