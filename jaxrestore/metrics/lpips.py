"""LPIPS: learned perceptual image patch similarity."""

import re
from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.metrics.conventions import Convention, Picture, as_convention, check_pair

Features = Callable[[Array], Sequence[Array]]
"""From images (N, H, W, 3) in [0, 1] to feature maps (N, h, w, C), one for each compared layer."""

Heads = Sequence[Float[Array | np.ndarray, " _"]]
"""For each layer the weights (C,) of its channels."""

_EPSILON = 1e-10  # the authors', added to the length of a feature vector


def lpips(a: Picture, b: Picture, features: Features, heads: Heads, convention: Convention | str = "rgb") -> Float[Array, "..."]:
    """Distance of two images in the features of a network: 0 for identical images, larger for images that look more different.

    At every position of every layer both feature vectors are scaled to length one; the squared differences of their channels are weighted
    by the layer's head and summed, averaged over the positions, and the layers are added.

    Args:
      a: image (..., H, W, 3) in [0, 1], or uint8 or uint16 over the whole range.
      b: the other image, of the same shape; the order does not matter.
      features: the backbone: a function that takes [0, 1] and standardises colours itself, as the modules in `models.features` do:
        `partial(AlexNet().apply, variables)`. The authors' `ScalingLayer` is that standardisation for the range [-1, 1].
      heads: the layers' weights, from `lpips_heads`.
      convention: "rgb", with a border or rounding to 8 bits where wanted.

    Returns:
      One value for each image of the leading axes. It may be differentiated; jit the caller to compile the backbone with it.

    Raises:
      InputError: the shapes differ, the convention converts colours, or the heads do not suit the features.

    Reference: Zhang, Isola, Efros, Shechtman and Wang, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018,
      equation 1; version 0.1 of the authors' code.
    """
    check_pair(a, b)
    convention = as_convention(convention)
    if convention.color != "rgb":
        raise InputError(f"LPIPS in the convention {convention.name}: its networks look at RGB; take rgb, rgb+round8 or rgb+borderN")
    leading = a.shape[:-3]
    images = [convention.prepare(image) for image in (a, b)]
    both = jnp.concatenate([image.reshape(-1, *image.shape[-3:]) for image in images])
    maps = tuple(features(both))
    found, wanted = [m.shape[-1] for m in maps], [len(head) for head in heads]
    if found != wanted:
        raise InputError(f"LPIPS: the features have {found} channels and the heads weights for {wanted}: take those of the same network")
    return _distance(maps, tuple(heads)).reshape(leading)


def lpips_heads(state: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
    """The layers' weights from a state of the authors' files `alex.pth`, `vgg.pth` and `squeeze.pth`.

    Args:
      state: tensors by name, "lin0.model.1.weight" (1, C, 1, 1) and so on, as `jaxrestore.weights.read` gives them.

    Returns:
      (C,) for each layer, in order: 64, 192, 384, 256, 256 for AlexNet; 64, 128, 256, 512, 512 for VGG-16; seven for
      SqueezeNet.

    Raises:
      InputError: other tensors, or tensors of other shapes, are in it.
    """
    places = {int(match[1]): name for name in state if (match := re.fullmatch(r"lin(\d+)\.model\.1\.weight", name))}
    if not places or len(places) != len(state) or sorted(places) != list(range(len(places))):
        raise InputError(f"these are no heads of LPIPS: expected tensors lin0.model.1.weight and so on, got {', '.join(list(state)[:4])}")
    heads = [np.asarray(state[places[i]]) for i in range(len(places))]
    wrong = [head.shape for head in heads if head.ndim != 4 or head.size != head.shape[1]]
    if wrong:
        raise InputError(f"these are no heads of LPIPS: expected weights of the shape (1, C, 1, 1), got {wrong[0]}")
    return tuple(head.reshape(-1) for head in heads)


@jax.jit
def _distance(maps: tuple[Array, ...], heads: tuple[Array, ...]) -> Array:
    total = jnp.zeros(())
    for features, head in zip(maps, heads, strict=True):
        a, b = jnp.split(_unit(features.astype(jnp.promote_types(features.dtype, jnp.float32))), 2)
        weighted = jnp.square(a - b) * jnp.asarray(head, a.dtype).reshape(1, 1, 1, -1)
        total = total + jnp.mean(jnp.sum(weighted, axis=-1), axis=(-2, -1))
    return total


def _unit(features: Array) -> Array:
    square = jnp.sum(jnp.square(features), axis=-1, keepdims=True)
    positive = square > 0
    # The inner choice keeps the root's gradient finite where all features are zero.
    length = jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1.0)), 0.0)
    return features / (length + _EPSILON)
