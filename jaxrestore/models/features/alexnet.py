"""AlexNet, as an extractor of features.

Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014, https://arxiv.org/abs/1404.5997 (one column)

    image -> conv1 11x11/4, ReLU -> pool1 -> conv2 5x5, ReLU -> pool2 -> conv3, ReLU -> conv4, ReLU -> conv5, ReLU
             64 channels                     192                         384            256            256
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.imagenet import standardise
from jaxrestore.typing import DType, Image

LPIPS_LAYERS = ("relu1", "relu2", "relu3", "relu4", "relu5")
"""The layers that LPIPS compares."""

REFERENCE_IGNORED = ("classifier.",)

# Name -> (channels, window, step, border) and its place in torchvision's `features`.
_CONVOLUTIONS = {
    "conv1": ((64, 11, 4, 2), 0),
    "conv2": ((192, 5, 1, 2), 3),
    "conv3": ((384, 3, 1, 1), 6),
    "conv4": ((256, 3, 1, 1), 8),
    "conv5": ((256, 3, 1, 1), 10),
}
_PLAN = ("conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "conv3", "relu3", "conv4", "relu4", "conv5", "relu5")
_LEAST = 31  # pixels that leave one after the second pooling


class AlexNet(nn.Module):
    """The convolutions of AlexNet: features of an image, from chosen layers.

    Attributes:
      layers: names of the layers whose output is wanted: "conv1" to "conv5", "relu1" to "relu5", "pool1", "pool2".
      channel_divisor: widths are divided by it; 1 is the published network.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, 3) in [0, 1], at least 31x31, standardised inside (one channel is taken as grey). Gives one array for each of `layers`,
    in that order.
    """

    layers: tuple[str, ...] = LPIPS_LAYERS
    channel_divisor: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> tuple[jax.Array, ...]:
        """Features of the chosen layers."""
        unknown = [name for name in self.layers if name not in _PLAN]
        if unknown or not self.layers:
            raise InputError(f"AlexNet has no layer {unknown or 'to give'}: its layers are {', '.join(_PLAN)}")
        if min(image.shape[-3:-1]) < _LEAST:
            raise InputError(f"AlexNet needs {_LEAST}x{_LEAST} pixels, got the shape {image.shape}")
        x = standardise(image)
        features = {}
        for name in _PLAN:
            if name in _CONVOLUTIONS:
                width, window, step, border = _CONVOLUTIONS[name][0]
                conv = Conv(width // self.channel_divisor, window, step, border, dtype=self.dtype, param_dtype=self.param_dtype, name=name)
                x = conv(x)
            else:
                x = nn.max_pool(x, (3, 3), (2, 2)) if name.startswith("pool") else nn.relu(x)
            features[name] = x
        return tuple(features[name] for name in self.layers)


def reference_names(model: AlexNet) -> dict[str, str]:
    """Our module paths -> the names in torchvision's `alexnet`."""
    return {name: f"features.{place}" for name, (_, place) in _CONVOLUTIONS.items()}
