"""Super-resolution: interpolation before the network, luma and chroma, the scale that is asked for; tiles change nothing."""

import jax
import numpy as np
import pytest
from skimage.color import rgb2ycbcr

from jaxrestore.data.images import Picture
from jaxrestore.errors import InputError
from jaxrestore.inference import Restorer
from jaxrestore.models.catalogue import cards_of, list_models, model_card
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.models.super_resolution.carn import CARN
from jaxrestore.models.super_resolution.edsr import EDSR
from jaxrestore.models.super_resolution.espcn import ESPCN
from jaxrestore.models.super_resolution.ipt import IPT
from jaxrestore.models.super_resolution.mdsr import MDSR
from jaxrestore.models.super_resolution.srcnn import SRCNN
from jaxrestore.models.super_resolution.vdsr import VDSR
from jaxrestore.nn.initialise import initialise
from jaxrestore.ops.resize import imresize
from tests.inference.networks import Identity, random_restorer

LUMA = {"interpolated": (VDSR(3, 4), {"scale": 3}), "enlarging": (ESPCN(2, (4, 3)), {})}
IMAGE = np.random.default_rng(0).random((17, 13, 3), np.float32)


def ycbcr(image: np.ndarray) -> np.ndarray:
    return rgb2ycbcr(image) / 255.0


@pytest.mark.parametrize("kind", LUMA)
def test_luma_goes_through_the_network_and_chroma_is_bicubic(kind):
    model, inputs = LUMA[kind]
    restorer = random_restorer(model, **inputs)
    luma, chroma = np.split(ycbcr(IMAGE).astype(np.float32), [1], axis=-1)
    restored = ycbcr(restorer(IMAGE))
    np.testing.assert_allclose(restored[..., 1:], imresize(chroma, restorer.scale), atol=2e-6)
    network = restorer.engine.network
    taken = imresize(luma, restorer.scale) if kind == "interpolated" else luma
    expected = network.model.apply(network.variables, np.asarray(taken)[None])[0]
    np.testing.assert_allclose(restored[..., :1], expected, atol=2e-6)
    # One channel is luma already.
    np.testing.assert_allclose(restorer(luma), expected, atol=2e-6)
    np.testing.assert_allclose(restorer(luma[..., 0]), expected[..., 0], atol=2e-6)
    assert np.abs(expected - imresize(luma, restorer.scale)).max() > 0.01  # the network does something


def test_a_network_that_changes_nothing_is_bicubic_interpolation():
    model = VDSR(2, 2)
    variables = jax.tree.map(np.zeros_like, initialise(model, jax.random.key(0), np.zeros((1, 8, 8, 1), np.float32)))
    for image in (IMAGE, IMAGE[..., :1]):
        np.testing.assert_allclose(Restorer(model, variables, scale=2)(image), imresize(image, 2), atol=2e-6)
    for dtype, levels in ((np.uint8, 255), (np.uint16, 65535)):
        stored = np.round(IMAGE * levels).astype(dtype)
        restored = Restorer(model, variables, scale=4)(stored)
        expected = levels * np.clip(np.asarray(imresize(stored / np.float32(levels), 4)), 0, 1)
        assert restored.dtype == dtype
        assert np.abs(restored - expected).max() < 0.5 + 2e-6 * levels


def test_a_colour_network_gets_the_interpolated_colours():
    restorer = random_restorer(SRCNN((3, 1, 3), (4, 3), channels=3), scale=2)
    network = restorer.engine.network
    expected = network.model.apply(network.variables, np.asarray(imresize(IMAGE, 2))[None])[0]
    np.testing.assert_allclose(restorer(IMAGE), expected, atol=2e-6)


def test_denoisers_still_go_channel_by_channel():
    assert random_restorer(DnCNN(depth=3, features=4)).scale == 1
    restored = random_restorer(DnCNN(depth=3, features=4))(IMAGE)
    np.testing.assert_allclose(restored[..., 1], random_restorer(DnCNN(depth=3, features=4))(IMAGE[..., 1]), atol=1e-6)


@pytest.mark.parametrize("kind", LUMA)
@pytest.mark.parametrize("ensemble", [False, True])
def test_tiles_change_nothing(kind, ensemble):
    model, inputs = LUMA[kind]
    image = np.random.default_rng(1).random((2, 23, 14, 3), np.float32)
    whole = random_restorer(model, tile="off", ensemble=ensemble, **inputs)(image)
    np.testing.assert_allclose(random_restorer(model, tile=17, ensemble=ensemble, **inputs)(image), whole, atol=3e-6)


def test_transparency_follows():
    pixels = np.full((6, 5, 4), 90, np.uint8)
    pixels[..., 3] = 200
    restored = random_restorer(*LUMA["interpolated"][:1], scale=3).restore_picture(Picture(pixels, icc_profile=b"profile"))
    assert restored.pixels.shape == (18, 15, 4)
    np.testing.assert_array_equal(restored.alpha, 200)
    assert restored.icc_profile == b"profile"


@pytest.mark.parametrize(
    "model",
    [
        CARN(4, (2, 3, 4), features=4),
        MDSR(2, scales=(2, 3, 4), features=4, depth=1),
        IPT((2, 3, 1), 0, features=4, image_size=6, patch=2, heads=2, layers=1, shave=4),
    ],
    ids=lambda model: type(model).__name__,
)
def test_the_tail_of_the_scale(model):
    variables = initialise(model, jax.random.key(0), np.zeros((1, 8, 8, 3), np.float32))
    chosen = model.clone(task=1) if isinstance(model, IPT) else model.clone(scale=3)
    restorer = Restorer(model, variables, scale=3)
    assert restorer.scale == 3
    np.testing.assert_allclose(restorer(IMAGE), chosen.apply(variables, IMAGE[None])[0], atol=2e-5)
    assert Restorer(model, variables).scale == model.scale  # its own default


@pytest.mark.parametrize(
    ("model", "scale", "message"),
    [
        (VDSR(2, 2), None, "VDSR takes pictures that are enlarged already: give scale, 2, 3 or 4"),
        (VDSR(2, 2), 5, "scale is 5: VDSR enlarges by 2, 3 or 4"),
        (CARN(2, (2, 3), features=4), 4, "scale is 4: CARN enlarges by 2 or 3"),
        (IPT((2, 1), 0, features=4, image_size=6, patch=2, heads=2, layers=1), 1, "scale is 1: IPT enlarges by 2"),
        (EDSR(2, features=4, depth=1), 3, "scale is 3: EDSR enlarges by 2"),
        (DnCNN(depth=2, features=2), 2, "scale is 2: DnCNN keeps the size of pictures, leave scale out"),
    ],
)
def test_other_scales_are_refused(model, scale, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        random_restorer(model, scale=scale)


def test_scale_can_be_said_where_it_is_known():
    assert random_restorer(EDSR(2, features=4, depth=1), scale=2).scale == 2
    assert Restorer(Identity(3, scale=3), {}, scale=3).scale == 3


def test_cards_of_a_class_agree_on_interpolation():
    """The class alone decides whether its images are interpolated, so that retrainings of another size are, too."""
    cards = [model_card(name) for name in list_models()]
    for card in cards:
        assert {other.interpolated for other in cards_of(card.create())} == {card.interpolated}
    assert {card.module.__name__ for card in cards if card.interpolated} == {"SRCNN", "VDSR", "DRCN", "MemNet"}
    assert cards_of(Identity()) == ()
