"""SRResNet and SRGAN: photo-realistic single-image super-resolution using a generative adversarial network.

Ledig et al., CVPR 2017, https://arxiv.org/abs/1609.04802

    image -> conv 9, PReLU -+-> [conv, BN, PReLU, conv, BN, +] x depth -> conv, BN -> + -> [conv, shuffle, PReLU] x stages -> conv 9
                            `--------------------------------------------------------^

SRGAN's generator is SRResNet, trained on against the discriminator.
"""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.discriminator import ConvStack, Head
from jaxrestore.nn.initialise import TORCH_INIT
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.nn.prelu import PReLU
from jaxrestore.nn.sub_pixel import upsample_stages
from jaxrestore.ops.pixel_shuffle import pixel_shuffle
from jaxrestore.typing import DType, Image


class SRResNet(nn.Module):
    """A residual network with batch normalisation; the generator of SRGAN.

    Attributes:
      scale: enlargement: 2, 4 or 8.
      features: channels of every hidden layer.
      depth: number of residual blocks.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), not clipped.
    """

    scale: int = 4
    features: int = 64
    depth: int = 16
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> Image:
        """Enlarge."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, **TORCH_INIT, **types)
        inner = partial(conv, self.features, use_bias=False)
        norm = partial(BatchNorm, **types)
        prelu = partial(PReLU, shared=True, param_dtype=self.param_dtype)
        shallow = prelu(name="head_prelu")(conv(self.features, 9, name="head")(image))
        x = shallow
        for i in range(self.depth):
            branch = norm(name=f"block_{i}_norm_0")(inner(name=f"block_{i}_conv_0")(x), train)
            branch = inner(name=f"block_{i}_conv_1")(prelu(name=f"block_{i}_prelu")(branch))
            x = x + norm(name=f"block_{i}_norm_1")(branch, train)
        x = shallow + norm(name="body_end_norm")(inner(name="body_end")(x), train)
        for i, stage in enumerate(upsample_stages(self.scale)):
            x = pixel_shuffle(conv(self.features * stage**2, name=f"upsample_{i}")(x), stage)
            x = prelu(name=f"upsample_{i}_prelu")(x)
        return conv(self.channels, 9, name="tail")(x).astype(image.dtype)


class SRGANDiscriminator(nn.Module):
    """A VGG-like classifier of real and made images.

    Attributes:
      features: channels of the first layer; they double three times.
      dense_features: width of the hidden dense layer.
      image_size: side of the images.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, image_size, image_size, C) in [0, 1], gives (N, 1) logits (the paper's sigmoid belongs to the loss).
    """

    features: int = 64
    dense_features: int = 1024
    image_size: int = 96
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> jnp.ndarray:
        """Judge."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        widths = [self.features * 2 ** (i // 2) for i in range(8)]
        layers = tuple((width, 3, 1 + i % 2) for i, width in enumerate(widths))
        x = ConvStack(layers, **types, name="features")(image, train)
        return Head(self.dense_features, **types, name="head")(x)


def reference_names(model: SRResNet | SRGANDiscriminator) -> dict[str, str]:
    """Our module paths -> the module names of Lornatang/SRGAN-PyTorch."""
    if isinstance(model, SRGANDiscriminator):
        names = {"features/conv_0": "features.0", "head/dense_0": "classifier.0", "head/dense_1": "classifier.2"}
        for i in range(1, 8):
            names |= {f"features/conv_{i}": f"features.{3 * i - 1}", f"features/norm_{i}": f"features.{3 * i}"}
        return names
    names = {"head": "conv1.0", "head_prelu": "conv1.1", "body_end": "conv2.0", "body_end_norm": "conv2.1", "tail": "conv3"}
    for i in range(model.depth):
        parts = {"conv_0": 0, "norm_0": 1, "prelu": 2, "conv_1": 3, "norm_1": 4}
        names |= {f"block_{i}_{ours}": f"trunk.{i}.rcb.{theirs}" for ours, theirs in parts.items()}
    for i in range(len(upsample_stages(model.scale))):
        names |= {f"upsample_{i}": f"upsampling.{i}.upsample_block.0", f"upsample_{i}_prelu": f"upsampling.{i}.upsample_block.2"}
    return names


_card = partial(
    ModelCard,
    module=SRResNet,
    task="super_resolution",
    paper="https://arxiv.org/abs/1609.04802",
    reference="Lornatang/SRGAN-PyTorch (Apache-2.0)",
    reference_names=reference_names,
)

CARDS = (
    _card(name="srresnet_x2", scale=2, fields=dict(scale=2), parameters=1_399_637),
    _card(
        name="srresnet_x4",
        scale=4,
        fields=dict(scale=4),
        parameters=1_547_350,
        published={"Set5": (32.05, 0.9019), "Set14": (28.49, 0.8184), "B100": (27.58, 0.7620)},
        notes="the paper's own evaluation: luma, 4 border pixels left out",
    ),
    _card(
        name="srgan_x4",
        scale=4,
        fields=dict(scale=4),
        parameters=1_547_350,
        published={"Set5": (29.40, 0.8472), "Set14": (26.02, 0.7397), "B100": (25.16, 0.6688)},
        notes="the same network as srresnet_x4, trained against srgan_discriminator",
    ),
    _card(
        name="srgan_discriminator",
        module=SRGANDiscriminator,
        task="discrimination",
        parameters=23_563_649,
        notes="SRGAN's; takes images of 96x96 pixels unless image_size says otherwise",
    ),
)
