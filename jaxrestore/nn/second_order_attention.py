"""Second-order channel attention: channels are scaled by how they vary together."""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.ops.symbolic import smaller
from jaxrestore.typing import DType, Image

_LARGEST = 1000  # the reference's limit; beyond it the statistics are those of the middle


def covariance_root(image: Image, iterations: int = 5) -> jax.Array:
    """The square root of the channels' covariance, by Newton and Schulz's iteration.

    Args:
      image: (N, H, W, C).
      iterations: at least 2.

    Returns:
      (N, C, C) float32 or wider.

    Reference: Dai et al., "SAN", CVPR 2019, equations 4 to 8.
    """
    x = image.reshape(image.shape[0], -1, image.shape[-1]).astype(jnp.promote_types(image.dtype, jnp.float32))
    x = x - jnp.mean(x, 1, keepdims=True)
    covariance = jnp.einsum("npc,npd->ncd", x, x) / x.shape[1]
    trace = jnp.trace(covariance, axis1=1, axis2=2).reshape(-1, 1, 1)
    # Of an image without any contrast the root is 0, not 0 / 0.
    normalised = covariance / jnp.where(trace > 0, trace, 1.0)
    three = 3.0 * jnp.eye(x.shape[-1], dtype=x.dtype)[None]
    z = 0.5 * (three - normalised)
    y = normalised @ z
    for _ in range(iterations - 2):
        zy = 0.5 * (three - z @ y)
        y, z = y @ zy, zy @ z
    root = 0.5 * y @ (three - z @ y)
    positive = trace > 0
    return root * jnp.where(positive, jnp.sqrt(jnp.where(positive, trace, 1.0)), 0.0)


class SecondOrderChannelAttention(nn.Module):
    """image * sigmoid(conv(ReLU(conv(mean over one side of the root of the covariance)))).

    Attributes:
      reduction: of the channels between the two 1x1 convolutions.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, C). Sides of 1000 pixels and more count with their middle 1000 only, as in the reference.

    Reference: Dai et al., "SAN", CVPR 2019, section 3.3.
    """

    reduction: int = 16
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Scale the channels."""
        channels = image.shape[-1]
        seen = image
        for axis in (1, 2):
            length = smaller(image.shape[axis], _LARGEST)
            first = (image.shape[axis] - length) // 2
            seen = jax.lax.slice_in_dim(seen, first, first + length, axis=axis)
        statistic = jnp.mean(covariance_root(seen), 1).astype(image.dtype)
        conv = partial(Conv, kernel_size=1, **TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        x = nn.relu(conv(channels // self.reduction, name="squeeze")(statistic[:, None, None]))
        return image * nn.sigmoid(conv(channels, name="excite")(x))
