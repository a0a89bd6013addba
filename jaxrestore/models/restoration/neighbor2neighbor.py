"""Neighbor2Neighbor's U-Net, and the blind-spot network whose output at a pixel does not depend on that pixel.

Huang, Li, Jia, Lu and Liu, "Neighbor2Neighbor: Self-Supervised Denoising from Single Noisy Images", CVPR 2021,
https://arxiv.org/abs/2101.02824; the blind spot: Laine, Karras, Lehtinen and Aila, "High-Quality Self-Supervised Deep Image Denoising",
NeurIPS 2019, https://arxiv.org/abs/1901.10277

    image -> U-Net ---------------------------------------------> conv 1x1, 1x1, 1x1 -> image

    image -+-> rotate   0 -> U-Net that sees only above, shift down -> rotate back -+
           +-> rotate  90 -> the same ---------------------------------------------+-> concatenate -> conv 1x1, 1x1, 1x1 -> image
           +-> rotate 180 -> the same ---------------------------------------------+
           `-> rotate 270 -> the same ---------------------------------------------'

`training.objectives.neighbor2neighbor` trains the first from noisy images alone.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.initialise import VarianceScaling
from jaxrestore.ops.padding import crop, pad, pad_to_multiple
from jaxrestore.ops.unpooling import max_pool
from jaxrestore.typing import DType, Image

_small = VarianceScaling(gain=0.1 * 2**0.5)  # a tenth of He's rule
_small_transposed = VarianceScaling(gain=0.1 * 2**0.5, fan="out")


class ShiftedUNet(nn.Module):
    """The U-Net without its last 1x1 convolutions; in the blind form no output sees its own row nor any below.

    Attributes:
      features: channels of the encoder; the decoder has twice as many.
      last_features: channels of the result.
      levels: number of poolings by 2.
      blind_spot: shift every window up, so that it ends at its output's row, and the result one row down.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C) with H and W multiples of 2**levels, gives (N, H, W, last_features).
    """

    features: int
    last_features: int
    levels: int
    blind_spot: bool
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Apply."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)

        def down(x: Image, rows: int = 1) -> jax.Array:
            return pad(x, (rows, 0), (0, 0), "zeros")[:, : x.shape[1]] if self.blind_spot else x

        def conv(name: str, x: Image, width: int) -> jax.Array:
            # A row more above and one less below is what a window of three looks at when it ends at its own row.
            wanted = x.shape[1]
            x = pad(x, (1, 0), (0, 0), "zeros") if self.blind_spot else x
            return nn.leaky_relu(Conv(width, kernel_init=_small, **types, name=name)(x)[:, :wanted], 0.2)

        x = image
        skips: list[jax.Array] = []
        for level in range(self.levels):
            skips.append(x)
            x = conv("encoder_conv_0", x, self.features) if level == 0 else x
            x = max_pool(down(conv(f"encoder_conv_{level + 1}", x, self.features)))
        x = conv(f"encoder_conv_{self.levels + 1}", x, self.features)
        for level in reversed(range(self.levels)):
            x = ConvTranspose(x.shape[-1], 2, 2, kernel_init=_small_transposed, **types, name=f"up_{level}")(x)
            x = jnp.concatenate([x, skips.pop()], -1)
            width = 2 * self.features if level else self.last_features
            x = conv(f"decoder_{level}_conv_1", conv(f"decoder_{level}_conv_0", x, width), width)
        return down(x)


class Neighbor2NeighborUNet(nn.Module):
    """A U-Net of constant width without normalisation, or four of them with one set of weights that look in four directions.

    Attributes:
      features: channels of the encoder; the decoder has twice as many.
      last_features: channels at full size.
      levels: number of poolings by 2.
      blind_spot: no pixel of the result depends on the same pixel of the image.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], not clipped. Other sizes than multiples of `multiple` are extended at the bottom and
    right and cropped back: reflected, or with zeros where the spot is blind, which a reflected copy of a pixel would open.
    """

    features: int = 48
    last_features: int = 96
    levels: int = 5
    blind_spot: bool = False
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return 2**self.levels

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Denoise."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, kernel_size=1, kernel_init=_small, **types)
        body = ShiftedUNet(self.features, self.last_features, self.levels, self.blind_spot, **types, name="body")
        x = pad_to_multiple(image, self.multiple, "zeros" if self.blind_spot else "reflect")
        x = _in_four_directions(body, x) if self.blind_spot else body(x)
        x = nn.leaky_relu(conv(x.shape[-1], name="last_conv_0")(x), 0.2)
        x = nn.leaky_relu(conv(self.last_features, name="last_conv_1")(x), 0.2)
        x = conv(self.channels, name="last_conv_2")(x).astype(image.dtype)
        return crop(x, image.shape[1:3])


def _in_four_directions(body: nn.Module, image: Image) -> jax.Array:
    """What the body sees from above, from each side in turn, side by side in the channels."""

    def turn(x: Image, quarters: int) -> jax.Array:
        return jnp.rot90(x, -quarters, (1, 2))

    # Turned by 90 degrees an image has another shape: hence two batches of two directions, and not one of four.
    found: dict[int, jax.Array] = {}
    for first in (0, 1):
        both = body(jnp.concatenate([turn(image, first), turn(image, first + 2)]))
        for quarters, x in zip((first, first + 2), jnp.split(both, 2), strict=True):
            found[quarters] = turn(x, -quarters)
    return jnp.concatenate([found[quarters] for quarters in range(4)], -1)


def reference_names(model: Neighbor2NeighborUNet) -> dict[str, str]:
    """Our module paths -> the module names of TaoHuang2018/Neighbor2Neighbor."""
    names = {f"body/encoder_conv_{i}": f"enc_conv{i}" for i in range(model.levels + 2)}
    for level in range(model.levels):
        names |= {f"body/up_{level}": f"up{level + 1}.deconv"}
        names |= {f"body/decoder_{level}_conv_{i}": f"dec_conv{level + 1}{letter}" for i, letter in enumerate("ab")}
    return names | {f"last_conv_{i}": f"nin_{letter}" for i, letter in enumerate("abc")}


_card = partial(
    ModelCard,
    module=Neighbor2NeighborUNet,
    task="denoising",
    multiple=32,
    blind=True,
    convention="rgb+round8",
    reference="TaoHuang2018/Neighbor2Neighbor (BSD-3-Clause)",
    reference_names=reference_names,
)

CARDS = (
    _card(
        name="neighbor2neighbor",
        paper="https://arxiv.org/abs/2101.02824",
        parameters=1_259_475,
        published={"Kodak sigma 25": (32.08, 0.879), "BSD300 sigma 25": (30.79, 0.873), "Set14 sigma 25": (31.09, 0.864)},
        notes="trained from noisy images alone",
    ),
    _card(
        name="blind_spot_unet",
        paper="https://arxiv.org/abs/1901.10277",
        fields=dict(blind_spot=True),
        parameters=1_425_651,
        notes="Laine's network as Neighbor2Neighbor's authors wrote it: the mean alone, without the posterior of a noise model",
    ),
)
