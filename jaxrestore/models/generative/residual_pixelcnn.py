"""PixelCNN as in its paper: a residual network of masked convolutions.

Van den Oord, Kalchbrenner and Kavukcuoglu, "Pixel Recurrent Neural Networks", ICML 2016,
https://arxiv.org/abs/1601.06759, table 1 and figure 5

    image -> masked conv 7 "A" -+-> [ReLU, 1x1, ReLU, masked conv 3, ReLU, 1x1] -> + -> ... x blocks -> [ReLU, 1x1] x 2 -> logits
                                `--------------------------------------------------^                                  (all "B")

Given all pixels before it in raster order, but for those in a blind spot to the right above, the distribution of every value.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.masked_conv import MaskedConv
from jaxrestore.typing import DType, Image, Labels


class ResidualPixelCNN(nn.Module):
    """Residual blocks of masked convolutions.

    Attributes:
      features: channels inside a block; twice as many between blocks.
      blocks: number of residual blocks.
      hidden: channels of the layer before the last.
      levels: values that a channel may have: multiples of 1 / (levels - 1).
      channels: image channels; green is told after red, blue after green.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives logits (N, H, W, channels, levels). `nn.autoregression.sample` draws from it, and completes
    images of which pixels are missing.
    """

    features: int = 128
    blocks: int = 15
    hidden: int = 1024
    levels: int = 256
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    def setup(self) -> None:
        """The layers."""
        masked = partial(MaskedConv, groups=self.channels, dtype=self.dtype, param_dtype=self.param_dtype)
        self.head = masked(2 * self.features, (7, 7), strict=True)
        self.narrow = [masked(self.features, (1, 1)) for _ in range(self.blocks)]
        self.middle = [masked(self.features, (3, 3)) for _ in range(self.blocks)]
        self.widen = [masked(2 * self.features, (1, 1)) for _ in range(self.blocks)]
        self.tail_0, self.tail_1 = masked(self.hidden, (1, 1)), masked(self.levels * self.channels, (1, 1))

    def __call__(self, image: Image) -> jax.Array:
        """All distributions at once, each from the values before it."""
        x = self.head(image)
        for narrow, middle, widen in zip(self.narrow, self.middle, self.widen, strict=True):
            x = x + widen(nn.relu(middle(nn.relu(narrow(nn.relu(x))))))
        return self._distributions(x)

    def memory(self, count: int, width: int) -> list[jax.Array]:
        """What is remembered of the rows above the first."""
        return [jnp.zeros((count, reach, width, inputs)) for reach, inputs in self._windows()]

    def left(self, count: int) -> list[jax.Array]:
        """What is remembered of the pixels to the left of a row."""
        return [jnp.zeros((count, 1, reach, inputs)) for reach, inputs in self._windows()]

    def above(self, memory: list[jax.Array]) -> list[jax.Array]:
        """What a row needs of those above it."""
        return [layer(rows, part="above") for layer, rows in zip((self.head, *self.middle), memory, strict=True)]

    def here(
        self, left: list[jax.Array], above: list[jax.Array], pixel: jax.Array, label: Labels | None = None
    ) -> tuple[jax.Array, list[jax.Array]]:
        """Logits (N, 1, 1, channels, levels) of one pixel, and each window's input there; of the pixel only earlier channels matter."""
        x, inputs = self.head(jnp.concatenate([left[0], pixel], 2), part="here") + above[0], [pixel]
        for narrow, middle, widen, before, over in zip(self.narrow, self.middle, self.widen, left[1:], above[1:], strict=True):
            inputs.append(nn.relu(narrow(nn.relu(x))))
            x = x + widen(nn.relu(middle(jnp.concatenate([before, inputs[-1]], 2), part="here") + over))
        return self._distributions(x), inputs

    def remember(self, memory: list[jax.Array], inputs: list[jax.Array], label: Labels | None = None) -> list[jax.Array]:
        """The memory with one more row, of which each window's inputs (N, 1, W, C) are given."""
        return [jnp.concatenate([rows[:, 1:], new], 1) for rows, new in zip(memory, inputs, strict=True)]

    def _windows(self) -> list[tuple[int, int]]:
        return [(3, self.channels), *((1, self.features) for _ in range(self.blocks))]

    def _distributions(self, x: Image) -> jax.Array:
        x = self.tail_1(nn.relu(self.tail_0(nn.relu(x)))).astype(jnp.float32)
        return jnp.swapaxes(x.reshape(*x.shape[:-1], self.levels, self.channels), -1, -2)


CARDS = (
    ModelCard(
        name="residual_pixelcnn",
        module=ResidualPixelCNN,
        task="generation",
        paper="https://arxiv.org/abs/1601.06759",
        parameters=4_290_816,
        notes="the paper's network for CIFAR-10; the count is computed, masked parameters included, none is published",
    ),
)
