"""DiffIR: efficient diffusion model for image restoration.

Xia et al., ICCV 2023, https://arxiv.org/abs/2303.09472

    image -> prior extractor -> condition -> [denoiser] x steps -> prior (one vector)
                                                                     |
    image -> conv -> blocks -+-> down, blocks -+-> ... -> blocks ... up, + -> blocks -> up, + -> blocks -> upsample -> + nearest(image)
                             `-----------------`-------------------------^--------------^            every block is modulated by the prior

Stage 1 trains the restorer with a prior extractor that sees the answer; in stage 2 a small diffusion model learns to guess that prior.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.channel_attention import mean_over_image
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT, torch_default
from jaxrestore.nn.linear import Linear
from jaxrestore.nn.norm import LayerNorm
from jaxrestore.nn.residual import ResidualBlock
from jaxrestore.nn.sub_pixel import PixelShuffleUpsample
from jaxrestore.nn.transposed_attention import GatedFeedForward, TransposedAttention, transposed_attention_names
from jaxrestore.ops.interpolate import interpolate
from jaxrestore.ops.padding import crop, pad_to_multiple
from jaxrestore.ops.pixel_shuffle import pixel_shuffle, pixel_unshuffle
from jaxrestore.typing import DType, Image

_leaky = partial(nn.leaky_relu, negative_slope=0.1)
_GROWTH = 4  # the restorer always enlarges by 4; for smaller scales it works on sub-images


class PriorExtractor(nn.Module):
    """An image as one vector (CPEN).

    Attributes:
      features: channels of the first layer; the vector has four times as many numbers.
      depth: number of residual blocks.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C), gives (N, 4 * features).
    """

    features: int = 64
    depth: int = 9
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image) -> jax.Array:
        """Summarise."""
        options = dict(**TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        x = _leaky(Conv(self.features, **options, name="head")(image))
        for i in range(self.depth):
            x = ResidualBlock(self.features, activation=_leaky, **options, name=f"block_{i}")(x)
        for i, growth in enumerate((2, 2, 4)):
            x = _leaky(Conv(growth * self.features, **options, name=f"conv_{i}")(x))
        x = mean_over_image(x)[:, 0, 0]
        for i in range(2):
            x = _leaky(Linear(4 * self.features, **options, name=f"linear_{i}")(x))
        return x


class PriorDenoiser(nn.Module):
    """The clean prior from a noisy one, the step and the condition.

    Attributes:
      depth: hidden layers after the first.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes a noisy prior (N, P), a step number divided by ten times the number of steps, and a condition (N, P); gives (N, P).
    """

    depth: int = 1
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, prior: jax.Array, step: float, condition: jax.Array) -> jax.Array:
        """Denoise."""
        x = jnp.concatenate([condition, jnp.full_like(prior[:, :1], step), prior], -1)
        for i in range(self.depth + 1):
            x = _leaky(Linear(prior.shape[-1], **TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype, name=f"linear_{i}")(x))
        return x


class PriorBlock(nn.Module):
    """A Restormer block whose two halves are scaled and shifted by a prior.

    Attributes:
      heads: attention heads.
      expansion: of the feed-forward network.
      use_bias: biases in the convolutions.
      centred: the normalisations take off the mean and learn a shift ("WithBias"); otherwise they only divide ("BiasFree").
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, C) and a prior (N, P), gives (N, H, W, C).
    """

    heads: int
    expansion: float = 2.2
    use_bias: bool = False
    centred: bool = False
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, prior: jax.Array) -> Image:
        """Refine."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        halves = {
            "attention": TransposedAttention(self.heads, self.use_bias, **types, name="attention"),
            "feed_forward": GatedFeedForward(self.expansion, self.use_bias, **types, name="feed_forward"),
        }
        x = image
        for name, half in halves.items():
            modulation = Linear(2 * x.shape[-1], use_bias=False, kernel_init=torch_default, **types, name=f"{name}_prior")(prior)
            factor, shift = jnp.split(modulation[:, None, None], 2, -1)
            y = LayerNorm(use_bias=self.centred, centred=self.centred, **types, name=f"{name}_norm")(x)
            x = x + half(y * factor + shift).astype(x.dtype)
        return x


class PriorRestorer(nn.Module):
    """A Restormer-like U-Net that is modulated by a prior (DIRformer).

    Attributes:
      scale: enlargement: 4, 2 or 1.
      features: channels of the finest level; they double with each.
      blocks: number of blocks on each level, finest first.
      refinement: number of blocks before the tail.
      heads: attention heads of each level.
      expansion: of the feed-forward networks.
      use_bias: as for `PriorBlock`, and in the 1x1 convolutions after the skips.
      centred: as for `PriorBlock`.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], H and W multiples of 32 / scale, and a prior (N, P); gives (N, scale*H, scale*W, channels).
    """

    scale: int = 4
    features: int = 64
    blocks: tuple[int, ...] = (13, 1, 1, 1)
    refinement: int = 13
    heads: tuple[int, ...] = (1, 2, 4, 8)
    expansion: float = 2.2
    use_bias: bool = False
    centred: bool = False
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, prior: jax.Array) -> Image:
        """Restore."""
        options = dict(**TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        conv = partial(Conv, use_bias=False, **options)
        levels = len(self.blocks)

        def stack(x: Image, level: int, count: int, name: str) -> Image:
            for i in range(count):
                block = PriorBlock(
                    self.heads[level], self.expansion, self.use_bias, self.centred, self.dtype, self.param_dtype, name=f"{name}_{i}"
                )
                x = block(x, prior)
            return x

        x = conv(self.features, name="head")(pixel_unshuffle(image, _GROWTH // self.scale))
        skips = []
        for level in range(levels - 1):
            skips.append(stack(x, level, self.blocks[level], f"encoder_{level}"))
            x = pixel_unshuffle(conv(skips[-1].shape[-1] // 2, name=f"down_{level}")(skips[-1]), 2)
        x = stack(x, levels - 1, self.blocks[-1], "bottom")
        for level in reversed(range(levels - 1)):
            x = pixel_shuffle(conv(2 * x.shape[-1], name=f"up_{level}")(x), 2)
            x = jnp.concatenate([x, skips[level]], -1)
            if level > 0:  # the finest level keeps both halves
                x = conv(x.shape[-1] // 2, 1, use_bias=self.use_bias, name=f"reduce_{level}")(x)
            x = stack(x, level, self.blocks[level], f"decoder_{level}")
        x = stack(x, 0, self.refinement, "refinement")
        x = PixelShuffleUpsample(_GROWTH, x.shape[-1], **options, name="upsample")(x)
        x = Conv(self.channels, **options, name="tail")(x).astype(image.dtype)
        return x + interpolate(image, self.scale, method="nearest")


class DiffIR(nn.Module):
    """The second stage: the prior is guessed from the image by a few steps of diffusion, then the image is restored with it.

    Attributes:
      scale: enlargement: 4, 2 or 1.
      features: channels of the restorer's finest level.
      blocks: blocks on each level of the restorer, finest first.
      refinement: blocks before its tail.
      heads: attention heads of each level.
      expansion: of the feed-forward networks.
      use_bias: biases in the restorer's convolutions.
      centred: normalisations with mean and shift.
      prior_features: a quarter of the numbers of the prior.
      prior_depth: residual blocks of the prior extractor.
      denoiser_depth: hidden layers of the denoiser after its first.
      steps: of the diffusion.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), not clipped. Sides that are no multiple of 32 / scale are
    padded by reflection and cropped back. The diffusion begins with `noise` (N, 4 * prior_features) where that is given; otherwise with
    normal numbers from the random stream "noise" of `apply(..., rngs=...)`, or without one from a fixed key: then an image has one result.
    """

    scale: int = 4
    features: int = 64
    blocks: tuple[int, ...] = (13, 1, 1, 1)
    refinement: int = 13
    heads: tuple[int, ...] = (1, 2, 4, 8)
    expansion: float = 2.2
    use_bias: bool = False
    centred: bool = False
    prior_features: int = 64
    prior_depth: int = 9
    denoiser_depth: int = 1
    steps: int = 4
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def multiple(self) -> int:
        """What height and width are padded to a multiple of."""
        return _GROWTH // self.scale * 2 ** (len(self.blocks) - 1)

    @nn.compact
    def __call__(self, image: Image, noise: Float[Array | np.ndarray, "n _"] | None = None) -> Image:
        """Restore."""
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        height, width = image.shape[1:3]
        image = pad_to_multiple(image, self.multiple)
        extractor = PriorExtractor(self.prior_features, self.prior_depth, **types, name="condition")
        condition = extractor(pixel_unshuffle(image, _GROWTH // self.scale))
        denoiser = PriorDenoiser(self.denoiser_depth, **types, name="denoiser")
        prior = self._start(condition) if noise is None else jnp.asarray(noise, condition.dtype)
        coefficients = np.float32(posterior_mean(self.steps))
        for step in reversed(range(self.steps)):
            clean = denoiser(prior, step / (10.0 * self.steps), condition)
            prior = (coefficients[0, step] * clean + coefficients[1, step] * prior).astype(condition.dtype)
        self.sow("intermediates", "condition_vector", condition)
        self.sow("intermediates", "prior", prior)
        restorer = PriorRestorer(
            self.scale,
            self.features,
            self.blocks,
            self.refinement,
            self.heads,
            self.expansion,
            self.use_bias,
            self.centred,
            self.channels,
            **types,
            name="restorer",
        )
        return crop(restorer(image, prior), (self.scale * height, self.scale * width))

    def _start(self, condition: jax.Array) -> jax.Array:
        if self.has_rng("noise"):
            return jax.random.normal(self.make_rng("noise"), condition.shape, condition.dtype)
        # One draw for all images, so that an image's result does not depend on what else is in the batch.
        return jnp.broadcast_to(jax.random.normal(jax.random.key(0), condition.shape[1:], condition.dtype)[None], condition.shape)


class DiffIRStage1(nn.Module):
    """The first stage: the prior is taken from the image and the answer together; it trains the restorer.

    Attributes:
      restorer: the restorer that stage 2 takes over.
      prior_features: a quarter of the numbers of the prior.
      prior_depth: residual blocks of the prior extractor.

    Takes (N, H, W, C) and the answer (N, scale*H, scale*W, C), sides as `PriorRestorer` needs them; gives the restored image and the prior
    (N, 4 * prior_features), which stage 2 learns to guess.
    """

    restorer: PriorRestorer
    prior_features: int = 64
    prior_depth: int = 9

    @nn.compact
    def __call__(self, image: Image, target: Image) -> tuple[Image, jax.Array]:
        """Restore, with the answer in view."""
        types = dict(dtype=self.restorer.dtype, param_dtype=self.restorer.param_dtype)
        views = [pixel_unshuffle(image, _GROWTH // self.restorer.scale), pixel_unshuffle(target, _GROWTH)]
        prior = PriorExtractor(self.prior_features, self.prior_depth, **types, name="extractor")(jnp.concatenate(views, -1))
        return self.restorer(image, prior), prior


def posterior_mean(steps: int, first: float = 0.1, last: float = 0.99) -> np.ndarray:
    """Factors (2, steps) of the clean prior and of the noisy one in the mean of the next.

    Args:
      steps: of the diffusion.
      first: beta of the first step; the square roots of the betas lie at equal distances.
      last: beta of the last step.

    Reference: Ho, Jain and Abbeel, "Denoising Diffusion Probabilistic Models", NeurIPS 2020, equation 7.
    """
    beta = _betas(steps, first, last)
    kept = np.cumprod(1.0 - beta)
    before = np.append(1.0, kept[:-1])
    return np.stack([beta * np.sqrt(before), (1.0 - before) * np.sqrt(1.0 - beta)]) / (1.0 - kept)


def signal_left(steps: int, first: float = 0.1, last: float = 0.99) -> float:
    """The share of a clean prior's variance that is left after all steps of the diffusion; the rest is noise. Arguments as above."""
    return float(np.prod(1.0 - _betas(steps, first, last)))


def _betas(steps: int, first: float, last: float) -> np.ndarray:
    return np.linspace(np.sqrt(first), np.sqrt(last), steps) ** 2


def reference_names(model: DiffIR) -> dict[str, str]:
    """Our module paths -> the module names of Zj-BinXia/DiffIR."""
    names = {"restorer/head": "G.patch_embed.proj", "restorer/tail": "G.tail.1"}
    names |= {f"restorer/upsample/conv_{i}": f"G.tail.0.{2 * i}" for i in range(2)}

    def block(ours: str, theirs: str) -> None:
        names.update(transposed_attention_names(ours, theirs))
        names.update(
            {f"{ours}/{half}_prior": f"{theirs}.{path}.kernel.0" for half, path in {"attention": "attn", "feed_forward": "ffn"}.items()}
        )

    levels = len(model.blocks)
    for level in range(levels - 1):
        for i in range(model.blocks[level]):
            block(f"restorer/encoder_{level}_{i}", f"G.encoder_level{level + 1}.{i}")
            block(f"restorer/decoder_{level}_{i}", f"G.decoder_level{level + 1}.{i}")
        names[f"restorer/down_{level}"] = f"G.down{level + 1}_{level + 2}.body.0"
        names[f"restorer/up_{level}"] = f"G.up{level + 2}_{level + 1}.body.0"
        if level > 0:
            names[f"restorer/reduce_{level}"] = f"G.reduce_chan_level{level + 1}"
    for i in range(model.blocks[-1]):
        block(f"restorer/bottom_{i}", f"G.latent.{i}")
    for i in range(model.refinement):
        block(f"restorer/refinement_{i}", f"G.refinement.{i}")

    names["condition/head"] = "condition.E.0"
    for i in range(model.prior_depth):
        names |= {f"condition/block_{i}/conv_{j}": f"condition.E.{i + 2}.body.{2 * j}" for j in range(2)}
    names |= {f"condition/conv_{i}": f"condition.E.{model.prior_depth + 2 + 2 * i}" for i in range(3)}
    names |= {f"condition/linear_{i}": f"condition.mlp.{2 * i}" for i in range(2)}
    names["denoiser/linear_0"] = "denoise.resmlp.0"
    return names | {f"denoiser/linear_{i + 1}": f"denoise.resmlp.{i + 2}.resmlp.0" for i in range(model.denoiser_depth)}


REFERENCE_IGNORED = ("diffusion.",)  # the schedule, and the condition and denoiser a second time

_card = partial(
    ModelCard,
    module=DiffIR,
    task="super_resolution",
    paper="https://arxiv.org/abs/2303.09472",
    reference="Zj-BinXia/DiffIR (Apache-2.0)",
    reference_names=reference_names,
    reference_ignored=REFERENCE_IGNORED,
)

CARDS = (
    _card(name="diffir_x2", scale=2, multiple=16, fields=dict(scale=2), parameters=24_981_574),
    _card(name="diffir_x4", scale=4, multiple=8, fields=dict(scale=4), parameters=24_971_206),
)
