"""CvT: introducing convolutions to vision transformers, as published: a classifier of ImageNet's 1000 classes.

Wu, Xiao, Codella, Liu, Dai, Yuan and Zhang, ICCV 2021, https://arxiv.org/abs/2103.15808

    image -> [conv 7x7/4, norm, block x n] -> [conv 3x3/2, norm, block x n] -> [conv 3x3/2, norm, block x n] -> norm -> linear -> classes
             64 channels, 1 head              192, 3 heads                     384, 6 heads, class token --------^

    block: x + attention(norm(x)), then x + mlp(norm(x)); queries, keys and values by depthwise convolutions, no embedding of positions

`cvt_restorer` is the encoder of this network with a decoder to images.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.models.card import ModelCard
from jaxrestore.nn.convolutional_attention import ConvolutionalTransformerStage, convolutional_transformer_names
from jaxrestore.nn.imagenet import standardise
from jaxrestore.nn.initialise import Normal
from jaxrestore.nn.linear import Linear
from jaxrestore.nn.norm import LayerNorm
from jaxrestore.typing import DType, Image


class CvT(nn.Module):
    """A convolutional vision transformer with a class token.

    Attributes:
      classes: number of classes.
      features: channels of each stage.
      depths: blocks of each stage.
      heads: attention heads of each stage.
      patches: side of the windows of each stage's embedding.
      strides: step between them.
      paddings: zeros on each side of each stage's input.
      mlp_ratio: hidden channels of the multilayer perceptrons / channels.
      drop_path: probability that the branches of the last stage's last block are left out in training.
      class_token: the last stage has a learnt token, from which the classes are read; otherwise from the mean of all pixels.
      channels: image channels: 3, or 1 for grey, which is taken as three equal channels.
      dtype: computation type.
      param_dtype: type of the parameters.

    Takes (N, H, W, channels) in [0, 1], standardised inside; gives one logit a class, (N, classes). The maps after each stage and the class
    token are in the collection "intermediates" as `map_0`, `map_1`... and `class_token`.

    Raises:
      InputError: not as many entries as stages, or heads that do not divide the channels.
    """

    classes: int = 1000
    features: tuple[int, ...] = (64, 192, 384)
    depths: tuple[int, ...] = (1, 2, 10)
    heads: tuple[int, ...] = (1, 3, 6)
    patches: tuple[int, ...] = (7, 3, 3)
    strides: tuple[int, ...] = (4, 2, 2)
    paddings: tuple[int, ...] = (2, 1, 1)
    mlp_ratio: float = 4.0
    drop_path: float = 0.1
    class_token: bool = True
    channels: int = 3
    dtype: DType | None = None
    param_dtype: DType = jnp.float32

    @nn.compact
    def __call__(self, image: Image, train: bool = False) -> jax.Array:
        """Classify."""
        stages = len(self.features)
        for name in ("depths", "heads", "patches", "strides", "paddings"):
            if len(getattr(self, name)) != stages:
                raise InputError(f"CvT: {name} is {getattr(self, name)}: it must have {stages} entries, as many as features")
        if any(width % heads for width, heads in zip(self.features, self.heads, strict=True)):
            raise InputError(f"CvT: heads is {self.heads}: they must divide the channels {self.features}")
        types = dict(dtype=self.dtype, param_dtype=self.param_dtype)
        x, tokens = standardise(image), None
        for i in range(stages):
            last = i == stages - 1
            x, tokens = ConvolutionalTransformerStage(
                self.features[i],
                self.depths[i],
                self.heads[i],
                self.patches[i],
                self.strides[i],
                self.paddings[i],
                mlp_ratio=self.mlp_ratio,
                drop_path=self.drop_path if last else 0.0,
                class_token=self.class_token and last,
                **types,
                name=f"stage_{i}",
            )(x, train)
            self.sow("intermediates", f"map_{i}", x)
        norm = LayerNorm(**types, name="norm")
        if self.class_token:
            self.sow("intermediates", "class_token", tokens)
            summary = norm(tokens)[:, 0]
        else:
            summary = jnp.mean(norm(x), (1, 2))
        return Linear(self.classes, kernel_init=Normal(0.02), **types, name="head")(summary).astype(image.dtype)


def reference_names(model: CvT) -> dict[str, str]:
    """Our module paths -> the module names of microsoft/CvT."""
    names = {"norm": "norm", "head": "head"}
    last = len(model.depths) - 1
    for i, depth in enumerate(model.depths):
        names |= convolutional_transformer_names(f"stage_{i}", f"stage{i}", depth, model.class_token and i == last)
    return names


_card = partial(
    ModelCard,
    module=CvT,
    task="classification",
    paper="https://arxiv.org/abs/2103.15808",
    reference="microsoft/CvT (MIT)",
    reference_names=reference_names,
    convention="top-1 accuracy in per cent",
)

CARDS = (
    _card(
        name="cvt_13",
        parameters=19_997_480,
        published={"ImageNet, 224x224": 81.6, "ImageNet, 384x384": 83.0},
    ),
    _card(
        name="cvt_21",
        fields=dict(depths=(1, 4, 16)),
        parameters=31_622_696,
        published={"ImageNet, 224x224": 82.5, "ImageNet, 384x384": 83.3},
    ),
    _card(
        name="cvt_w24",
        fields=dict(features=(192, 768, 1024), depths=(2, 2, 20), heads=(3, 12, 16), drop_path=0.3),
        parameters=277_196_392,
        published={"ImageNet, 384x384, pretrained on ImageNet-22k": 87.6},
    ),
)
