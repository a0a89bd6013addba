"""RED-Net: image restoration using very deep convolutional encoder-decoder networks with symmetric skip connections.

Mao, Shen and Yang, NeurIPS 2016, https://arxiv.org/abs/1603.09056

    image -+-> conv, conv -+-> conv, conv -+-> ... -> deconv -> + -> deconv, deconv -> + -> deconv -> + -> image
           |               |               `--------------------^                      |              |
           |               `-----------------------------------------------------------^              |
           `------------------------------------------------------------------------------------------^

Every layer has a ReLU, and so has every sum of features.
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.symmetric_skips import symmetric_skips
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.typing import DType, Image


class REDNet(nn.Module):
    """Convolutions that take the image apart, transposed ones that put it together again, and sums across.

    Attributes:
      depth: number of convolutions, and of transposed ones: 5, 10 or 15.
      features: channels of every hidden layer.
      channels: image channels.
      skip_every: layers between two skips of features; 0 leaves only the one of the image.
      stride: of the first convolution and the last transposed one; 2 is section 3.4's faster form.
      positive: a ReLU after the sum with the image, which cuts off what is darker than black.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], not clipped above. Sides that are no multiples of the stride are padded with the nearest
    pixel and cropped back.
    """

    depth: int = 15
    features: int = 64
    channels: int = 1
    skip_every: int = 2
    stride: int = 1
    positive: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return self.stride

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Restore."""
        if self.stride < 1:
            raise InputError(f"stride is {self.stride}: it must be at least 1")
        skips = symmetric_skips(self.depth, self.skip_every)
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        deconv = partial(ConvTranspose, kernel_size=3, padding=1, **types)
        padded = pad_to_multiple(image, self.stride, "replicate")
        x, kept = padded, []
        for i in range(self.depth):
            x = nn.relu(Conv(self.features, 3, self.stride if i == 0 else 1, **types, name=f"conv_{i}")(x))
            if i + 1 in skips.values():
                kept.append(x)
        for i in range(self.depth - 1):
            x = nn.relu(deconv(self.features, name=f"deconv_{i}")(x))
            if i + 1 in skips:
                x = nn.relu(x + kept.pop())
        last = deconv(self.channels, strides=self.stride, output_padding=self.stride - 1, name=f"deconv_{self.depth - 1}")
        x = padded + last(x).astype(image.dtype)
        return crop(nn.relu(x) if self.positive else x, image.shape[-3:-1])


def reference_names(model: REDNet) -> dict[str, str]:
    """Our module paths -> the module names of yjn870/REDNet-pytorch."""
    names = {f"conv_{i}": f"conv_layers.{i}.0" for i in range(model.depth)}
    names |= {f"deconv_{i}": f"deconv_layers.{i}.0" for i in range(model.depth - 1)}
    return names | {f"deconv_{model.depth - 1}": f"deconv_layers.{model.depth - 1}"}


_card = partial(
    ModelCard,
    module=REDNet,
    task="denoising",
    paper="https://arxiv.org/abs/1603.09056",
    reference_names=reference_names,
)
_gray = partial(_card, channels=1, convention="gray")
_color = partial(_card, multiple=2, reference="yjn870/REDNet-pytorch (no licence stated)", convention="rgb")
_colors = dict(channels=3, stride=2, positive=True)
_NOTES = "one set of weights for each noise level; the paper trains one for all of them as well"

CARDS = (
    _gray(name="rednet10_gray", fields=dict(depth=5, skip_every=0), parameters=296_641, notes=_NOTES),
    _gray(name="rednet20_gray", fields=dict(depth=10), parameters=665_921, notes=_NOTES),
    _gray(
        name="rednet30_gray",
        parameters=1_035_201,
        published={"BSD200 sigma 10": 33.63, "BSD200 sigma 30": 27.95, "BSD200 sigma 50": 25.75, "BSD200 sigma 70": 24.37},
        notes=_NOTES,
    ),
    _color(name="rednet10_color", fields=dict(depth=5, skip_every=0, **_colors), parameters=298_947, notes=_NOTES),
    _color(name="rednet20_color", fields=dict(depth=10, **_colors), parameters=668_227, notes=_NOTES),
    _color(name="rednet30_color", fields=dict(**_colors), parameters=1_037_507, notes=_NOTES),
)
