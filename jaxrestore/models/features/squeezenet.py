"""SqueezeNet, as an extractor of features.

Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters", 2016, https://arxiv.org/abs/1602.07360 (version 1.1)

    image -> conv1 3x3/2, ReLU -> pool -> fire2, fire3 -> pool -> fire4, fire5 -> pool -> fire6, fire7, fire8, fire9
             64 channels                  128                     256                     384 x 2       512 x 2

    a fire module:  -> squeeze 1x1, ReLU -+-> 1x1, ReLU -+-> side by side
                                          `-> 3x3, ReLU -'
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.imagenet import standardise
from jaxrestore.typing import DType, Image

LPIPS_LAYERS = ("relu1", "fire3", "fire5", "fire6", "fire7", "fire8", "fire9")
"""The layers that LPIPS compares."""

REFERENCE_IGNORED = ("classifier.",)

# A layer's place is its number in torchvision's `features`.
_PLAN = ("conv1", "relu1", "pool1", "fire2", "fire3", "pool2", "fire4", "fire5", "pool3", "fire6", "fire7", "fire8", "fire9")
_SQUEEZED = {"fire2": 16, "fire3": 16, "fire4": 32, "fire5": 32, "fire6": 48, "fire7": 48, "fire8": 64, "fire9": 64}
_EXPANSION = 4  # channels of each of a fire module's two outputs for one squeezed channel
_LEAST = 25  # pixels that leave a whole window to the last pooling


class Fire(nn.Module):
    """Few channels, then many again by 1x1 and 3x3 windows side by side.

    Attributes:
      features: channels in between; eight times as many come out.
      dtype: computation type.
      param_dtype: type of the parameters.
    """

    features: int
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, x: Image) -> jax.Array:
        """Squeeze and expand."""
        conv = partial(Conv, dtype=self.dtype, param_dtype=self.param_dtype)
        x = nn.relu(conv(self.features, 1, name="squeeze")(x))
        wide = _EXPANSION * self.features
        return nn.relu(jnp.concatenate([conv(wide, 1, name="expand_1")(x), conv(wide, 3, name="expand_3")(x)], axis=-1))


class SqueezeNet(nn.Module):
    """The convolutions of SqueezeNet 1.1: features of an image, from chosen layers.

    Attributes:
      layers: names of the layers whose output is wanted: "conv1", "relu1", "pool1" to "pool3", "fire2" to "fire9".
      channel_divisor: widths are divided by it; 1 is the published network.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, 3) in [0, 1], at least 25x25, standardised inside (one channel is taken as grey). Gives one array for each of `layers`,
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
            raise InputError(f"SqueezeNet has no layer {unknown or 'to give'}: its layers are {', '.join(_PLAN)}")
        if min(image.shape[-3:-1]) < _LEAST:
            raise InputError(f"SqueezeNet needs {_LEAST}x{_LEAST} pixels, got the shape {image.shape}")
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        x = standardise(image)
        features = {}
        for name in _PLAN:
            if name == "conv1":
                x = Conv(64 // self.channel_divisor, 3, strides=2, padding=0, name=name, **types)(x)
            elif name in _SQUEEZED:
                x = Fire(_SQUEEZED[name] // self.channel_divisor, name=name, **types)(x)
            else:
                x = nn.relu(x) if name == "relu1" else _pool(x)
            features[name] = x
        return tuple(features[name] for name in self.layers)


def _pool(x: jax.Array) -> jax.Array:
    """Largest of 3x3 at every second pixel; a last window may reach beyond the image by one (torch's `ceil_mode`)."""
    beyond = [(0, (side - 3) % 2) for side in x.shape[1:3]]
    return nn.max_pool(x, (3, 3), (2, 2), beyond)


def reference_names(model: SqueezeNet) -> dict[str, str]:
    """Our module paths -> the names in torchvision's `squeezenet1_1`."""
    names = {"conv1": "features.0"}
    for place, fire in enumerate(_PLAN):
        if fire in _SQUEEZED:
            parts = {"squeeze": "squeeze", "expand_1": "expand1x1", "expand_3": "expand3x3"}
            names |= {f"{fire}/{ours}": f"features.{place}.{theirs}" for ours, theirs in parts.items()}
    return names
