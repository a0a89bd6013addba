"""The gated layers of PixelCNN: a vertical stack that sees all rows above, a horizontal one that sees the row so far and the other stack.

    v -- conv of this row and those above, + 1x1, + label --+--> tanh * sigmoid -> + v -> v
                                                            | of the row above
                                                           1x1
                                                            v
    h -- masked conv of this row ---------------- + label - + -> tanh * sigmoid -> 1x1 -> + h -> h
                                                                       `--------> 1x1 -> sum over the layers

A vertical and a horizontal stack have no blind spot. Van den Oord et al., "Conditional Image Generation with PixelCNN Decoders", 2016.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.embedding import Embedding
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.masked_conv import MaskedConv
from jaxrestore.typing import DType, Image, Labels

_init = dict(kernel_init=TORCH_INIT["kernel_init"])


class GatedBlock(nn.Module):
    """One layer of both stacks.

    Attributes:
      features: channels of each stack.
      kernel_size: side of the window, odd.
      groups: image channels that come one after the other.
      first: the layer that sees the image: strict, without residual connections, label and sum.
      classes: number of labels; 0 without.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes the stacks v and h (N, H, W, C), and labels (N,) where there are classes; gives (v, h, share in the sum).
    """

    features: int
    kernel_size: int = 5
    groups: int = 3
    first: bool = False
    classes: int = 0
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    def setup(self) -> None:
        """The layers."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        both, masked = 2 * self.features, partial(MaskedConv, groups=self.groups, strict=self.first, **_init, **types)
        self.v_conv = Conv(both, (self.height, self.kernel_size), padding=(0, self.kernel_size // 2), **TORCH_INIT, **types)
        self.v_fc = Conv(both, 1, **TORCH_INIT, **types)
        if self.first:
            self.v_to_h = Conv(both, 1, **TORCH_INIT, **types)
        else:
            self.v_to_h = masked(both, (1, 1), blocks=2, input_blocks=2)
            self.h_skip = masked(self.features, (1, 1))
        self.h_conv = masked(both, (1, self.kernel_size), blocks=2)
        self.h_fc = masked(self.features, (1, 1))
        if self.classes:
            self.label_embedding = Embedding(self.classes, both, **types)

    @property
    def height(self) -> int:
        """Rows that the vertical stack sees at once."""
        return self.kernel_size // 2 + 1

    def __call__(self, v: Image, h: Image, label: Labels | None = None) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Of a whole image."""
        rows = self.v_conv(jnp.pad(v, ((0, 0), (self.height, 0), (0, 0), (0, 0))))  # row r sees rows r - height to r - 1
        said = rows[:, 1:] + self.v_fc(v) + self._of(label)
        above = jnp.concatenate([rows[:, :1], said[:, :-1]], 1)
        return self._vertical(v, said), *self._horizontal(h, self.h_conv(h) + self.v_to_h(above), label)

    def memory(self, count: int, width: int, inputs: int) -> tuple[jax.Array, jax.Array]:
        """Of the rows above the first, of `inputs` channels: the vertical stack's inputs, and what it says to the next row."""
        rows = jnp.zeros((count, self.height, width, inputs))
        return rows, self.v_conv(rows)

    def above(self, memory: tuple[jax.Array, jax.Array]) -> jax.Array:
        """What the vertical stack says to a row of the horizontal one, (N, 1, W, 2 * features)."""
        return self.v_to_h(memory[1])

    def remember(
        self, memory: tuple[jax.Array, jax.Array], v: Image, label: Labels | None = None
    ) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        """With one more row v (N, 1, W, C): (memory, the row for the next layer)."""
        rows = jnp.concatenate([memory[0][:, 1:], v], 1)
        said = self.v_conv(rows) + self.v_fc(v) + self._of(label)
        return (rows, said), self._vertical(v, said)

    def here(self, left: Image, h: Image, above: Image, label: Labels | None = None) -> tuple[jax.Array, jax.Array]:
        """One pixel h (N, 1, 1, C) behind those to its left (N, 1, kernel_size // 2, C): (h, share in the sum)."""
        return self._horizontal(h, self.h_conv(jnp.concatenate([left, h], 2), part="here") + above, label)

    def _vertical(self, v: Image, said: Image) -> jax.Array:
        result = _gate(said)
        return result if self.first else result + v

    def _horizontal(self, h: Image, seen: Image, label: Labels | None) -> tuple[jax.Array, jax.Array]:
        gated = _gate(seen + self._of(label))
        if self.first:
            return self.h_fc(gated), jnp.zeros_like(gated)
        return self.h_fc(gated) + h, self.h_skip(gated)

    def _of(self, label: Labels | None) -> jax.Array | float:
        return self.label_embedding(label)[:, None, None] if self.classes else 0.0


def _gate(x: jax.Array) -> jax.Array:
    signal, gate = jnp.split(x, 2, -1)
    return jnp.tanh(signal) * nn.sigmoid(gate)


class GatedPixels(nn.Module):
    """A gated autoregressive network: the distribution of every value given all values before it.

    Attributes:
      features: channels of each stack.
      layers: number of gated layers behind the first.
      causal_kernel_size: side of the first layer's window.
      kernel_size: side of the others'.
      hidden: channels of the layer before the last.
      levels: values that a channel may have: multiples of 1 / (levels - 1).
      classes: number of labels; 0 without.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], and labels (N,) where there are classes; gives logits (N, H, W, channels, levels).
    `nn.autoregression.sample` draws from it.
    """

    features: int = 30
    layers: int = 6
    causal_kernel_size: int = 7
    kernel_size: int = 7
    hidden: int = 10
    levels: int = 2
    classes: int = 10
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def example_inputs(self) -> tuple[jax.ShapeDtypeStruct, ...] | None:
        """An image and its label; None, as for any network of images, without classes."""
        if not self.classes:
            return None
        return jax.ShapeDtypeStruct((1, 32, 32, self.channels), jnp.float32), jax.ShapeDtypeStruct((1,), jnp.int32)

    def setup(self) -> None:
        """The layers."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        block = partial(GatedBlock, self.features, groups=self.channels, **types)
        first = block(self.causal_kernel_size, first=True)
        self.block = [first, *(block(self.kernel_size, classes=self.classes) for _ in range(self.layers))]
        if self.classes:
            self.label_embedding = Embedding(self.classes, self.features, **types)
        tail = partial(MaskedConv, kernel_size=(1, 1), groups=self.channels, **_init, **types)
        self.tail_0, self.tail_1 = tail(self.hidden), tail(self.levels * self.channels)

    def __call__(self, image: Image, label: Labels | None = None) -> jax.Array:
        """All distributions at once, each from the values before it."""
        label = self._checked(image, label)
        v = h = image
        total = 0.0
        for block in self.block:
            v, h, share = block(v, h, label)
            total = total + share
        return self._tail(total, label)

    def memory(self, count: int, width: int) -> list[tuple[jax.Array, jax.Array]]:
        """What is remembered of the rows above the first."""
        return [block.memory(count, width, inputs) for block, inputs in self._inputs()]

    def left(self, count: int) -> list[jax.Array]:
        """What is remembered of the pixels to the left of a row."""
        return [jnp.zeros((count, 1, block.kernel_size // 2, inputs)) for block, inputs in self._inputs()]

    def above(self, memory: list[tuple[jax.Array, jax.Array]]) -> list[jax.Array]:
        """What a row needs of those above it."""
        return [block.above(kept) for block, kept in zip(self.block, memory, strict=True)]

    def here(
        self, left: list[jax.Array], above: list[jax.Array], pixel: jax.Array, label: Labels | None = None
    ) -> tuple[jax.Array, list[jax.Array]]:
        """Logits (N, 1, 1, channels, levels) of one pixel, and each layer's input there; of the pixel only earlier channels matter."""
        h, total, inputs = pixel, 0.0, []
        for block, before, over in zip(self.block, left, above, strict=True):
            inputs.append(h)
            h, share = block.here(before, h, over, label)
            total = total + share
        return self._tail(total, label), inputs

    def remember(
        self, memory: list[tuple[jax.Array, jax.Array]], inputs: list[jax.Array], label: Labels | None = None
    ) -> list[tuple[jax.Array, jax.Array]]:
        """The memory with one more row, of which each layer's inputs (N, 1, W, C) are given."""
        v, new = inputs[0], []
        for block, kept in zip(self.block, memory, strict=True):
            kept, v = block.remember(kept, v, label)
            new.append(kept)
        return new

    def _inputs(self) -> list[tuple[GatedBlock, int]]:
        return [(block, self.features if i else self.channels) for i, block in enumerate(self.block)]

    def _tail(self, x: Image, label: Labels | None) -> jax.Array:
        if self.classes:
            x = x + self.label_embedding(label)[:, None, None]
        x = self.tail_1(nn.relu(self.tail_0(nn.relu(x)))).astype(jnp.float32)
        return jnp.swapaxes(x.reshape(*x.shape[:-1], self.levels, self.channels), -1, -2)

    def _checked(self, image: Image, label: Labels | None) -> Labels | None:
        if label is None and self.classes:
            if not self.is_initializing():
                raise InputError(f"label is missing: a network of {self.classes} classes needs one for each image, (N,)")
            return jnp.zeros(len(image), jnp.int32)
        return label
