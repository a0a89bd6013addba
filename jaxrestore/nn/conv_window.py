"""A convolution's geometry, and the compiler's own convolution with it.

Images are (N, H, W, C), kernels (height, width, C / groups, out).
"""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
from jax import lax

from jaxrestore.ops.symbolic import is_symbolic
from jaxrestore.typing import Side

Sides = tuple[tuple[Side, Side], tuple[Side, Side]]


@dataclass(frozen=True)
class Window:
    """How a kernel moves over an image.

    Attributes:
      strides: step between windows, (vertical, horizontal).
      padding: zeros added ((top, bottom), (left, right)); negative numbers crop.
      dilation: step between the taps of a window.
      groups: number of channel groups.
    """

    strides: tuple[int, int] = (1, 1)
    padding: Sides = ((0, 0), (0, 0))
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1

    def extent(self, kernel: jax.Array | jax.ShapeDtypeStruct) -> tuple[int, int]:
        """Rows and columns from the first to the last tap."""
        height, width = ((k - 1) * d + 1 for k, d in zip(kernel.shape[:2], self.dilation, strict=True))
        return height, width


def plain(image: jax.Array, kernel: jax.Array, window: Window, names: tuple[str, str, str] = ("NHWC", "HWIO", "NHWC")) -> jax.Array:
    """The compiler's own convolution: the choice on GPU and TPU, and the value that every other form must give."""
    if is_symbolic(*window.padding[0], *window.padding[1]):  # JAX pads only by numbers here
        image, window = pad(image, window.padding), replace(window, padding=((0, 0), (0, 0)))
    return lax.conv_general_dilated(
        image,
        kernel,
        window.strides,
        window.padding,
        rhs_dilation=window.dilation,
        dimension_numbers=names,
        feature_group_count=window.groups,
    )


def pad(image: jax.Array, padding: Sides) -> jax.Array:
    """Zeros around an image; negative numbers crop."""
    if not any(map(any, padding)):
        return image
    return lax.pad(image, jnp.zeros((), image.dtype), ((0, 0, 0), (*padding[0], 0), (*padding[1], 0), (0, 0, 0)))
