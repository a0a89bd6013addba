"""HAN: single-image super-resolution via a holistic attention network.

Niu et al., ECCV 2020, https://arxiv.org/abs/2008.08767

    image -> head -+-> group -> group ... -> conv -+-> channel-spatial attention ---.
                   |     |        |           |                                     |-> conv -> + -> upsample -> conv -> image
                   |     `--------`-----------`------> layer attention -> conv -----'           ^
                   `---------------------------------------------------------------------------'

The groups are RCAN's.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.channel_attention import ResidualGroup, residual_group_names
from jaxrestore.nn.color import DIV2K_MEAN
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT, bias_initialiser, parameter, zeros
from jaxrestore.nn.sub_pixel import PixelShuffleUpsample, upsample_names
from jaxrestore.typing import DType, Image


class LayerAttention(nn.Module):
    """Every layer's features plus gamma times a mixture of all layers', weighted by how little they correlate.

    Attributes:
      param_dtype: type of the factor, which begins at zero.

    Takes (N, L, H, W, C), gives (N, H, W, L * C), layer after layer.

    Reference: section 3.2 of the paper.
    """

    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, layers: jax.Array) -> Image:
        """Mix the layers."""
        gamma = parameter(self, "gamma", zeros, (1,), self.param_dtype)
        batch, count, height, width, channels = layers.shape
        # The correlations of features of 0..255 are huge: in less than float32 the softmax would be noise.
        flat = layers.reshape(batch, count, -1).astype(jnp.promote_types(layers.dtype, jnp.float32))
        energy = jnp.einsum("nld,nmd->nlm", flat, flat, precision="highest")
        weights = jax.nn.softmax(jnp.max(energy, -1, keepdims=True) - energy, -1)
        mixed = jnp.einsum("nlm,nmd->nld", weights, flat).astype(layers.dtype).reshape(layers.shape)
        result = jnp.asarray(gamma, layers.dtype).reshape(1, 1, 1, 1, 1) * mixed + layers
        return jnp.moveaxis(result, 1, 3).reshape(batch, height, width, count * channels)


class ChannelSpatialAttention(nn.Module):
    """image * (1 + gamma * sigmoid(3x3x3 convolution over rows, columns and channels)).

    Attributes:
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, C).

    Reference: section 3.3 of the paper.
    """

    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Scale every value."""
        gamma = parameter(self, "gamma", zeros, (1,), self.param_dtype)
        shape = (3, 3, 3, 1, 1)
        kernel = parameter(self, "kernel", TORCH_INIT["kernel_init"], shape, self.param_dtype)
        bias = parameter(self, "bias", bias_initialiser(TORCH_INIT["bias_init"], shape), (1,), self.param_dtype)
        image, kernel, bias, gamma = nn.dtypes.promote_dtype(image, kernel, bias, gamma, dtype=self.dtype)
        _, height, width, channels = image.shape
        padded = jnp.pad(image, ((0, 0), (1, 1), (1, 1), (1, 1)))
        # One channel in and out: 27 shifted images, which the compiler joins into one loop.
        x = bias.reshape(1, 1, 1, 1)
        for c, i, j in ((c, i, j) for c in range(3) for i in range(3) for j in range(3)):
            x = x + kernel[c, i, j, 0, 0] * padded[:, i : i + height, j : j + width, c : c + channels]
        return image * (gamma.reshape(1, 1, 1, 1) * nn.sigmoid(x)) + image


class HAN(nn.Module):
    """RCAN's body, whose intermediate results are weighed against each other.

    Attributes:
      scale: enlargement: 2, 3, 4 or 8.
      features: channels of every hidden layer.
      groups: number of residual groups.
      depth: blocks in a group.
      reduction: of the channels inside the channel attention.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), not clipped. Both kinds of attention look at the whole
    image.
    """

    scale: int = 4
    features: int = 64
    groups: int = 10
    depth: int = 20
    reduction: int = 16
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Enlarge."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, **TORCH_INIT, **types)
        shallow = conv(self.features, name="head")(255.0 * (image - DIV2K_MEAN))
        x, results = shallow, []
        for i in range(self.groups):
            x = ResidualGroup(self.features, self.depth, self.reduction, **TORCH_INIT, **types, name=f"group_{i}")(x)
            results.append(x)
        x = conv(self.features, name="body_end")(x)
        layers = jnp.stack([x, *reversed(results)], 1)  # newest first
        mixed = conv(self.features, name="layer_fusion")(LayerAttention(self.param_dtype, name="layer_attention")(layers))
        scaled = ChannelSpatialAttention(**types, name="channel_spatial_attention")(x)
        x = shallow + conv(self.features, name="fusion")(jnp.concatenate([scaled, mixed], -1))
        x = PixelShuffleUpsample(self.scale, self.features, **TORCH_INIT, **types, name="upsample")(x)
        return conv(self.channels, name="tail")(x).astype(image.dtype) / 255.0 + DIV2K_MEAN


def reference_names(model: HAN) -> dict[str, str]:
    """Our module paths -> the module names of wwlCape/HAN."""
    names = {"head": "head.0", "body_end": f"body.{model.groups}", "tail": "tail.1", "layer_fusion": "last_conv", "fusion": "last"}
    names |= {"layer_attention.gamma": "la.gamma", "channel_spatial_attention.gamma": "csa.gamma", "channel_spatial_attention": "csa.conv"}
    for g in range(model.groups):
        names |= residual_group_names(f"group_{g}", f"body.{g}", model.depth)
    return names | upsample_names("upsample", "tail.0", model.scale)


REFERENCE_IGNORED = ("sub_mean", "add_mean")  # the constant DIV2K_MEAN

_card = partial(
    ModelCard,
    module=HAN,
    task="super_resolution",
    paper="https://arxiv.org/abs/2008.08767",
    reference="wwlCape/HAN (Apache-2.0)",
    reference_names=reference_names,
    reference_ignored=REFERENCE_IGNORED,
)

CARDS = (
    _card(
        name="han_x2",
        scale=2,
        fields=dict(scale=2),
        parameters=15_924_033,
        published={"Set5": (38.27, 0.9614), "Set14": (34.16, 0.9217), "B100": (32.41, 0.9027), "Urban100": (33.35, 0.9385)},
    ),
    _card(
        name="han_x3",
        scale=3,
        fields=dict(scale=3),
        parameters=16_108_673,
        published={"Set5": (34.75, 0.9299), "Set14": (30.67, 0.8483), "B100": (29.32, 0.8110), "Urban100": (29.10, 0.8705)},
    ),
    _card(
        name="han_x4",
        scale=4,
        fields=dict(scale=4),
        parameters=16_071_745,
        published={"Set5": (32.64, 0.9002), "Set14": (28.90, 0.7890), "B100": (27.80, 0.7442), "Urban100": (26.85, 0.8094)},
    ),
)
