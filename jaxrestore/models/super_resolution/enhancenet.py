"""EnhanceNet: single-image super-resolution through automated texture synthesis.

Sajjadi, Schoelkopf and Hirsch, ICCV 2017, https://arxiv.org/abs/1612.07919

    image -+-> conv, ReLU -> [conv, ReLU, conv, +] x depth -> [nearest x2, conv, ReLU] x 2 -> conv, ReLU -> conv -> + -> image
           `----------------------------------- bicubic -----------------------------------------------------------^

ENet-E (trained for the mean squared error) and ENet-PAT (perceptual, adversarial, texture) are the same network.
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.discriminator import Head
from jaxrestore.nn.residual import ResidualBlock
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.legacy_bicubic import legacy_bicubic
from jaxrestore.typing import DType, Image

_MEAN = np.array([0.47614917, 0.45001204, 0.40904046], np.float32).reshape(1, 1, 1, 3)


class EnhanceNet(nn.Module):
    """A residual network with nearest-neighbour enlargement inside; enlarges by 4.

    Attributes:
      features: channels of every hidden layer.
      depth: number of residual blocks.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, 4*H, 4*W, channels), not clipped.
    """

    features: int = 64
    depth: int = 10
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, **types)
        centred = image - _MEAN
        x = nn.relu(conv(self.features, name="head")(centred))
        for i in range(self.depth):
            x = ResidualBlock(self.features, **types, name=f"block_{i}")(x)
        for i in range(2):
            x = nn.relu(conv(self.features, name=f"upsample_{i}")(interpolate(x, 2, method="nearest")))
        x = nn.relu(conv(self.features, name="high_resolution")(x))
        return conv(self.channels, name="tail")(x).astype(image.dtype) + legacy_bicubic(centred, 4) + _MEAN


class EnhanceNetDiscriminator(nn.Module):
    """The classifier of real and made images that ENet-PAT is trained against: ten convolutions, every second one halves the size.

    Attributes:
      features: channels of the first two layers; they double four times.
      dense_features: width of the hidden dense layer.
      image_size: side of the images.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, image_size, image_size, C) in [0, 1], gives (N, 1) logits (the paper's sigmoid belongs to the loss).
    """

    features: int = 32
    dense_features: int = 1024
    image_size: int = 128
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> jnp.ndarray:
        """Judge."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        x = image
        for i in range(10):
            x = nn.leaky_relu(Conv(self.features * 2 ** (i // 2), 3, 1 + i % 2, **types, name=f"conv_{i}")(x), 0.2)
        return Head(self.dense_features, **types, name="head")(x)


def reference_names(model: EnhanceNet) -> dict[str, str]:
    """Our paths -> the variables of the authors' TensorFlow graph, msmsajjadi/EnhanceNet-Code."""
    blocks = [f"block_{i}/conv_{j}" for i in range(model.depth) for j in range(2)]
    layers = ["head", *blocks, "upsample_0", "upsample_1", "high_resolution", "tail"]
    names = {}
    for i, layer in enumerate(layers):
        theirs = f"generator.Conv_{i}" if i else "generator.Conv"
        names |= {f"{layer}.kernel": f"{theirs}.weights", f"{layer}.bias": f"{theirs}.biases"}
    return names


CARDS = (
    ModelCard(
        name="enhancenet_x4",
        module=EnhanceNet,
        task="super_resolution",
        paper="https://arxiv.org/abs/1612.07919",
        scale=4,
        parameters=852_867,
        published={"Set5": 31.74, "Set14": 28.42, "B100": 27.50, "Urban100": 25.66},
        reference="msmsajjadi/EnhanceNet-Code (CC BY-NC-ND 4.0)",
        reference_names=reference_names,
        notes="scores of ENet-E; trained on images shrunk by Pillow's Lanczos, with TensorFlow 1's shifted bicubic as the skip",
    ),
    ModelCard(
        name="enhancenet_discriminator",
        module=EnhanceNetDiscriminator,
        task="discrimination",
        paper="https://arxiv.org/abs/1612.07919",
        parameters=13_102_881,
        notes="ENet-PAT's, for images of image_size = 128 pixels; the paper gives no count, this is the network's",
    ),
)
