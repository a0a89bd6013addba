"""Classical methods behind `Restorer`: same dtype and layout; what they need is given, refused or asked for."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.classical import catalogue
from jaxrestore.classical.catalogue import Method
from jaxrestore.classical.gaussian import gaussian_filter
from jaxrestore.errors import InputError
from jaxrestore.inference import Restorer
from jaxrestore.inference.evaluate import evaluate
from jaxrestore.inference.protocols import Pair
from tests.inference.networks import Identity

IMAGE = np.random.default_rng(0).random((6, 7, 3), np.float32)
MASK = np.zeros((6, 7), bool)
MASK[2:4, 3] = True


def recording(image, *, psf, mask, sigma: float | int = 0.5, scale: int = 2, gain: float | int = 1.0):
    """Takes everything; the image enlarged, marked where it is missing."""
    assert psf.shape == (3, 3)
    assert mask.shape == (*image.shape[:-1], 1)
    image = jnp.where(mask, 0.25, gain * image) + sigma
    return jnp.repeat(jnp.repeat(image, scale, axis=-3), scale, axis=-2)


@pytest.fixture
def method(monkeypatch):
    """A method that takes everything, in the catalogue."""
    monkeypatch.setattr(catalogue, "METHODS", {"recording": Method("", "inpainting", "", ("psf", "mask")), **catalogue.METHODS})
    monkeypatch.setattr("jaxrestore.inference.engines.METHODS", catalogue.METHODS)
    function_of = catalogue.function_of
    monkeypatch.setattr(catalogue, "function_of", lambda name: recording if name == "recording" else function_of(name))
    return "recording"


@pytest.mark.parametrize("shape", [(6, 7), (6, 7, 1), (6, 7, 3), (2, 6, 7, 3)], ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_same_dtype_and_layout(shape, dtype):
    image = np.random.default_rng(0).random(shape)
    top = np.iinfo(dtype).max if dtype != np.float32 else 1
    stored = np.round(image * top).astype(dtype) if top > 1 else image.astype(dtype)
    restored = Restorer("gaussian_filter:sigma_spatial=0.7")(stored)
    assert (restored.dtype, restored.shape) == (dtype, shape)
    pixels = stored.reshape(shape if len(shape) > 2 else (*shape, 1)).astype(np.float32) / np.float32(top)
    expected = np.asarray(gaussian_filter(pixels, sigma_spatial=0.7)).reshape(shape)
    np.testing.assert_allclose(restored / top, expected, atol=1e-6 + (0.5 / top if top > 1 else 0))
    assert Restorer("gaussian_filter").channels is None


def test_views_of_a_symmetric_filter_are_all_alike():
    once, eight = (Restorer("gaussian_filter", ensemble=ensemble)(IMAGE) for ensemble in (False, True))
    np.testing.assert_allclose(once, eight, atol=1e-6)


def test_inputs_arrive_from_wherever_they_are_given(method):
    psf = np.full((3, 3), 1 / 9, np.float32)
    expected = np.asarray(recording(IMAGE, psf=psf, mask=MASK[..., None], sigma=0.125, scale=3, gain=0.5))
    fixed = Restorer("recording:gain=0.5", psf=psf, mask=MASK, sigma=0.125, scale=3)
    assert (fixed.takes, fixed.scale) == ((), 3)
    at_call = Restorer("recording:gain=0.5:scale=3")
    assert at_call.takes == ("psf", "mask", "sigma")
    for restored in (
        fixed(IMAGE),
        at_call(IMAGE, psf=psf, mask=MASK[..., None], sigma=0.125),
        at_call(IMAGE, psf=psf, mask=MASK, sigma=0.125),
    ):
        np.testing.assert_allclose(restored, expected, atol=1e-6)
    assert Restorer("recording").scale == 2  # its own default
    assert at_call.name == "recording:scale=3:gain=0.5"


def test_evaluation_gives_what_the_method_takes(method):
    pair = Pair("a", IMAGE, np.zeros((12, 14, 3), np.float32), inputs={"mask": MASK[..., None], "psf": np.ones((3, 3)) / 9, "sigma": 0.25})
    report = evaluate(Restorer("recording:gain=0"), [pair], "rgb")
    error = np.mean(np.square(np.where(MASK, 0.5, 0.25)))
    assert report.images[0].psnr == pytest.approx(-10 * np.log10(error), abs=1e-3)
    assert not evaluate(lambda image: np.zeros((12, 14, 3)), [pair], "rgb").failures  # a plain function is given the image alone
    (failure,) = evaluate(Restorer("recording"), [Pair("b", IMAGE, IMAGE), pair], "rgb").failures.values()
    assert "recording needs the blur's kernel (psf) and a mask" in failure


def test_the_quality_reaches_deblocking(monkeypatch):
    qualities = []

    def deblock(image, *, quality: int):
        qualities.append(quality)
        return image

    monkeypatch.setattr("jaxrestore.classical.deblocking.shifted_jpeg", deblock)
    catalogue.function_of.cache_clear()
    pair = Pair("a", IMAGE, IMAGE, inputs={"quality": 30})
    restorer = Restorer("shifted_jpeg")
    assert restorer.takes == ("quality",)
    evaluate(restorer, [pair], "rgb")
    Restorer("shifted_jpeg", quality=40)(IMAGE)
    catalogue.function_of.cache_clear()
    assert qualities == [30, 40]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model_or_tag": "gausian_filter"}, "unknown model 'gausian_filter': did you mean gaussian_filter"),
        ({"model_or_tag": "gaussian_filter:size=3"}, "unknown argument of gaussian_filter: 'size'"),
        ({"weights": "file.pth"}, "takes no weights"),
        ({"tile": 32}, "takes the whole image"),
        ({"sigma": 5}, "gaussian_filter takes no sigma"),
        ({"model_or_tag": "recording:sigma=1", "sigma": 5}, "sigma is given twice"),
        ({"model_or_tag": "recording", "scale": 0}, "scale is 0: it must be at least 1"),
        ({"model_or_tag": "recording", "ensemble": True}, "would have to turn"),
        ({"model_or_tag": Identity(), "weights": {}, "psf": np.ones((3, 3))}, "Identity takes no psf"),
        ({"model_or_tag": Identity(), "weights": {}, "sigma": 5}, "Identity takes no noise level"),
    ],
)
def test_what_is_refused(method, arguments, message):
    with pytest.raises(InputError, match=message):
        Restorer(**{"model_or_tag": "gaussian_filter", **arguments})


def test_images_that_do_not_fit_are_refused(method):
    with pytest.raises(InputError, match="the mask has 7x6 pixels and the image 6x7"):
        Restorer("recording", psf=np.ones((3, 3)))(IMAGE, mask=MASK.T)
    with pytest.raises(InputError, match="gaussian_filter takes no mask"):
        Restorer("gaussian_filter")(IMAGE, mask=MASK)
    with pytest.raises(InputError, match="4 channels: give grey or RGB"):
        Restorer("gaussian_filter")(np.zeros((3, 3, 4), np.uint8))
