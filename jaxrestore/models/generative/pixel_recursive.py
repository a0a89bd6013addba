"""Pixel recursive super resolution, and pixel recursive restoration of any kind.

Dahl, Norouzi and Shlens, ICCV 2017, https://arxiv.org/abs/1702.00783

    degraded -> 1x1 -> [res block x 6 -> transposed conv x2] x log2(scale) -> res block x 6 -> 1x1 -> logits --.
                                                                                                               + -> the next value
    pixels so far -> gated PixelCNN: 7 "A" -> gated layer 5 x 20 -> 1x1 -> 1x1 -> logits ----------------------'

The conditioning network says what the degraded image tells of each value, the prior what the values before it do. Each is drawn in turn, so
that one sharp image comes out instead of the mean of all that are possible.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.autoregression import sample
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.gated_pixels import GatedPixels
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.nn.sub_pixel import upsample_stages
from jaxrestore.typing import ArrayLike, DType, Image


class ConditioningNetwork(nn.Module):
    """A residual network from a degraded image to logits of the values of the clean one.

    Attributes:
      scale: enlargement: 1, 2, 4 or 8.
      features: channels of every hidden layer.
      blocks: residual blocks at each size.
      levels: values that a channel may have.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels, levels).
    """

    scale: int = 4
    features: int = 32
    blocks: int = 6
    levels: int = 256
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """Tell."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv, norm = partial(Conv, **types), partial(BatchNorm, **types)
        stages = upsample_stages(self.scale) if self.scale > 1 else []
        x = conv(self.features, 1, name="head")(image - 0.5)
        for stage in range(len(stages) + 1):
            for i in range(self.blocks):
                name = f"stage_{stage}_block_{i}"
                branch = nn.relu(norm(name=f"{name}_norm_0")(conv(self.features, name=f"{name}_conv_0")(x), train))
                x = x + norm(name=f"{name}_norm_1")(conv(self.features, name=f"{name}_conv_1")(branch), train)
            if stage < len(stages):
                up = ConvTranspose(self.features, 3, 2, 1, output_padding=1, **types, name=f"up_{stage}")
                x = nn.relu(up(x))
        x = conv(self.levels * self.channels, 1, name="tail")(x).astype(jnp.float32)
        return jnp.swapaxes(x.reshape(*x.shape[:-1], self.levels, self.channels), -1, -2)


class PixelRecursive(nn.Module):
    """A conditioning network and an autoregressive prior, whose logits are summed.

    Attributes:
      scale: enlargement: 1 for restoration, 2, 4 or 8.
      features: channels of the conditioning network.
      blocks: its residual blocks at each size.
      prior_features: channels of the prior.
      prior_layers: its gated layers.
      prior_hidden: channels of its layer before the last.
      levels: values that a channel may have: multiples of 1 / (levels - 1).
      temperature: of what is drawn: 1 to 1.4 in the paper; the logits are divided by it.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), multiples of 1 / (levels - 1): drawn with
    `rngs={"noise": key}`, without it the most probable value each time. With `scale=1` it also takes a mask (N, H, W, 1), True where
    content is missing: the other pixels stay as they are, and what is drawn continues them.
    """

    scale: int = 4
    features: int = 32
    blocks: int = 6
    prior_features: int = 64
    prior_layers: int = 20
    prior_hidden: int = 1024
    levels: int = 256
    temperature: float = 1.0
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def sequential(self) -> bool:
        """Pixels are drawn one after the other, so that an image cannot be cut into tiles."""
        return True

    def setup(self) -> None:
        """The two networks."""
        if self.scale not in (1, 2, 4, 8):
            raise InputError(f"scale is {self.scale}: it must be 1, 2, 4 or 8")
        if not self.temperature >= 0:
            raise InputError(f"temperature is {self.temperature}: it must be at least 0")
        types = dict(levels=self.levels, channels=self.channels, dtype=self.dtype, param_dtype=self.param_dtype)
        self.conditioning = ConditioningNetwork(self.scale, self.features, self.blocks, **types)
        self.prior = GatedPixels(self.prior_features, self.prior_layers, 7, 5, self.prior_hidden, classes=0, **types)

    def __call__(self, image: Image, mask: ArrayLike | None = None) -> jax.Array:
        """Restore, pixel by pixel."""
        if mask is not None and self.scale > 1:
            raise InputError(f"mask is given to a network of scale {self.scale}: known pixels are kept by networks of scale 1 alone")
        told = self.conditioning(image)
        large = jnp.zeros((*told.shape[:3], self.channels), image.dtype) if self.scale > 1 else jnp.asarray(image)
        if self.is_initializing():
            return jnp.argmax(told + self.prior(large), -1) / (self.levels - 1.0)
        drawn = self.has_rng("noise")
        key = self.make_rng("noise") if drawn else jax.random.key(0)
        prior, variables = self.prior.unbind()
        return sample(prior, variables, key, large, mask, logits=told, temperature=self.temperature if drawn else 0.0)

    def distributions(self, image: Image, clean: Image, train: bool = False) -> tuple[jax.Array, jax.Array]:
        """Logits of the values of a clean image, each (N, scale*H, scale*W, channels, levels), for `apply(..., method="distributions")`.

        Args:
          image: the degraded image.
          clean: the image that is to be told, (N, scale*H, scale*W, channels).
          train: whether statistics are those of the batch.

        Returns:
          Of both networks, each value from the degraded image and the values before it; of the conditioning network alone. The paper
          maximises the likelihood under both (equation 6), so that the conditioning network is not left idle.
        """
        told = self.conditioning(image, train)
        return told + self.prior(clean), told


_card = partial(ModelCard, module=PixelRecursive, paper="https://arxiv.org/abs/1702.00783")

CARDS = (
    _card(
        name="pixel_recursive_x4",
        task="super_resolution",
        scale=4,
        parameters=5_212_800,
        notes="8x8 to 32x32 in the paper; the count is computed, none is published",
    ),
    _card(
        name="pixel_recursive",
        task="restoration",
        fields=dict(scale=1),
        parameters=4_970_816,
        notes="the same network without enlargement, not in the paper: restores what was degraded and fills in what is missing",
    ),
)
