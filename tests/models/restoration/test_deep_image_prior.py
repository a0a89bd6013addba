"""Deep Image Prior's hourglass against its reference, in both modes of its normalisations."""

from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.inference.network import Network
from jaxrestore.models.restoration.deep_image_prior import DeepImagePrior
from jaxrestore.nn.initialise import initialise
from jaxrestore.ops.downsampler import lanczos_taps
from tests.compiled import compiled
from tests.models.zoo import cases, check_alone_as_together, check_equals_reference, check_every_parameter_learns
from tests.parity.golden import Golden, goldens

_widths = partial(DeepImagePrior, (6, 8, 10), (6, 8, 10), input_channels=4)
_skips = partial(_widths, skip_features=(2, 2, 2))
# With the reference's own float32 noise when it normalises by the picture's statistics, measured against float64.
MODELS = {
    "dip-skip-reflect-bilinear": (_skips(), 1.2e-6),
    "dip-skip-zero-nearest": (_skips(padding="zeros", upsampling="nearest", up_1x1=False, down_size=5), 1.4e-6),
    "dip-skip-avg-noskip": (_widths(skip_features=(0, 0, 2), downsampling="avg"), 1.6e-6),
    "dip-skip-oddsize": (_skips(upsampling="nearest"), 1.2e-6),
    "dip-skip-lanczos": (_skips(downsampling="lanczos2"), 2.7e-6),
}
_small = partial(DeepImagePrior, (4, 6), (4, 6), skip_features=(2, 2), input_channels=3)
SMALL = {
    "skips": _small(),
    "no_skips": _small(skip_features=(0, 0), upsampling="nearest", sigmoid=False),
    "max": _small(downsampling="max", up_1x1=False, channels=1),
    "lanczos3": _small(downsampling="lanczos3", padding="zeros", activation="silu"),
}


def noise(model: DeepImagePrior, height: int = 11, width: int = 14) -> np.ndarray:
    return np.random.default_rng(1).random((2, height, width, model.input_channels), np.float32)


@pytest.mark.parametrize(("golden", "case"), cases(MODELS))
def test_equals_reference(golden: Golden, case: tuple[DeepImagePrior, float]):
    model, own_noise = case
    variables, _ = check_equals_reference(model, golden)
    made, _ = compiled(partial(model.apply, train=True, mutable="batch_stats"))(variables, golden.input)
    np.testing.assert_allclose(made, np.moveaxis(golden.tensors["output_train_bn"], 1, -1), atol=20 * own_noise, rtol=0)


@pytest.mark.parametrize("golden", goldens("restoration/dip-skip-lanczos"), ids=str)
def test_the_filter_is_the_one_that_the_reference_stores(golden: Golden):
    stored = golden.state["1.1.1.2.downsampler_.weight"]
    taps = lanczos_taps(2)
    np.testing.assert_allclose(stored, np.eye(6)[:, :, None, None] * np.outer(taps, taps), atol=1e-7)
    assert not golden.state["1.1.1.2.downsampler_.bias"].any()


@pytest.mark.parametrize("name", SMALL)
def test_any_size_and_alone_as_together(name: str):
    model = SMALL[name]
    made = check_alone_as_together(model, (noise(model),))
    chex.assert_shape(made, (2, 11, 14, model.channels))


@pytest.mark.parametrize("name", SMALL)
def test_every_parameter_learns(name: str):
    check_every_parameter_learns(SMALL[name], (noise(SMALL[name]),))


def test_in_training_a_picture_is_normalised_by_its_own_statistics():
    """Then the scale of the first convolution does not matter; running statistics, not yet found, make another picture."""
    model = _small(skip_features=(0, 0))
    variables = initialise(model, jax.random.key(0), noise(model))
    larger = jax.tree.map(lambda leaf: leaf, variables)
    for leaf in ("kernel", "bias"):
        larger["params"]["down_0_0_conv"][leaf] = 3.0 * variables["params"]["down_0_0_conv"][leaf]
    train = lambda v: model.apply(v, noise(model), train=True, mutable="batch_stats")[0]  # noqa: E731
    made = np.asarray(train(variables))
    assert made.std() > 0.05
    np.testing.assert_allclose(made, train(larger), atol=2e-3)
    assert np.abs(made - model.apply(variables, noise(model))).max() > 0.1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (dict(skip_features=(2,)), "have 2, 2 and 1 entries"),
        (dict(padding="edge"), "padding is 'edge'"),
        (dict(upsampling="bicubic"), "upsampling is 'bicubic'"),
        (dict(downsampling="conv"), "downsampling is 'conv'"),
        (dict(activation="elu_"), "activation is 'elu_'"),
    ],
)
def test_refuses_what_makes_no_sense(fields: dict, message: str):
    with pytest.raises(InputError, match=message):
        initialise(_small(**fields), jax.random.key(0), jax.ShapeDtypeStruct((1, 8, 8, 3), jnp.float32))


def test_is_no_restorer_of_images():
    with pytest.raises(InputError, match="prior does not restore images: DeepImagePrior takes something else"):
        Network("prior", _small(), {})
