"""Normalisation layers with the references' constants."""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from jaxrestore.errors import InputError
from jaxrestore.nn.initialise import ones, parameter, zeros
from jaxrestore.typing import DType, Image

DATA_AXIS = "data"
"""The mapped axis over which a batch is split (`training.parallel`)."""


class BatchNorm(nn.Module):
    """Normalisation of each channel by its mean and variance over the batch and all positions (Ioffe and Szegedy 2015).

    The statistics are those of the whole batch however it is split: under `jit` over a mesh by construction, under `shard_map` and `pmap`
    by a mean over the axis `DATA_AXIS` where that axis is bound.

    Attributes:
      epsilon: added to the variance.
      momentum: share of a new batch in the running statistics, as torch counts it (Flax counts the share that is kept).
      use_bias: whether a shift is learnt beside the scale.
      scale_init: initialiser of the scale.
      dtype: type of the result; statistics are always float32.
      param_dtype: type of scale and shift.

    Takes and gives (N, H, W, C), or any other number of axes before the channels. With `train=True` it uses the batch's statistics and
    updates the collection `batch_stats`; otherwise it uses the running ones.
    """

    epsilon: float = 1e-5
    momentum: float = 0.1
    use_bias: bool = True
    scale_init: Callable = ones
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: jax.typing.ArrayLike, train: bool = False) -> jax.Array:
        """Normalise."""
        image = jnp.asarray(image)
        channels = image.shape[-1]
        mean_ = self.variable("batch_stats", "mean", lambda: jnp.zeros(channels, jnp.float32))
        var_ = self.variable("batch_stats", "var", lambda: jnp.ones(channels, jnp.float32))
        scale = parameter(self, "scale", self.scale_init, (channels,), self.param_dtype)
        bias = parameter(self, "bias", zeros, (channels,), self.param_dtype) if self.use_bias else 0.0
        if train:
            x, positions = image.astype(jnp.float32), tuple(range(image.ndim - 1))
            mean = _over_devices(jnp.mean(x, positions))
            # Two passes: the difference of two means of squares loses what a large mean leaves of float32's digits.
            var = _over_devices(jnp.mean(jnp.square(x - _along_channels(mean, x)), positions))
            if not self.is_initializing():
                mean_.value = (1.0 - self.momentum) * mean_.value + self.momentum * mean
                var_.value = (1.0 - self.momentum) * var_.value + self.momentum * var
        else:
            mean, var = mean_.value, var_.value
        factor = scale * lax.rsqrt(var + self.epsilon)
        shift = bias - mean * factor
        dtype = self.dtype or image.dtype
        return image.astype(dtype) * _along_channels(factor.astype(dtype), image) + _along_channels(shift.astype(dtype), image)


class InstanceNorm(nn.Module):
    """Normalisation of each channel of each image by its own mean and variance over all positions, without parameters.

    Attributes:
      epsilon: added to the variance.
      dtype: type of the result; statistics are at least float32.

    Takes and gives (N, H, W, C); in training the same as otherwise.

    Reference: Ulyanov, Vedaldi and Lempitsky, "Instance Normalization: The Missing Ingredient for Fast Stylization", 2016, equation 2.
    """

    epsilon: float = 1e-5
    dtype: DType | None = None

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Normalise."""
        wide = image.astype(jnp.promote_types(image.dtype, jnp.float32))
        deviation = wide - jnp.mean(wide, (1, 2), keepdims=True)
        inverse = lax.rsqrt(jnp.mean(jnp.square(deviation), (1, 2), keepdims=True) + self.epsilon)
        return (deviation * inverse).astype(self.dtype or image.dtype)


NORMS = ("batch", "instance", "none")
"""The names that `normalisation` knows."""


def normalisation(
    kind: str, name: str, scale_init: Callable = ones, dtype: DType | None = None, param_dtype: DType = jnp.float32
) -> Callable[[jax.Array, bool], jax.Array]:
    """A normalisation by its name, so that it can be a plain field: a function of (image, train).

    Args:
      kind: one of `NORMS`.
      name: of the layer in the module in whose `__call__` it is made.
      scale_init: of "batch": initialiser of the scale.
      dtype: type of the result.
      param_dtype: type of the parameters.

    Raises:
      InputError: unknown kind.
    """
    match kind:
        case "batch":
            return BatchNorm(scale_init=scale_init, dtype=dtype, param_dtype=param_dtype, name=name)
        case "instance":
            return InstanceNorm(dtype=dtype, name=name)
        case "none":
            return lambda image, train: image
    raise InputError(f"norm is {kind!r}: it must be one of {', '.join(NORMS)}")


class LayerNorm(nn.Module):
    """Normalisation of each pixel by the mean and variance of its channels (Ba, Kiros and Hinton 2016).

    Attributes:
      epsilon: added to the variance.
      use_bias: whether a shift is learnt beside the scale.
      centred: whether the mean is taken off; Restormer's "bias-free" form only divides by the deviation.
      dtype: type of the result; statistics are at least float32.
      param_dtype: type of scale and shift.

    Takes and gives (..., C).
    """

    epsilon: float = 1e-5
    use_bias: bool = True
    centred: bool = True
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Normalise."""
        channels = x.shape[-1]
        scale = parameter(self, "scale", ones, (channels,), self.param_dtype)
        wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
        mean = jnp.mean(wide, -1, keepdims=True)
        deviation = wide - mean
        inverse = lax.rsqrt(jnp.mean(jnp.square(deviation), -1, keepdims=True) + self.epsilon)
        result = (deviation if self.centred else wide) * inverse * _along_channels(scale, x)
        if self.use_bias:
            result = result + _along_channels(parameter(self, "bias", zeros, (channels,), self.param_dtype), x)
        return result.astype(self.dtype or x.dtype)


def _along_channels(values: jax.typing.ArrayLike, x: jax.Array) -> jax.Array:
    return jnp.asarray(values).reshape((1,) * (x.ndim - 1) + (-1,))


def _over_devices(statistic: jax.Array) -> jax.Array:
    try:
        lax.axis_size(DATA_AXIS)
    except NameError:  # not mapped: the batch is whole
        return statistic
    return lax.pmean(statistic, DATA_AXIS)
