"""Residual blocks that normalise first."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.nn.conv import Conv
from jaxrestore.nn.drop_path import DropPath
from jaxrestore.nn.initialise import Constant, he_normal, parameter
from jaxrestore.nn.norm import BatchNorm, LayerNorm
from jaxrestore.typing import DType, Image


class PreNorm(nn.Module):
    """x + scale * branch(norm(x)), the normalisation over the channels: the skip stays free of it, so deep stacks train from the start.

    Attributes:
      branch: any module that keeps the shape: attention, a feed-forward network, convolutions.
      layer_scale: initial value of a learnt factor for each channel of the branch; None for no factor.
      drop_path: probability that the branch is left out for an image in training.
      epsilon: of the normalisation.
      dtype: computation type of the normalisation.
      param_dtype: type of its parameters.

    Takes and gives (N, ..., C); further arguments go to the branch.

    Reference: Xiong et al., "On Layer Normalization in the Transformer Architecture", ICML 2020, figure 1b; for the factor: Touvron et al.,
    "Going Deeper with Image Transformers", ICCV 2021, equation 4.
    """

    branch: nn.Module
    layer_scale: float | None = None
    drop_path: float = 0.0
    epsilon: float = 1e-5
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *arguments: object, train: bool = False, **keywords: object) -> jax.Array:
        """Refine."""
        y = LayerNorm(self.epsilon, dtype=self.dtype, param_dtype=self.param_dtype, name="norm")(x)
        y = self.branch(y, *arguments, **keywords).astype(x.dtype)
        if self.layer_scale is not None:
            factor = parameter(self, "layer_scale", Constant(self.layer_scale), (x.shape[-1],), self.param_dtype)
            y = y * jnp.asarray(factor, x.dtype).reshape((1,) * (x.ndim - 1) + (-1,))
        return x + DropPath(self.drop_path, name="drop_path")(y, train)


class PreActivationBlock(nn.Module):
    """x + conv(activation(norm(conv(activation(norm(x)))))), with batch normalisation.

    Attributes:
      features: channels of the result; where they differ from the image's, the skip is a 1x1 convolution of what the first one takes.
      activation: after each normalisation.
      kernel_init: initialiser of the kernels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, H, W, features).

    Reference: He, Zhang, Ren and Sun, "Identity Mappings in Deep Residual Networks", ECCV 2016, figure 1b.
    """

    features: int
    activation: Callable = nn.relu
    kernel_init: Callable = he_normal
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """Refine."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        options = dict(use_bias=False, kernel_init=self.kernel_init, **types)
        x = self.activation(BatchNorm(**types, name="norm_0")(image, train))
        skip = image if image.shape[-1] == self.features else Conv(self.features, 1, **options, name="skip")(x)
        x = Conv(self.features, **options, name="conv_0")(x)
        x = self.activation(BatchNorm(**types, name="norm_1")(x, train))
        return (skip + Conv(self.features, **options, name="conv_1")(x)).astype(image.dtype)
