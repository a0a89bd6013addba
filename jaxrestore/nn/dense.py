"""Dense blocks: every layer sees what all layers before it gave."""

from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import FanUniform, he_normal, zeros
from jaxrestore.typing import DType, Image


class ResidualDenseBlock(nn.Module):
    """Densely connected convolutions with ReLU, fused by a 1x1 convolution, plus the input.

    Attributes:
      features: channels of input and output.
      growth: channels that each layer adds.
      depth: number of layers.
      kernel_init: initialiser of the kernels.
      bias_init: initialiser of the biases.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, features).

    Reference: Zhang et al., "RDN", CVPR 2018, section 3.2.
    """

    features: int = 64
    growth: int = 64
    depth: int = 8
    kernel_init: Callable = he_normal
    bias_init: Callable | FanUniform = zeros
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Refine."""
        conv = partial(Conv, kernel_init=self.kernel_init, bias_init=self.bias_init, dtype=self.dtype, param_dtype=self.param_dtype)
        x = image
        for i in range(self.depth):
            x = jnp.concatenate([x, nn.relu(conv(self.growth, name=f"conv_{i}")(x)).astype(x.dtype)], -1)
        return image + conv(self.features, 1, name="fusion")(x)


class ScaledDenseBlock(nn.Module):
    """Five densely connected 3x3 convolutions with LeakyReLU, the last linear; a share of the result is added to the input.

    Attributes:
      features: channels of input and output.
      growth: channels that each of the first four layers adds.
      branch_scale: factor on the branch.
      kernel_init: initialiser of the kernels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, features).

    Reference: Wang et al., "ESRGAN", ECCV Workshops 2018, figure 4 (the dense block inside the RRDB).
    """

    features: int = 64
    growth: int = 32
    branch_scale: float = 0.2
    kernel_init: Callable = he_normal
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Refine."""
        conv = partial(Conv, kernel_init=self.kernel_init, dtype=self.dtype, param_dtype=self.param_dtype)
        x = image
        for i in range(4):
            x = jnp.concatenate([x, nn.leaky_relu(conv(self.growth, name=f"conv_{i}")(x), 0.2).astype(x.dtype)], -1)
        return image + self.branch_scale * conv(self.features, name="conv_4")(x)


class ResidualInResidualDenseBlock(nn.Module):
    """Three dense blocks in a row; a share of the result is added to the input: ESRGAN's RRDB.

    Attributes:
      features: as for `ScaledDenseBlock`.
      growth: as for `ScaledDenseBlock`.
      branch_scale: factor on the branch, here and inside.
      kernel_init: initialiser of the kernels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, features).
    """

    features: int = 64
    growth: int = 32
    branch_scale: float = 0.2
    kernel_init: Callable = he_normal
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Refine."""
        x = image
        for i in range(3):
            x = ScaledDenseBlock(
                self.features, self.growth, self.branch_scale, self.kernel_init, self.dtype, self.param_dtype, name=f"dense_{i}"
            )(x)
        return image + self.branch_scale * x
