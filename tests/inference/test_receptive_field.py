"""The measured receptive field against arithmetic by hand and against the support of the gradient."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.inference.receptive_field import receptive_field
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import initialise


def measured(model: nn.Module, channels: int):
    return receptive_field(model, initialise(model, jax.random.key(0), jnp.zeros((1, 32, 32, channels))), channels)


class Dilated(nn.Module):
    @nn.compact
    def __call__(self, image):
        return Conv(1, 3)(Conv(4, 5, dilation=3)(image))


class Pooled(nn.Module):
    """Halves, convolves, enlarges: a block of two pixels sees its own block and its neighbours, after one more pixel each side before."""

    @nn.compact
    def __call__(self, image):
        x = nn.max_pool(Conv(4, 3)(image), (2, 2), (2, 2))
        return jnp.repeat(jnp.repeat(Conv(1, 3)(x), 2, axis=1), 2, axis=2)


class Faint(nn.Module):
    """What is pooled hardly matters with these weights; with others it would."""

    @nn.compact
    def __call__(self, image):
        x = Conv(1, 3)(nn.max_pool(image, (4, 4), (4, 4)))
        return image + 1e-12 * jnp.repeat(jnp.repeat(x, 4, axis=1), 4, axis=2)


class Averaged(nn.Module):
    @nn.compact
    def __call__(self, image):
        return Conv(1, 3)(image) * jnp.mean(image, (1, 2), keepdims=True)


class Stretched(nn.Module):
    """Resampling with aligned corners: what a pixel gives depends on where it lies."""

    @nn.compact
    def __call__(self, image):
        height = image.shape[1]
        position = jnp.arange(height) * ((height - 1) / (height + 1))
        low = jnp.floor(position).astype(int)
        share = (position - low).reshape(1, -1, 1, 1)
        x = Conv(1, 3)(image)
        return x[:, low] * (1 - share) + x[:, jnp.minimum(low + 1, height - 1)] * share


class Enlarged(nn.Module):
    @nn.compact
    def __call__(self, image):
        return jnp.repeat(jnp.repeat(Conv(1, 7)(image), 3, axis=1), 3, axis=2)


@pytest.mark.parametrize(
    ("model", "channels", "radius", "multiple"),
    [
        (DnCNN(depth=5, features=4), 1, 5, 1),
        (DnCNN(depth=4, features=4, channels=3, unshuffle=2), 3, 8, 2),
        (Dilated(), 1, 7, 1),
        (Pooled(), 1, 4, 2),  # 1 pixel + 1 block of 2, rounded up to whole blocks
        (Faint(), 1, 4, 4),
        (Enlarged(), 1, 3, 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else str(value),
)
def test_is_what_arithmetic_says(model, channels, radius, multiple):
    field = measured(model, channels)
    assert (field.radius, field.multiple) == (radius, multiple)


def test_is_the_support_of_the_gradient():
    model = DnCNN(depth=6, features=4, norm=False)
    image = jnp.ones((1, 21, 21, 1))
    variables = jax.tree.map(lambda leaf: jnp.abs(leaf) + 0.01, initialise(model, jax.random.key(0), image))
    gradient = np.asarray(jax.grad(lambda x: model.apply(variables, x)[0, 10, 10, 0])(image))[0, ..., 0]
    rows = np.flatnonzero(gradient.any(axis=1))
    assert measured(model, 1).radius == 10 - rows[0] == rows[-1] - 10 == 6


@pytest.mark.parametrize(("model", "word"), [(Averaged(), "away"), (Stretched(), "where")])
def test_says_global(model, word):
    field = measured(model, 1)
    assert field.is_global
    assert word in str(field)


def test_speaks_of_the_whole_field():
    assert str(measured(DnCNN(depth=5, features=4), 1)) == "11x11 pixels"
