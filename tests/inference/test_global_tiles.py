"""Networks that look at the whole image: in tiles they give what the whole image gives, or come near where that was asked for."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jaxrestore.errors import InputError
from jaxrestore.inference import streaming
from jaxrestore.inference.blending import blend, overlapping
from jaxrestore.inference.field import apply_network
from jaxrestore.inference.receptive_field import receptive_field
from jaxrestore.inference.streaming import MOST_RECOMPUTING, stream
from jaxrestore.inference.tiles import smallest_tile
from jaxrestore.models.generative.cyclegan import CycleGAN
from jaxrestore.models.restoration.nafnet import NAFNet
from jaxrestore.models.restoration.restormer import Restormer
from jaxrestore.models.super_resolution.imdn import IMDN
from jaxrestore.models.super_resolution.rcan import RCAN
from jaxrestore.models.super_resolution.san import SAN
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import initialise
from jaxrestore.nn.norm import InstanceNorm
from jaxrestore.nn.second_order_attention import SecondOrderChannelAttention
from tests.inference.networks import Averaged, random_restorer


class Normalised(nn.Module):
    """An instance normalisation between two convolutions, the second on half the size."""

    channels: int = 1

    @nn.compact
    def __call__(self, image):
        x = InstanceNorm()(Conv(3, 3)(jnp.pad(image, ((0, 0), (0, image.shape[1] % 2), (0, image.shape[2] % 2), (0, 0)))))
        x = Conv(2, 3, strides=2)(x)
        x = jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)[:, : image.shape[1], : image.shape[2]]
        return Conv(1, 3)(x)


class Extremes(nn.Module):
    """Stretches the image between its smallest and its largest value."""

    channels: int = 1

    @nn.compact
    def __call__(self, image):
        low, high = jnp.min(image, (1, 2), keepdims=True), jnp.max(image, (1, 2), keepdims=True)
        return Conv(1, 3)((image - low) / (high - low + 1e-3))


class Covariances(nn.Module):
    """Second-order channel attention."""

    channels: int = 3

    @nn.compact
    def __call__(self, image):
        return Conv(3, 3)(SecondOrderChannelAttention(2)(Conv(4, 3)(image)))


def variables_of(model: nn.Module):
    """Random weights, those included that begin at zero or one."""
    variables = initialise(model, jax.random.key(0), jnp.zeros((1, 16, 16, getattr(model, "channels", 3))))
    generator = np.random.default_rng(1)
    return jax.tree.map(lambda leaf: np.asarray(leaf) + 0.1 * generator.standard_normal(leaf.shape, np.float32), variables)


def image_of(height: int, width: int, channels: int) -> np.ndarray:
    """A bright corner, so that no two tiles have the same mean."""
    noise = np.random.default_rng(height * 64 + width).random((1, height, width, channels), np.float32)
    return noise * np.linspace(0.2, 1, height, dtype=np.float32).reshape(1, -1, 1, 1)


def distance(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, in units of the largest value where that exceeds white (random weights know no range)."""
    return float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1.0))


def streamed(model, variables, field, image: np.ndarray, side: int, memory: int) -> np.ndarray:
    way = stream(model, variables, image.shape[-1], field, image.shape[1:3], side, memory)
    result = None
    for tile, restored in way.run(variables, lambda t: image[:, *t.source()]):
        scale = restored.shape[1] // (tile.rows.stop - tile.rows.start)
        if result is None:
            result = np.full((1, *(scale * n for n in image.shape[1:3]), restored.shape[-1]), np.nan, np.float32)
        result[:, *tile.target(scale)] = np.asarray(restored)[:, *tile.core(scale)]
    return result


SMALL = {}
for small in (Averaged(), Normalised(), Extremes(), Covariances()):
    known = variables_of(small)
    SMALL[type(small).__name__] = (small, known, receptive_field(small, known, small.channels))


@settings(deadline=None, max_examples=4)
@given(
    name=st.sampled_from(sorted(SMALL)),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    extra=st.integers(0, 30),
    memory=st.sampled_from((0, 2**30)),
)
@example(name="Normalised", height=37, width=40, extra=3, memory=0)
@example(name="Averaged", height=23, width=1, extra=0, memory=2**30)
@example(name="Extremes", height=31, width=17, extra=2, memory=0)
@example(name="Covariances", height=29, width=38, extra=6, memory=2**30)
def test_streamed_is_whole(name, height, width, extra, memory):
    model, variables, field = SMALL[name]
    image = image_of(height, width, model.channels)
    side = smallest_tile(field.with_statistics()) + extra
    whole = np.asarray(apply_network(model, variables, image))
    assert distance(streamed(model, variables, field, image, side, memory), whole) <= 1e-6


@pytest.mark.parametrize(
    ("model", "size", "passes"),
    [
        (RCAN(features=4, reduction=2, groups=1, depth=2, scale=2), (29, 38), 2),
        (NAFNet(features=2, encoder=(1,), middle=1, decoder=(1,)), (31, 34), 3),
        (Restormer(features=4, blocks=(1, 1), heads=(1, 2), refinement=0, channels=1), (33, 46), 6),
        (CycleGAN(features=2, depth=1), (53, 67), 14),
        (IMDN(features=16, depth=1), (30, 29), 2),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else str(value),
)
def test_published_networks(model, size, passes):
    variables, channels = variables_of(model), model.channels
    field = receptive_field(model, variables, channels)
    assert field.statistics == passes
    image = image_of(*size, channels)
    whole = np.asarray(apply_network(model, variables, image))
    side = smallest_tile(field.with_statistics())
    assert max(size) > side
    # What the rounding of the image itself does: normalisations one after the other enlarge it.
    rounded = np.nextafter(image, np.random.default_rng(2).choice((-1.0, 2.0), image.shape).astype(np.float32))
    noise = distance(np.asarray(apply_network(model, variables, rounded)), whole)
    assert noise < 5e-6
    assert distance(streamed(model, variables, field, image, side, 2**30), whole) <= 1e-6 + noise


def test_the_way_follows_the_memory(monkeypatch):
    model, variables, field = SMALL["Normalised"]
    ways = [stream(model, variables, 1, field, (60, 50), 21, memory) for memory in (2**30, 1000)]
    assert [way.keeps for way in ways] == [True, False]
    assert ways[0].kept_bytes > 1000
    assert ways[0].arithmetic == 1.0 < ways[1].arithmetic < MOST_RECOMPUTING
    monkeypatch.setattr(streaming, "MOST_RECOMPUTING", 1.5)
    with pytest.raises(InputError, match="2 statistics of the whole image one after the other"):
        stream(model, variables, 1, field, (60, 50), 21, 0)


def test_a_restorer_streams():
    image = np.random.default_rng(0).integers(0, 256, (37, 52, 3), np.uint8)  # colour on a network for grey
    image[:9] = 255
    whole = random_restorer(Averaged(), tile="off")(image / np.float32(255))
    np.testing.assert_allclose(random_restorer(Averaged(), tile=16)(image / np.float32(255)), whole, atol=1e-6)
    colour = Covariances()
    grey = image[..., :1] / np.float32(255)
    np.testing.assert_allclose(random_restorer(colour, tile=16)(grey), random_restorer(colour, tile="off")(grey), atol=1e-6)


class TestBlending:
    def test_weights_come_to_one(self):
        for height, width, side in ((50, 41, 16), (7, 90, 30), (10, 10, 20)):
            tiles = overlapping(height, width, side, 2)
            image = np.random.default_rng(0).random((1, height, width, 1), np.float32)
            result, report = blend(tiles, lambda tile, image=image: image[:, *tile.source()], (height, width), 1)
            np.testing.assert_allclose(result, image, atol=1e-6)
            assert report.largest < 1e-6

    def test_reports_how_far_tiles_are_apart(self):
        tiles = overlapping(8, 40, 24, 1)
        assert len(tiles) == 2
        results = iter(
            (np.full((1, 8, t.columns.stop - t.columns.start, 1), v, np.float32) for t, v in zip(tiles, (0.0, 0.5), strict=True))
        )
        result, report = blend(tiles, lambda tile: next(results), (8, 40), 1)
        assert (report.largest, report.mean) == (0.5, 0.5)
        assert (np.diff(result[0, 0, :, 0]) >= 0).all()
        assert 0.0 < result[0, 0, 20, 0] < 0.5

    def test_only_when_asked_and_near_the_whole(self):
        model = SAN(features=8, groups=1, depth=1, reduction=2, scale=2)
        image = np.random.default_rng(0).random((40, 44, 3), np.float32)
        with pytest.raises(InputError, match="allow more memory, or ask for blended tiles"):
            random_restorer(model, tile=32)(image)
        restorer = random_restorer(model, tile="blend:32")
        whole, blended = random_restorer(model, tile="off")(image), restorer(image)
        (report,) = restorer.blends
        assert report.tiles > 1
        # The distance to the whole image is of the order of that between tiles.
        assert 0 < np.abs(blended - whole).max() < 4 * report.largest
        assert restorer(image[:32, :32]).shape == (64, 64, 3)
        assert len(restorer.blends) == 1  # what fits is not blended

    def test_exact_networks_are_not_blended(self):
        restorer = random_restorer(tile="blend:31")
        image = np.random.default_rng(0).random((40, 45, 3), np.float32)
        np.testing.assert_allclose(restorer(image), random_restorer(tile="off")(image), atol=2e-6)
        assert not restorer.blends

    @pytest.mark.parametrize("tile", ["blend:", "blend:0", "blended", "blend:many"])
    def test_refuses(self, tile):
        with pytest.raises(InputError, match="blend or blend:N"):
            random_restorer(tile=tile)
