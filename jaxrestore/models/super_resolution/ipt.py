"""IPT: pre-trained image processing transformer.

Chen et al., CVPR 2021, https://arxiv.org/abs/2012.00364

    image -> head -+-> patches -> linear, + position -> encoder x layers -+-> decoder x layers -> perceptron -> image -> + -> tail
                   |                                                      `----^                                         ^
                   `-----------------------------------------------------------------------------------------------------'

Head, tail and the embedding that the decoder adds to its queries are the task's own.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.models.card import ModelCard
from jaxrestore.nn.color import DIV2K_MEAN
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import TORCH_INIT, Normal, parameter
from jaxrestore.nn.linear import Linear
from jaxrestore.nn.residual import ResidualBlock
from jaxrestore.nn.sub_pixel import PixelShuffleUpsample, upsample_names
from jaxrestore.nn.transformer import DecoderLayer, EncoderLayer, FeedForward
from jaxrestore.ops.padding import crop, pad
from jaxrestore.ops.pixel_shuffle import pixel_shuffle, pixel_unshuffle
from jaxrestore.typing import DType, Image

_standard_normal = Normal(1.0)


class IPT(nn.Module):
    """A transformer over the patches of a 48x48 image, with a head, a tail and an embedding for each task.

    Attributes:
      scales: the enlargement of each task; 1 for denoising and deraining.
      task: which of them this application performs.
      features: channels of head and tail.
      image_size: side of the square images that the transformer takes.
      patch: side of the patches that are its tokens.
      heads: attention heads.
      layers: of the encoder, and of the decoder.
      shave: of a larger image, overlapping squares are restored; where squares overlap, what lies within half of this many pixels of a
        square's border is dropped and the rest averaged.
      channels: image channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], gives (N, scale*H, scale*W, channels), not clipped. Sides smaller than `image_size` are padded by
    reflection and cropped back.
    """

    scales: tuple[int, ...] = (4,)
    task: int = 0
    features: int = 64
    image_size: int = 48
    patch: int = 3
    heads: int = 12
    layers: int = 12
    shave: int = 24
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @property
    def scale(self) -> int:
        """Enlargement of this application's task."""
        return self.scales[self.task]

    @nn.compact
    def __call__(self, image: Image) -> Image:
        """Restore."""
        height, width = image.shape[1:3]
        side = self.image_size
        if min(height, width) < side:
            image = pad(image, (0, max(side - height, 0)), (0, max(side - width, 0)))
        if self.is_initializing():
            return self._square(image[:, :side, :side])
        restored = self._square(image) if image.shape[1:3] == (side, side) else self._in_squares(image)
        return crop(restored, (self.scale * height, self.scale * width))

    def _square(self, image: Image) -> Image:
        options = dict(**TORCH_INIT, dtype=self.dtype, param_dtype=self.param_dtype)
        used = range(len(self.scales)) if self.is_initializing() else (self.task,)  # every task's parameters exist
        image = 255.0 * (image - DIV2K_MEAN)
        heads = {}
        for task in used:
            x = Conv(self.features, **options, name=f"head_{task}")(image)
            for i in range(2):
                x = ResidualBlock(self.features, kernel_size=5, **options, name=f"head_{task}_block_{i}")(x)
            heads[task] = x
        shallow = heads[self.task]
        x = shallow + self._transform(shallow)
        tails = {}
        for task in used:
            y = PixelShuffleUpsample(self.scales[task], self.features, **options, name=f"tail_{task}_upsample")(x)
            tails[task] = Conv(self.channels, **options, name=f"tail_{task}")(y)
        return tails[self.task].astype(image.dtype) / 255.0 + DIV2K_MEAN

    def _transform(self, image: Image) -> Image:
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        patches = pixel_unshuffle(image, self.patch)  # a token's numbers: channel, row, column
        batch, rows, columns, width = patches.shape
        x = patches.reshape(batch, rows * columns, width)
        x = x + Linear(width, **TORCH_INIT, **types, name="embed")(x)
        positions = parameter(self, "positions", _standard_normal, (rows * columns, width), self.param_dtype)
        tasks = parameter(self, "tasks", _standard_normal, (len(self.scales), rows * columns * width), self.param_dtype)
        x = x + jnp.asarray(positions, x.dtype)[None]
        embedding = jnp.asarray(tasks, x.dtype)[self.task].reshape(1, rows * columns, width)
        for i in range(self.layers):
            x = EncoderLayer(self.heads, 4 * width, **types, name=f"encoder_{i}")(x)
        memory = x
        for i in range(self.layers):
            x = DecoderLayer(self.heads, 4 * width, **types, name=f"decoder_{i}")(x, memory, embedding)
        x = x + FeedForward(4 * width, **types, name="perceptron")(x)
        return pixel_shuffle(x.reshape(patches.shape), self.patch).astype(image.dtype)

    def _in_squares(self, image: Image) -> Image:
        """A larger image, a row of overlapping squares at a time."""
        batch, height, width, channels = image.shape
        side, large = self.image_size, self.image_size * self.scale
        rows, columns = (_starts(length, side, self.shave // 2) for length in (height, width))
        across = columns[:, None] + np.arange(side)
        network, variables = self.clone(parent=None), self.variables

        def restore_row(start: jax.Array) -> jax.Array:
            strip = jax.lax.dynamic_slice_in_dim(image, start, side, 1)[:, :, across]
            squares = jnp.moveaxis(strip, 2, 1).reshape(batch * len(columns), side, side, channels)
            return network.apply(variables, squares).reshape(batch, len(columns), large, large, channels)

        squares = jax.lax.map(restore_row, jnp.asarray(rows))  # (rows, N, columns, side, side, C)
        strips = _joined(squares, 3, rows, height, self)  # (height, N, columns, side, C)
        joined = _joined(jnp.moveaxis(strips, 2, 0), 3, columns, width, self)  # (width, height, N, C)
        return jnp.transpose(joined, (2, 1, 0, 3))


def _starts(length: int, side: int, step: int) -> np.ndarray:
    return np.unique([*range(0, length - side, step), length - side])


def _weights(starts: np.ndarray, length: int, side: int, margin: int, scale: int) -> np.ndarray:
    """(squares, side * scale): the share that each square has in each of its pixels; borders only count at the image's own edge."""
    place = starts[:, None] + np.arange(side)
    inner = np.arange(side)
    kept = (inner >= margin) | (starts[:, None] == 0)
    kept &= (inner < side - margin) | (starts[:, None] == length - side)
    count = np.bincount(place[kept], minlength=length)
    return np.repeat(kept / count[place], scale, axis=1).astype(np.float32)


def _joined(pieces: jax.Array, axis: int, starts: np.ndarray, length: int, model: IPT) -> jax.Array:
    """Overlapping pieces (count, ..., side, ...) whose sides lie along `axis` -> what they make together (length, ...)."""
    weights = _weights(starts, length, model.image_size, model.shave // 2, model.scale)
    x = jnp.moveaxis(pieces, axis, 1)
    x = x * weights.reshape(*weights.shape, *[1] * (x.ndim - 2))
    place = (model.scale * starts[:, None] + np.arange(x.shape[1])).ravel()
    return jnp.zeros((model.scale * length, *x.shape[2:]), x.dtype).at[place].add(x.reshape(-1, *x.shape[2:]))


def reference_names(model: IPT) -> dict[str, str]:
    """Our module paths -> the module names of huawei-noah/Pretrained-IPT."""
    names = {"embed": "body.linear_encoding", ".positions": "body.position_encoding.pe.weight", ".tasks": "body.query_embed.weight"}
    names |= {"perceptron/linear_0": "body.mlp_head.0", "perceptron/linear_1": "body.mlp_head.3"}
    for task, scale in enumerate(model.scales):
        names |= {f"head_{task}": f"head.{task}.0", f"tail_{task}": f"tail.{task}.1"}
        for block in range(2):
            names |= {f"head_{task}_block_{block}/conv_{i}": f"head.{task}.{block + 1}.body.{2 * i}" for i in range(2)}
        names |= upsample_names(f"tail_{task}_upsample", f"tail.{task}.0", scale)
    attentions = {
        "encoder": {"self_attention": "self_attn"},
        "decoder": {"self_attention": "self_attn", "cross_attention": "multihead_attn"},
    }
    for part, kinds in attentions.items():
        for i in range(model.layers):
            ours, theirs = f"{part}_{i}", f"body.{part}.layers.{i}"
            names |= {f"{ours}/norm_{n}": f"{theirs}.norm{n + 1}" for n in range(len(kinds) + 1)}
            names |= {f"{ours}/feed_forward/linear_{n}": f"{theirs}.linear{n + 1}" for n in range(2)}
            for attention, path in kinds.items():
                names[f"{ours}/{attention}.kernel"] = f"{theirs}.{path}.in_proj_weight"
                names[f"{ours}/{attention}/out_proj"] = f"{theirs}.{path}.out_proj"
    return names


REFERENCE_IGNORED = ("sub_mean", "add_mean")  # the constant DIV2K_MEAN

_card = partial(
    ModelCard,
    module=IPT,
    task="super_resolution",
    paper="https://arxiv.org/abs/2012.00364",
    reference="huawei-noah/Pretrained-IPT (Apache-2.0)",
    reference_names=reference_names,
    reference_ignored=REFERENCE_IGNORED,
)

CARDS = (
    _card(
        name="ipt_x2",
        scale=2,
        fields=dict(scales=(2,)),
        parameters=115_460_419,
        published={"Set5": 38.37, "Set14": 34.43, "B100": 32.48, "Urban100": 33.76},
    ),
    _card(
        name="ipt_x3",
        scale=3,
        fields=dict(scales=(3,)),
        parameters=115_645_059,
        published={"Set5": 34.81, "Set14": 30.85, "B100": 29.38, "Urban100": 29.49},
    ),
    _card(
        name="ipt_x4",
        scale=4,
        fields=dict(scales=(4,)),
        parameters=115_608_131,
        published={"Set5": 32.64, "Set14": 29.01, "B100": 27.82, "Urban100": 27.26},
    ),
    _card(
        name="ipt",
        scale=4,
        fields=dict(scales=(2, 3, 4, 1, 1, 1), task=2),
        parameters=118_892_370,
        notes="six tasks: enlargement by 2, 3 and 4, denoising at sigma 30 and 50, deraining",
    ),
)
