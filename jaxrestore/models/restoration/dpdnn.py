"""DPDNN: denoising prior driven deep neural network for image restoration.

Dong, Wang, Yin, Shi, Wu and Lu, IEEE TPAMI 2019, https://arxiv.org/abs/1801.06756

    x = y;  six times:  v = x + unet(x),  x = (1 - delta - eta) v + eta x + delta y

    unet: [conv x 3 -+-> down] x 4 -> conv -> [up, concatenate, conv 1x1, conv x 4] x 4 -> conv
                     `---------------------------------^

The steps share one U-Net; each has a delta and an eta of its own, which are learnt.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.models.card import Form, ModelCard
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.initialise import Constant, VarianceScaling, he_normal, parameter
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.typing import DType, Image

_LEVELS = 4
_DOWN, _UP = 3, 4  # 3x3 convolutions of a level on the way down and up
_xavier = VarianceScaling(gain=1.0, distribution="uniform")


class DenoisingUNet(nn.Module):
    """The denoiser that the steps share: a U-Net of one width.

    Attributes:
      features: channels of every hidden layer.
      channels: image channels.
      shared_downsampling: levels 3 and 4 are halved by the convolutions of levels 1 and 2, as in the authors' PyTorch code, whose own ones
        for these levels are never used; False gives each level its own.
      tensorflow: as in the authors' TensorFlow code: each level has its own, the odd border of what halves and doubles lies below and
        right, what doubles has no bias, and a ReLU follows the last convolution of each level on the way up too.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels), H and W multiples of 16, gives what is to be added to it.
    """

    features: int = 64
    channels: int = 1
    shared_downsampling: bool = True
    tensorflow: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Predict what is wrong with the image."""
        types = dict(kernel_init=_xavier, dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, self.features, **types)
        down = [conv(strides=2, padding="same" if self.tensorflow else None, name=f"down_{level}") for level in range(_LEVELS)]
        sides = dict(padding=0, output_padding=-1) if self.tensorflow else dict(padding=1, output_padding=1)
        x, skips = image, []
        for level in range(_LEVELS):
            for i in range(_DOWN):
                x = nn.relu(conv(name=f"encoder_{level}_conv_{i}")(x))
            skips.append(x)
            used = level % 2 if self.shared_downsampling and not self.tensorflow else level
            if used != level and self.is_initializing():  # in the authors' files and in their count of parameters, but without a use
                down[level](x)
            x = nn.relu(down[used](x))
        x = nn.relu(conv(name="encoder_end")(x))
        for level in reversed(range(_LEVELS)):
            options = dict(types, use_bias=False, kernel_init=he_normal) if self.tensorflow else types
            up = ConvTranspose(self.features, strides=2, **sides, **options, name=f"up_{level}")
            x = jnp.concatenate([up(x), skips.pop()], -1)
            x = nn.relu(conv(kernel_size=1, name=f"decoder_{level}_fusion")(x))
            for i in range(_UP):
                x = conv(name=f"decoder_{level}_conv_{i}")(x)
                x = nn.relu(x) if i < _UP - 1 or self.tensorflow else x
        return Conv(self.channels, **types, name="tail")(x)


class DPDNN(nn.Module):
    """Half-quadratic splitting unrolled: denoise, then move towards what was observed.

    Attributes:
      steps: iterations.
      features: channels of every hidden layer of the denoiser.
      channels: image channels.
      shared_downsampling: as for `DenoisingUNet`.
      tensorflow: as for `DenoisingUNet`.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes and gives (N, H, W, channels) in [0, 1], not clipped. Sides that are no multiples of 16 are padded with the nearest pixel and
    cropped back. A set of weights is for one degradation; the authors' networks for deblurring and enlargement are of the same form.
    """

    steps: int = 6
    features: int = 64
    channels: int = 1
    shared_downsampling: bool = True
    tensorflow: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return 2**_LEVELS

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Restore."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        denoiser = DenoisingUNet(self.features, self.channels, self.shared_downsampling, self.tensorflow, **types, name="unet")
        observed = pad_to_multiple(image, self.multiple, "replicate")
        x = observed
        for i in range(1, self.steps + 1):
            delta, eta = self._weight(f"delta_{i}", 0.1), self._weight(f"eta_{i}", 0.9)
            denoised = x + denoiser(x).astype(image.dtype)
            x = (1.0 - delta - eta) * denoised + eta * x + delta * observed
        return crop(x, image.shape[-3:-1])

    def _weight(self, name: str, initial: float) -> jax.Array:
        return jnp.asarray(parameter(self, name, Constant(initial), (), self.param_dtype), jnp.float32)


def reference_names(model: DPDNN) -> dict[str, str]:
    """Our module paths -> the module names of WeishengDong/DPDNN_PyTorch, or our leaves -> the variables of WeishengDong/DPDNN."""
    if model.tensorflow:
        return _tensorflow_names(model.steps)
    names = {"unet/encoder_end": "encoder_end.0", "unet/tail": "Feature_Decoder_end"}
    for level in range(_LEVELS):
        encoder, decoder = f"Feature_Encoder{level + 1}", f"Feature_Decoder{level + 1}"
        names |= {f"unet/encoder_{level}_conv_{i}": f"{encoder}_fe.{2 * i}" for i in range(_DOWN)}
        names |= {f"unet/down_{level}": f"{encoder}_down.0", f"unet/up_{level}": f"decoder_up{level + 1}"}
        names |= {f"unet/decoder_{level}_fusion": f"{decoder}.0"}
        names |= {f"unet/decoder_{level}_conv_{i}": f"{decoder}.{2 * i + 2}" for i in range(_UP)}
    for i in range(1, model.steps + 1):
        names |= {f".{name}_{i}": f"{name}_{i}" for name in ("delta", "eta")}
    return names


def _tensorflow_names(steps: int) -> dict[str, str]:
    modules = {"unet/encoder_end": "Encoding_end/feature_extraction_end", "unet/tail": "end/f_dc_4"}
    names = {}
    for level in range(_LEVELS):
        encoder, decoder = f"Encoding_{level}", f"Decoding_{level}"
        modules |= {f"unet/encoder_{level}_conv_{i}": f"{encoder}/f_c_{i + 1}" for i in range(_DOWN)}
        modules |= {f"unet/down_{level}": f"{encoder}/down_sampling", f"unet/decoder_{level}_fusion": f"{decoder}/down_channal"}
        modules |= {f"unet/decoder_{level}_conv_{i}": f"{decoder}/f_dc_{i + 1}" for i in range(_UP)}
        names[f"unet/up_{level}.kernel_transposed"] = f"bloclk/{decoder}/upsampling/kernel"
    leaves = {"kernel": "weights", "bias": "biases"}
    names |= {f"{ours}.{leaf}": f"bloclk/{theirs}/{their}" for ours, theirs in modules.items() for leaf, their in leaves.items()}
    return names | {f".{name}_{i}": f"recon_{i}/{name}" for i in range(1, steps + 1) for name in ("delta", "eta")}


def reference_kernels(model: DPDNN) -> str:
    """How the kernels of the reference lie."""
    return "HWIO" if model.tensorflow else "OIHW"


CARDS = (
    ModelCard(
        name="dpdnn_gray",
        module=DPDNN,
        task="denoising",
        paper="https://arxiv.org/abs/1801.06756",
        channels=1,
        multiple=16,
        blind=True,
        parameters=1_363_661,
        reference="WeishengDong/DPDNN_PyTorch (no licence stated)",
        reference_names=reference_names,
        convention="gray",
        forms={"tensorflow": Form(dict(tensorflow=True), 1_363_405, "WeishengDong/DPDNN (no licence stated)")},
        notes="one set of weights for each noise level, for each blur and each enlargement; the published count holds two unused layers; "
        "shared_downsampling=False is the network of the paper, with the same names and shapes",
    ),
)
