"""Patch MLP: a multi-layer perceptron from noisy patches to clean ones.

Burger, Schuler and Harmeling, "Image denoising: Can plain neural networks compete with BM3D?", CVPR 2012,
https://doi.org/10.1109/CVPR.2012.6247952

    image -> overlapping patches -> [dense, tanh] x 4 -> dense -> patches -> weighted mean where they overlap -> clean

Without hidden layers it is the single-layer perceptron: one matrix, a learnt linear filter for each pixel of the patch.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.initialise import VarianceScaling
from jaxrestore.nn.linear import Linear
from jaxrestore.nn.patchwise import gaussian_weights, restore_patches
from jaxrestore.typing import DType, Image

_MEAN, _DEVIATION = 0.5, 0.2  # what the paper normalises grey levels by
_lecun = VarianceScaling(gain=1.0)


class PatchMLP(nn.Module):
    """Dense layers on patches.

    Attributes:
      patch: side of the patches that the network sees, in pixels.
      result: side of the patches that it gives, the middle of the others.
      hidden: widths of the hidden layers.
      channels: image channels.
      output: "linear" or "sigmoid", of the last layer.
      stride: pixels between neighbouring patches; 1 is best, 3 nearly as good at a ninth of the cost.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], not clipped unless the output is a sigmoid. A set of weights is for one noise level.
    Training on images of `patch` x `patch` pixels sees each patch once.
    """

    patch: int = 17
    result: int = 17
    hidden: tuple[int, ...] = (2047, 2047, 2047, 2047)
    channels: int = 1
    output: str = "linear"
    stride: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Denoise."""
        if self.output not in ("linear", "sigmoid"):
            raise InputError(f"output is {self.output!r}: it must be linear or sigmoid")
        return restore_patches(image, self._restore, self.patch, self.result, self.stride, gaussian_weights(self.result))

    def _restore(self, patches: jax.Array) -> jax.Array:
        dense = partial(Linear, kernel_init=_lecun, dtype=self.dtype, param_dtype=self.param_dtype)
        x = (patches.reshape(patches.shape[0], -1) - _MEAN) / _DEVIATION
        for i, width in enumerate(self.hidden):
            x = jnp.tanh(dense(width, name=f"dense_{i}")(x))
        x = dense(self.result**2 * self.channels, name=f"dense_{len(self.hidden)}")(x)
        x = nn.sigmoid(x) if self.output == "sigmoid" else _DEVIATION * x + _MEAN
        return x.reshape(-1, self.result, self.result, self.channels)


_card = partial(
    ModelCard, module=PatchMLP, task="denoising", paper="https://doi.org/10.1109/CVPR.2012.6247952", channels=1, convention="gray"
)
_ONE_LEVEL = "one set of weights for each noise level"

CARDS = (
    _card(name="patch_mlp_17", parameters=13_762_270, notes=_ONE_LEVEL),
    _card(
        name="patch_mlp_39",
        fields=dict(patch=39, hidden=(3072, 3072, 2559, 2047)),
        parameters=27_811_839,
        published={"BSD68 sigma 25": 28.96, "BSD68 sigma 50": 26.03},
        notes=_ONE_LEVEL,
    ),
    _card(
        name="patch_perceptron",
        fields=dict(hidden=(), output="sigmoid"),
        parameters=83_810,
        notes=f"{_ONE_LEVEL}; a single layer and a sigmoid; not in the paper",
    ),
)
