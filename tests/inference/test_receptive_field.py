"""The receptive field against arithmetic by hand, against the support of the gradient, and against its measurement."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.inference.field import ReceptiveField
from jaxrestore.inference.globality import check_alike
from jaxrestore.inference.measured_field import measured_field
from jaxrestore.inference.program import trace
from jaxrestore.inference.receptive_field import traced_field
from jaxrestore.models.generative.cyclegan import CycleGAN
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.models.restoration.edcnn import EDCNN
from jaxrestore.models.restoration.restormer import Restormer
from jaxrestore.models.super_resolution.imdn import IMDN
from jaxrestore.models.super_resolution.rcan import RCAN
from jaxrestore.models.super_resolution.swinir import SwinIR
from jaxrestore.nn import minimal_filtering
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.conv_window import Window
from jaxrestore.nn.initialise import initialise


def variables_of(model: nn.Module, channels: int):
    return initialise(model, jax.random.key(0), jnp.zeros((1, 32, 32, channels)))


def field_of(model: nn.Module, channels: int) -> ReceptiveField:
    return traced_field(model, variables_of(model, channels), channels)


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


class Downward(nn.Module):
    """Sees two rows above and three columns to the right, nothing else."""

    @nn.compact
    def __call__(self, image):
        height, width = image.shape[1:3]
        padded = jnp.pad(image, ((0, 0), (2, 0), (0, 3), (0, 0)))
        return padded[:, :height, :width] + padded[:, 2:, 3:] + image


class Embedded(nn.Module):
    """A sine that counts the rows."""

    @nn.compact
    def __call__(self, image):
        return Conv(1, 3)(image) + jnp.sin(jnp.arange(image.shape[1]) / 10.0).reshape(1, -1, 1, 1)


class Coordinates(nn.Module):
    """Looks at where it is."""

    @nn.compact
    def __call__(self, image):
        places = jnp.broadcast_to(jnp.arange(image.shape[2], dtype=image.dtype).reshape(1, 1, -1, 1), image.shape)
        return Conv(1, 3)(jnp.concatenate([image, places], -1))


class Everywhere(nn.Module):
    """Every pixel looks at all."""

    @nn.compact
    def __call__(self, image):
        flat = image.reshape(image.shape[0], -1, 1)
        weights = nn.softmax(jnp.einsum("nqc,nkc->nqk", flat, flat))
        return jnp.einsum("nqk,nkc->nqc", weights, flat).reshape(image.shape)


SMALL = [
    (DnCNN(depth=5, features=4), 1, 5, 1),
    (DnCNN(depth=4, features=4, channels=3, unshuffle=2), 3, 8, 2),
    (Dilated(), 1, 7, 1),
    (Pooled(), 1, 4, 2),  # 1 pixel + 1 block of 2, rounded up to whole blocks
    (Faint(), 1, 4, 4),
    (Enlarged(), 1, 3, 1),
    (Downward(), 1, 3, 1),
    (SwinIR(features=4, depths=(2,), heads=(2,), scale=2), 3, 24, 8),
    (EDCNN(features=2, levels=2, upsampling="transposed"), 3, 24, 4),
]


def _name(value: object) -> str:
    return type(value).__name__ if isinstance(value, nn.Module) else str(value)


@pytest.mark.parametrize(("model", "channels", "radius", "multiple"), SMALL, ids=_name)
def test_is_what_arithmetic_says(model, channels, radius, multiple):
    field = field_of(model, channels)
    assert (field.radius, field.multiple) == (radius, multiple)


@pytest.mark.parametrize(("model", "channels"), [row[:2] for row in SMALL[1:5]], ids=_name)
def test_is_what_is_measured(model, channels):
    measured, traced = measured_field(model, variables_of(model, channels), channels), field_of(model, channels)
    assert (traced.radius, traced.multiple) == (measured.radius, measured.multiple)


def test_knows_the_sides_apart():
    assert field_of(Downward(), 1).sides == (2, 0, 0, 3)


def test_is_the_support_of_the_gradient():
    model = DnCNN(depth=6, features=4, norm=False)
    image = jnp.ones((1, 21, 21, 1))
    variables = jax.tree.map(lambda leaf: jnp.abs(leaf) + 0.01, initialise(model, jax.random.key(0), image))
    gradient = np.asarray(jax.grad(lambda x: model.apply(variables, x)[0, 10, 10, 0])(image))[0, ..., 0]
    rows = np.flatnonzero(gradient.any(axis=1))
    assert field_of(model, 1).radius == 10 - rows[0] == rows[-1] - 10 == 6


@pytest.mark.parametrize(
    ("model", "channels", "words", "statistics"),
    [
        (Averaged(), 1, "global pooling", 1),
        (Stretched(), 1, "tied to the image's size", 0),
        (Embedded(), 1, "tied to the image's size", 0),
        (Coordinates(), 1, "tied to the image's size", 0),
        (Everywhere(), 1, "non-local attention", 0),
        (RCAN(features=4, reduction=2, groups=1, depth=2, scale=2), 3, "global pooling in group_0/block_0/attention and 1 more", 2),
        (CycleGAN(features=2, depth=1), 3, "instance normalisation in generator/head_norm and 6 more", 14),
        (Restormer(features=4, blocks=(1, 1), heads=(1, 2), refinement=0), 3, "transposed attention", 6),
        (IMDN(features=16, depth=1), 3, "contrast of the whole image", 2),
    ],
    ids=_name,
)
def test_names_what_looks_at_the_whole_image(model, channels, words, statistics):
    field = field_of(model, channels)
    assert field.is_global
    assert words in str(field)
    assert (field.statistics, field.is_streamable) == (statistics, statistics > 0)


def test_the_measured_field_knows_global_networks_too():
    for model, word in ((Averaged(), "away"), (Stretched(), "where")):
        field = measured_field(model, variables_of(model, 1), 1)
        assert field.is_global
        assert word in str(field)


def test_speaks_of_the_whole_field():
    assert str(field_of(DnCNN(depth=5, features=4), 1)) == "11x11 pixels"


def test_does_not_depend_on_how_a_convolution_is_computed(monkeypatch):
    for name, value in {"_DENSE": 0, "_PIXELS": 0, "_WORTHWHILE": 4 * 9 * 40_000}.items():
        monkeypatch.setattr(minimal_filtering, name, value)
    jax.clear_caches()
    model = nn.Sequential([Conv(2), nn.relu, Conv(2, 5)])
    variables = initialise(model, jax.random.key(0), jnp.zeros((1, 8, 8, 2)))
    kernel = variables["params"]["layers_0"]["kernel"]
    followed = [jax.ShapeDtypeStruct((1, *size, 2), jnp.float32) for size in ((384, 96), (96, 480))]
    chosen = {minimal_filtering.is_faster(image, kernel, Window(padding=((1, 1), (1, 1)))) for image in followed}
    assert chosen == {True, False}  # the two images that are followed are computed in different ways
    check_alike(trace(model, variables, 384, 96, 2), trace(model, variables, 96, 480, 2))  # raises where they differ
    assert traced_field(model, variables, 2).radius == 3
    jax.clear_caches()
