"""`Restorer`: same dtype and layout out as in, whatever the size; tiles and views; what it refuses."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from jaxrestore.data.images import Picture
from jaxrestore.errors import InputError
from jaxrestore.inference import Restorer
from jaxrestore.inference.network import Network
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.models.restoration.edcnn import EDCNN
from jaxrestore.weights import Weights
from tests.inference.networks import Brighter, Gain, Identity, random_restorer

SHAPES = st.one_of(
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    st.tuples(st.integers(1, 5), st.integers(1, 5), st.sampled_from((1, 3))),
    st.tuples(st.integers(1, 2), st.integers(1, 5), st.integers(1, 5), st.sampled_from((1, 3))),
)


@settings(deadline=None, max_examples=25)
@given(data=st.data(), channels=st.sampled_from((1, 3)), ensemble=st.booleans())
def test_identity_gives_every_bit_back(data, channels, ensemble):
    dtype = data.draw(st.sampled_from((np.uint8, np.uint16)))
    image = data.draw(arrays.arrays(dtype, data.draw(SHAPES)))
    restored = Restorer(Identity(channels), {}, ensemble=ensemble)(image)
    assert restored.dtype == dtype
    np.testing.assert_array_equal(restored, image)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floating_point_is_not_clipped(dtype):
    image = np.array([[-0.5, 0.25], [1.0, 1.5]], dtype)
    restored = Restorer(Identity(1), {})(image)
    assert restored.dtype == dtype
    np.testing.assert_array_equal(restored, image)


def test_integers_are_clipped_and_rounded_once():
    restored = Restorer(Gain((0.5, 1.0, 2.0)), {})(np.full((1, 1, 3), 133, np.uint8))
    np.testing.assert_array_equal(restored, [[[67, 133, 255]]])  # 66.5 goes up, 266 is clipped


def test_views_are_averaged_before_rounding():
    model = DnCNN(depth=3, features=4)
    image = np.random.default_rng(0).integers(0, 256, (9, 7, 1), np.uint8)
    floating = random_restorer(model, ensemble=True)(image / np.float32(255))
    rounded = random_restorer(model, ensemble=True)(image)
    np.testing.assert_array_equal(rounded, np.floor(np.clip(floating, 0, 1) * 255 + 0.5))


def test_grey_on_a_colour_network_is_the_mean_of_the_channels():
    restored = Restorer(Gain((0.0, 0.5, 1.0)), {})(np.full((2, 3), 0.8, np.float32))
    np.testing.assert_allclose(restored, np.full((2, 3), 0.4), rtol=1e-6)


def test_colour_on_a_grey_network_goes_channel_by_channel():
    restorer = random_restorer(DnCNN(depth=3, features=4))
    image = np.random.default_rng(0).random((2, 6, 5, 3), np.float32)
    expected = np.stack([restorer(image[..., c : c + 1])[..., 0] for c in range(3)], axis=-1)
    np.testing.assert_allclose(restorer(image), expected, atol=1e-6)


def test_jax_for_jax():
    image = jnp.full((2, 3, 3), 0.5)
    assert isinstance(Restorer(Identity(), {})(image), jax.Array)


def test_restored_is_what_the_network_gives():
    restorer = random_restorer()
    image = np.random.default_rng(0).random((2, 7, 9, 3), np.float32)
    np.testing.assert_allclose(restorer(image), restorer.engine.model.apply(restorer.engine.variables, image), atol=1e-6)


@pytest.mark.parametrize("settings_", [{"tile": 31}, {"memory": "100kB"}], ids=str)
@pytest.mark.parametrize("ensemble", [False, True])
def test_tiles_change_nothing(settings_, ensemble):
    image = np.random.default_rng(0).random((1, 67, 40, 3), np.float32)
    whole = random_restorer(tile="off", ensemble=ensemble)(image)
    np.testing.assert_allclose(random_restorer(ensemble=ensemble, **settings_)(image), whole, atol=2e-6)


def test_tiles_of_an_encoder_and_decoder():
    model = EDCNN(features=2, levels=2, upsampling="transposed")
    image = np.random.default_rng(0).random((59, 66, 3), np.float32)  # no multiples of 4
    whole = random_restorer(model, tile="off")(image)
    np.testing.assert_allclose(random_restorer(model, tile=57)(image), whole, atol=2e-6)


def test_tiles_of_an_enlarging_network():
    class Enlarged(Identity):
        def __call__(self, image):
            padded = jnp.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0)))
            return super().__call__(image) + jnp.repeat(jnp.repeat(padded[:, 2:, 2:] - padded[:, :-2, :-2], 2, axis=1), 2, axis=2)

    image = np.random.default_rng(0).random((23, 31, 3), np.float32)
    whole = Restorer(Enlarged(scale=2), {}, tile="off")(image)
    assert whole.shape == (46, 62, 3)
    np.testing.assert_allclose(Restorer(Enlarged(scale=2), {}, tile=11)(image), whole, atol=1e-6)


def test_memory_decides_on_tiles(monkeypatch):
    model = DnCNN(depth=4, features=6, channels=3, unshuffle=2)
    shapes, pieces = [], []
    run = Network._run
    monkeypatch.setattr(Network, "_run", lambda self, images, once=False: shapes.append(images.shape) or run(self, images, once))
    for memory in ("1GiB", "100kB"):
        shapes.clear()
        random_restorer(model, memory=memory)(np.zeros((60, 61, 3), np.uint8))
        pieces.append(tuple(shapes))
    assert pieces[0] == ((1, 60, 61, 3),)
    assert len(pieces[1]) > 1
    assert len(set(pieces[1])) == 1


class TestEnsemble:
    @pytest.mark.parametrize("turn", [lambda x: x.swapaxes(0, 1), lambda x: x[::-1], lambda x: np.rot90(x)])
    def test_commutes_with_turning_and_mirroring(self, turn):
        restorer = random_restorer(DnCNN(depth=3, features=4), ensemble=True)
        image = np.random.default_rng(0).random((7, 10, 1), np.float32)
        np.testing.assert_allclose(restorer(np.ascontiguousarray(turn(image))), turn(restorer(image)), atol=2e-6)

    def test_is_the_mean_of_eight_different_results(self):
        model = DnCNN(depth=3, features=4)
        image = np.random.default_rng(0).random((6, 6, 1), np.float32)
        once, results = random_restorer(model), []
        for turns in range(4):
            for flip in (1, -1):
                results.append(np.rot90(once(np.ascontiguousarray(np.rot90(image[:, ::flip], turns))), -turns)[:, ::flip])
        assert len({r.tobytes() for r in results}) == 8
        np.testing.assert_allclose(random_restorer(model, ensemble=True)(image), np.mean(results, axis=0), atol=1e-6)


class TestPictures:
    def test_transparency_stays(self):
        pixels = np.random.default_rng(0).integers(0, 65536, (3, 4, 4), np.uint16)
        picture = Picture(pixels, icc_profile=b"profile", exif=None, orientation=6)
        restored = Restorer(Gain((0.0, 0.0, 0.0)), {}).restore_picture(picture)
        np.testing.assert_array_equal(restored.pixels[..., :3], 0)
        np.testing.assert_array_equal(restored.pixels[..., 3], pixels[..., 3])
        assert (restored.icc_profile, restored.orientation) == (b"profile", 6)

    @pytest.mark.parametrize("channels", [1, 3])
    def test_transparency_is_enlarged_by_the_network(self, channels):
        class Wrong(Identity):
            """Enlarges, and errs by a tenth."""

            def __call__(self, image):
                return super().__call__(image) * 0.9

        pixels = np.random.default_rng(0).integers(0, 256, (4, 5, 4), np.uint8)
        pixels[..., 3] = 200
        flat = Picture(pixels)
        pixels = pixels.copy()
        pixels[0, 4, 3] = 100
        corner = Picture(pixels)
        first, second = Restorer(Wrong(channels, scale=3), {}).restore_pictures([flat, corner])
        np.testing.assert_array_equal(first.alpha, 200)
        expected = np.full((4, 5), 200)
        expected[0, 4], expected[:2, 3:5] = 90, [[180, 90], [180, 180]]  # what is not flat is the network's
        np.testing.assert_array_equal(second.alpha[..., 0], expected.repeat(3, 0).repeat(3, 1))
        np.testing.assert_array_equal(first.color, Restorer(Wrong(channels, scale=3), {})(flat.color))


class TestRefusals:
    @pytest.mark.parametrize(
        ("image", "word"),
        [
            (np.full((2, 2), np.nan, np.float32), "NaN"),
            (np.full((2, 2), np.inf, np.float32), "infinite"),
            (np.zeros((2, 2, 2), np.uint8), "2 channels"),
            (np.zeros((2, 2, 4), np.uint8), "4 channels"),
            (np.zeros((2, 0, 3), np.uint8), "shape"),
            (np.zeros(4, np.uint8), "shape"),
            (np.zeros((2, 2), np.int32), "int32"),
            (np.zeros((2, 2), bool), "bool"),
        ],
    )
    def test_images(self, image, word):
        with pytest.raises(InputError, match=word):
            Restorer(Identity(), {})(image)

    def test_colour_for_a_network_of_other_channels(self):
        with pytest.raises(InputError, match="3 channels: the network takes 4; give as many, or grey"):
            Restorer(Identity(4), {})(np.zeros((2, 2, 3), np.uint8))

    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            ({"tile": "many"}, "tile"),
            ({"tile": 0}, "tile"),
            ({"memory": "much"}, "memory"),
            ({"memory": 0}, "memory"),
        ],
    )
    def test_settings(self, arguments, word):
        with pytest.raises(InputError, match=word):
            Restorer(Identity(), {}, **arguments)

    @pytest.mark.parametrize(
        ("model", "word"),
        [
            ("dncnn_grey", "did you mean"),
            ("dncnn_gray", "ships no weights"),
            ("dncnn_gray.nothing", "not among"),
            (Identity(), "no weights"),
        ],
    )
    def test_models_without_weights(self, model, word):
        with pytest.raises(InputError, match=word):
            Restorer(model)

    def test_a_network_for_another_task(self):
        with pytest.raises(InputError, match="does not restore"):
            random_restorer(EDCNN(features=2, levels=1, classes=5))(np.zeros((4, 4, 3), np.uint8))

    def test_too_little_memory_even_for_a_tile(self):
        with pytest.raises(InputError, match="at least"):
            random_restorer(memory="1kB")(np.zeros((40, 40, 3), np.uint8))


def test_a_noise_level_reaches_the_network():
    image, variables = np.full((40, 40, 3), 0.25, np.float32), {"params": {"gain": 2.0}}
    fixed = Restorer(Brighter(), variables, sigma=51, tile=24)
    np.testing.assert_allclose(fixed(image), 0.25 + 2 * 0.2, atol=1e-6)
    assert (fixed.takes, fixed.scale) == ((), 1)
    told = Restorer(Brighter(), variables)
    assert told.takes == ("sigma",)
    for sigma in (51, 102, 51):
        np.testing.assert_allclose(told(image, sigma=sigma), 0.25 + 2 * sigma / 255, atol=1e-6)
    with pytest.raises(InputError, match="Brighter needs the noise level"):
        told(image)
    with pytest.raises(InputError, match="sigma is -1"):
        told(image, sigma=-1)
    with pytest.raises(InputError, match="Identity takes no quality"):
        Restorer(Identity(), {})(np.zeros((4, 4, 3), np.uint8), quality=10)
    with pytest.raises(InputError, match="Identity takes no noise level"):
        Restorer(Identity(), {})(image, sigma=5)


def test_takes_what_load_weights_gives():
    restorer = random_restorer()
    weights = Weights(restorer.engine.variables, restorer.engine.model, None, None, "", "")
    image = np.random.default_rng(0).integers(0, 256, (5, 6, 3), np.uint8)
    np.testing.assert_array_equal(Restorer(weights)(image), restorer(image))


@pytest.mark.parametrize(
    "make",
    [
        random_restorer,
        lambda: Restorer(Brighter(), {"params": {"gain": np.float32(2.0)}}, sigma=25),
        lambda: Restorer([Gain((0.5, 0.5, 0.5)), Identity()], {}),
        lambda: Restorer("median:size=3"),
    ],
)
def test_survives_pickling(make):
    restorer = make()
    image = np.random.default_rng(0).integers(0, 256, (5, 6, 3), np.uint8)
    before = restorer(image)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(restorer))(image), before)


def test_pickles_its_variables_as_numpy():
    state = random_restorer().on(jax.local_devices()[3]).engine.__getstate__()
    assert {type(leaf) for leaf in jax.tree.leaves(state["variables"])} == {np.ndarray}


def test_threads_may_share_it():
    """Shapes and noise levels differ from call to call, so that what is kept between calls changes while others use it."""
    restorer = Restorer(Brighter(), {"params": {"gain": 2.0}})
    calls = [(np.full((n % 3 + 2, 4, 3), n, np.uint8), float(n % 5)) for n in range(40)]
    alone = [restorer(image, sigma=sigma) for image, sigma in calls]
    shared = Restorer(Brighter(), {"params": {"gain": 2.0}})
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda call: shared(call[0], sigma=call[1]), calls))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_computes_on_another_device():
    restorer, image = random_restorer(), np.random.default_rng(0).integers(0, 256, (5, 6, 3), np.uint8)
    moved = restorer.on(jax.local_devices()[5], memory=2**30)
    assert {leaf.devices().pop().id for leaf in jax.tree.leaves(moved.engine.variables)} == {5}
    assert (moved.memory, moved.engine.memory, restorer.memory) == (2**30, 2**30, None)
    np.testing.assert_array_equal(moved(image), restorer(image))
