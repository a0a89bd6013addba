"""Convolutions that see no later pixel: what autoregressive networks are made of.

Pixels come in raster order, from left to right and from top to bottom, and within a pixel its channels one after the other. A layer's
features are dealt out to the image's channels in turn: feature i belongs to channel i mod groups, and may depend at its own pixel on what
belongs to earlier channels, and to its own unless the layer is strict.
"""

from collections.abc import Callable
from functools import lru_cache

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from jaxrestore.errors import InputError
from jaxrestore.nn.conv import convolve
from jaxrestore.nn.initialise import he_normal, parameter, zeros
from jaxrestore.typing import DType, Image

PARTS = ("image", "above", "here")


class MaskedConv(nn.Module):
    """A convolution whose result at a pixel depends on that pixel and earlier ones alone (van den Oord, Kalchbrenner and Kavukcuoglu 2016).

    Attributes:
      features: output channels.
      kernel_size: (height, width), both odd; rows below the middle are kept in the kernel, as references keep them, and never used.
      strict: without the pixel's own channel: "mask A", for a network's first layer. Otherwise with it: "mask B".
      groups: image channels that come one after the other.
      blocks: the features are this many blocks side by side, each dealt out to the channels from the beginning.
      input_blocks: the same of the input.
      use_bias: whether a bias is added.
      kernel_init: initialiser of the kernel.
      dtype: computation type; None takes the input's.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, H, W, features). In parts, for one row or pixel at a time: with "above" it takes the height // 2 rows
    above a row, (N, height // 2, W, C), and gives their share in that row, (N, 1, W, features); with "here" it takes the width // 2 pixels
    to the left of a pixel and the pixel itself, (N, 1, width // 2 + 1, C), and gives their share in it and the bias, (N, 1, 1, features).
    """

    features: int
    kernel_size: tuple[int, int] = (3, 3)
    strict: bool = False
    groups: int = 1
    blocks: int = 1
    input_blocks: int = 1
    use_bias: bool = True
    kernel_init: Callable = he_normal
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, x: Image, part: str = "image") -> Image:
        """Convolve."""
        (height, width), inputs = self.kernel_size, x.shape[-1]
        if height % 2 == 0 or width % 2 == 0:
            raise InputError(f"kernel_size is {self.kernel_size}: a masked window must have a middle, both sides odd")
        kernel = parameter(self, "kernel", self.kernel_init, (height, width, inputs, self.features), self.param_dtype)
        bias = parameter(self, "bias", zeros, (self.features,), self.param_dtype) if self.use_bias else None
        x, kernel, bias = nn.dtypes.promote_dtype(x, kernel, bias, dtype=self.dtype)
        mask = causal_mask(
            self.kernel_size,
            dealt(inputs, self.groups, self.input_blocks),
            dealt(self.features, self.groups, self.blocks),
            self.strict,
        )
        up, left = height // 2, width // 2
        kernel = kernel[: up + 1] * mask[: up + 1].astype(kernel.dtype)
        match part:
            case "image":
                result = convolve(jnp.pad(x, ((0, 0), (up, 0), (0, 0), (0, 0))), kernel, padding=(0, left))
            case "above":
                return convolve(x, kernel[:up], padding=(0, left))
            case "here":
                result = jnp.einsum("nrwc,rwcf->nf", x, kernel[up:, : left + 1])[:, None, None]
            case _:
                raise InputError(f"part is {part!r}: it must be one of {', '.join(PARTS)}")
        return result if bias is None else result + bias.reshape(1, 1, 1, -1)


def dealt(features: int, groups: int, blocks: int = 1) -> tuple[int, ...]:
    """The image channel to which each feature belongs, dealt out in turn within each of `blocks` equal blocks."""
    return tuple(place % (features // blocks) % groups for place in range(features))


@lru_cache(maxsize=256)
def causal_mask(window: tuple[int, int], inputs: tuple[int, ...], outputs: tuple[int, ...], strict: bool) -> np.ndarray:
    """Which weights of a kernel may be used.

    Args:
      window: (height, width).
      inputs: the image channel of each input feature.
      outputs: the image channel of each output feature.
      strict: at the pixel itself only earlier channels.

    Returns:
      (height, width, inputs, outputs), 1.0 or 0.0.
    """
    (height, width), earlier = window, np.array(inputs)[:, None] - np.array(outputs)[None]
    mask = np.zeros((height, width, len(inputs), len(outputs)), np.float32)
    mask[: height // 2] = 1.0
    mask[height // 2, : width // 2] = 1.0
    mask[height // 2, width // 2] = earlier < 0 if strict else earlier <= 0
    return mask
