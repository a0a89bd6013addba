"""TGAN: temporal generative adversarial nets with singular value clipping.

Saito, Matsumoto and Saito, ICCV 2017, https://arxiv.org/abs/1611.06624

    z_slow --> [transposed convolution over time, BN, ReLU] x 4 -> transposed convolution, tanh --> z_fast at 16 times
       |                                                                                              |
       `-> linear, BN, ReLU -> 4x4 --.                                                                |
                                     +-- concatenate -> [transposed convolution, BN, ReLU] x 4 -> conv, tanh --> frame at each time
            linear, BN, ReLU -> 4x4 -'
                  ^-- z_fast(t) ----------------------------------------------------------------------'

The critic is a stack of three-dimensional convolutions. Between two frames there are others: those of the z_fast between (section 5.4).
"""

from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import Form, ModelCard
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.conv_nd import Conv3d, ConvTranspose1d
from jaxrestore.nn.initialise import Uniform, VarianceScaling
from jaxrestore.nn.linear import Linear
from jaxrestore.nn.norm import BatchNorm
from jaxrestore.typing import DType, Latents, Video

_lecun_normal = VarianceScaling(gain=1.0)


def _kernels(bound: float | None) -> Callable:
    """What kernels begin with: uniform values in [-bound, bound], or what the reference begins with where it says nothing else."""
    return _lecun_normal if bound is None else Uniform(bound)


class TemporalGenerator(nn.Module):
    """A latent of the whole video to one of each frame.

    Attributes:
      latent: length of a frame's latent z_fast.
      features: channels of the layers before it; the first keeps the length 1, each other doubles it, as the last does.
      scale_only: batch normalisation without a shift, "NoBeta" in the reference.
      norm_epsilon: the normalisation's epsilon.
      bound: kernels begin as uniform values in [-bound, bound]; None takes normal ones of LeCun's variance.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes z_slow (N, D), gives z_fast (N, T, latent) in [-1, 1] with T = 2 ** len(features): 16.
    """

    latent: int = 256
    features: tuple[int, ...] = (512, 256, 128, 128)
    scale_only: bool = False
    norm_epsilon: float = 2e-5
    bound: float | None = None
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, z_slow: Latents, train: bool = False) -> jax.Array:
        """Unroll."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        deconv = partial(ConvTranspose1d, kernel_init=_kernels(self.bound), **types)
        norm = partial(BatchNorm, self.norm_epsilon, use_bias=not self.scale_only, **types)
        x = z_slow[:, None]
        for i, features in enumerate(self.features):
            x = deconv(features, *((4, 2, 1) if i else (1, 1, 0)), name=f"deconv_{i}")(x)
            x = nn.relu(norm(name=f"norm_{i}")(x, train))
        return jnp.tanh(deconv(self.latent, 4, 2, 1, name=f"deconv_{len(self.features)}")(x))


class ImageGenerator(nn.Module):
    """The frames of a video from the latent of the video and those of its frames.

    Attributes:
      features: channels at the smallest size, half of them from each latent; every layer halves them.
      bottom: side of the smallest size; four layers double it.
      channels: image channels.
      use_bias: biases before the normalisations, as the PyTorch port has.
      norm_epsilon: the normalisation's epsilon.
      bound: kernels begin as uniform values in [-bound, bound]; None takes normal ones of LeCun's variance.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes z_slow (N, D) and z_fast (N, T, E), gives (N, T, 16 * bottom, 16 * bottom, channels) in [0, 1].
    """

    features: int = 512
    bottom: int = 4
    channels: int = 3
    use_bias: bool = False
    norm_epsilon: float = 2e-5
    bound: float | None = None
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, z_slow: Latents, z_fast: Latents, train: bool = False) -> jax.Array:
        """Draw."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        deconv = partial(ConvTranspose, kernel_init=_kernels(self.bound), **types)
        norm = partial(BatchNorm, self.norm_epsilon, **types)

        def start(z: Latents, name: str) -> jax.Array:
            width = self.features // 2 * self.bottom**2
            z = Linear(width, self.use_bias, _kernels(self.bound), **types, name=f"linear_{name}")(z)
            z = nn.relu(norm(name=f"norm_{name}")(z, train))
            # The reference's order: channel, row, column.
            return jnp.moveaxis(z.reshape(*z.shape[:-1], self.features // 2, self.bottom, self.bottom), -3, -1)

        fast = start(z_fast, "fast")
        # The same for all frames; its mean and variance over the batch are those over all frames.
        slow = jnp.broadcast_to(start(z_slow, "slow")[:, None], fast.shape)
        x = jnp.concatenate([slow, fast], -1).reshape(-1, self.bottom, self.bottom, 2 * (self.features // 2))
        for i in range(4):
            x = deconv(self.features // 2 ** (i + 1), 4, 2, 1, use_bias=self.use_bias, name=f"deconv_{i}")(x)
            x = nn.relu(norm(name=f"norm_{i}")(x, train))
        frames = 0.5 + 0.5 * jnp.tanh(deconv(self.channels, 3, 1, 1, name="deconv_4")(x))
        return frames.reshape(*fast.shape[:2], *frames.shape[1:]).astype(z_slow.dtype)


class TGAN(nn.Module):
    """A latent to a video.

    Attributes:
      slow: length of the video's latent.
      fast: length of each frame's.
      temporal_features: channels of the temporal generator.
      features: channels of the image generator at its smallest size.
      bottom: side of that size; frames have 16 times it.
      channels: image channels.
      scale_only: the temporal generator's normalisation has no shift, "NoBeta" in the reference.
      use_bias: biases before the image generator's normalisations, as the PyTorch port has.
      norm_epsilon: the normalisations' epsilon.
      bound: kernels begin as uniform values in [-bound, bound]; None takes normal ones of LeCun's variance.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes z_slow (N, slow), uniform in [-1, 1] in training, gives (N, 16, 16 * bottom, 16 * bottom, channels) in [0, 1]; with `rate` frames
    for each, `(16 - 1) * rate + 1` of them.
    """

    slow: int = 256
    fast: int = 256
    temporal_features: tuple[int, ...] = (512, 256, 128, 128)
    features: int = 512
    bottom: int = 4
    channels: int = 3
    scale_only: bool = False
    use_bias: bool = False
    norm_epsilon: float = 2e-5
    bound: float | None = None
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def example_inputs(self) -> tuple[jax.ShapeDtypeStruct, ...]:
        """One latent."""
        return (jax.ShapeDtypeStruct((1, self.slow), jnp.float32),)

    def setup(self) -> None:
        """The two generators."""
        types = dict(norm_epsilon=self.norm_epsilon, bound=self.bound, dtype=self.dtype, param_dtype=self.param_dtype)
        self.temporal = TemporalGenerator(self.fast, self.temporal_features, self.scale_only, **types)
        self.image = ImageGenerator(self.features, self.bottom, self.channels, self.use_bias, **types)

    def __call__(self, z_slow: Latents, train: bool = False, rate: int = 1) -> jax.Array:
        """Generate."""
        return self.image(z_slow, between(self.temporal(z_slow, train), rate), train)

    def trajectory(self, z_slow: Latents, train: bool = False) -> jax.Array:
        """z_fast (N, 16, fast) of a video: `model.apply(variables, z_slow, method="trajectory")`."""
        return self.temporal(z_slow, train)

    def frames(self, z_slow: Latents, z_fast: Latents, train: bool = False) -> jax.Array:
        """The frames (N, T, H, W, channels) at any places z_fast (N, T, fast) of a trajectory."""
        return self.image(z_slow, z_fast, train)


def between(z_fast: Latents, rate: int) -> jax.Array:
    """A trajectory with more places: `rate` steps for each step, along straight lines between its places.

    Args:
      z_fast: (N, T, E).
      rate: at least 1.

    Returns:
      (N, (T - 1) * rate + 1, E).

    Raises:
      InputError: rate is below 1.
    """
    if rate < 1:
        raise InputError(f"rate is {rate}: it must be at least 1")
    share = (jnp.arange(rate, dtype=z_fast.dtype) / rate).reshape(1, 1, -1, 1)
    lines = (1 - share) * z_fast[:, :-1, None] + share * z_fast[:, 1:, None]
    count, places, _, length = lines.shape
    return jnp.concatenate([lines.reshape(count, places * rate, length), z_fast[:, -1:]], 1)


class TGANDiscriminator(nn.Module):
    """A critic of videos: three-dimensional convolutions at stride 2.

    Attributes:
      features: channels of the first layer; they double three times.
      top: side of the last layer's window.
      channels: image channels.
      scale_only: batch normalisation without a shift, "NoBeta" in the reference.
      norm_epsilon: the normalisation's epsilon.
      bound: kernels begin as uniform values in [-bound, bound]; None takes normal ones of LeCun's variance.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, T, H, W, channels) in [0, 1], T at least 16, H and W at least 16 * top, gives scores (N, T // 16, H // 16 - top + 1, W // 16 -
    top + 1): one for 16 frames of 64x64.
    """

    features: int = 64
    top: int = 4
    channels: int = 3
    scale_only: bool = False
    norm_epsilon: float = 2e-5
    bound: float | None = None
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def example_inputs(self) -> tuple[jax.ShapeDtypeStruct, ...]:
        """One video."""
        return (jax.ShapeDtypeStruct((1, 16, 16 * self.top, 16 * self.top, self.channels), jnp.float32),)

    @nn.compact
    def __call__(self, video: Video, train: bool = False) -> jax.Array:
        """Judge."""
        if video.ndim != 5 or video.shape[1] < 16 or min(video.shape[2:4]) < 16 * self.top:
            raise InputError(f"video has the shape {video.shape}: it must be (N, T, H, W, C) with T >= 16, H and W >= {16 * self.top}")
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        x = 2.0 * video - 1.0
        for i in range(4):
            x = Conv3d(self.features * 2**i, 4, 2, 1, kernel_init=_kernels(self.bound), **types, name=f"conv_{i}")(x)
            if i:
                x = BatchNorm(self.norm_epsilon, use_bias=not self.scale_only, **types, name=f"norm_{i}")(x, train)
            x = nn.leaky_relu(x, 0.2)
        scores = Conv(1, self.top, 1, 0, kernel_init=_kernels(self.bound), **types, name="conv_4")(x.reshape(-1, *x.shape[2:]))
        return scores.reshape(*x.shape[:2], *scores.shape[1:3]).astype(video.dtype)


def reference_names(model: TGAN | TGANDiscriminator) -> dict[str, str]:
    """Our module paths or leaves -> names in pfnet-research/tgan, or in its port to PyTorch for the form with biases."""
    names = {}
    leaves = {"kernel": "W", "kernel_transposed": "W", "bias": "b"}
    statistics = {"scale": "gamma", "bias": "beta", "mean": "avg_mean", "var": "avg_var"}

    def chainer(ours: str, theirs: str) -> None:
        names.update({f"{ours}.{leaf}": f"{theirs}.{name}" for leaf, name in (statistics if "norm" in ours else leaves).items()})

    def torch(ours: str, theirs: str) -> None:
        names[ours] = f"_{theirs}"

    if isinstance(model, TGANDiscriminator):
        for i in range(5):
            chainer(f"conv_{i}", f"vdis.c{i}")
        for i in range(1, 4):
            chainer(f"norm_{i}", f"vdis.bn{i}")
        return names
    layer = torch if model.use_bias else chainer
    depth = len(model.temporal_features)
    for i in range(depth + 1):
        layer(f"temporal/deconv_{i}", f"fsgen.dc{i}")
    for i in range(depth):
        layer(f"temporal/norm_{i}", f"fsgen.bn{i}")
    for name in ("slow", "fast"):
        layer(f"image/linear_{name}", f"vgen.l0{name[0]}")
        layer(f"image/norm_{name}", f"vgen.bn0{name[0]}")
    for i in range(5):
        layer(f"image/deconv_{i}", f"vgen.dc{i + 1}")
    for i in range(4):
        layer(f"image/norm_{i}", f"vgen.bn{i + 1}")
    return names


REFERENCE_IGNORED = ("vdis.bn0",)  # made, and never used

_card = partial(
    ModelCard,
    task="generation",
    paper="https://arxiv.org/abs/1611.06624",
    reference="pfnet-research/tgan (MIT)",
    reference_names=reference_names,
    reference_ignored=REFERENCE_IGNORED,
)
_port = Form(dict(use_bias=True, norm_epsilon=1e-5), 5_895_683, "proceduralia/tgan-pytorch (MIT)")
_ucf101 = dict(scale_only=True, bound=0.01)
_unused = "the reference counts {} more, of a normalisation that it never uses"

CARDS = (
    _card(name="tgan", module=TGAN, parameters=5_887_011, forms={"pytorch": _port}),
    _card(
        name="tgan_ucf101",
        module=TGAN,
        fields=dict(slow=100, fast=100, **_ucf101),
        parameters=4_448_135,
        notes="the configuration of the paper's videos of UCF-101",
    ),
    _card(
        name="tgan_discriminator",
        module=TGANDiscriminator,
        task="discrimination",
        parameters=11_033_281,
        notes=_unused.format(128),
    ),
    _card(
        name="tgan_discriminator_ucf101",
        module=TGANDiscriminator,
        task="discrimination",
        fields=_ucf101,
        parameters=11_032_385,
        notes=_unused.format(64),
    ),
)
