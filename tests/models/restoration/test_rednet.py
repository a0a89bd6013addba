"""Encoders and decoders without a U-Net's levels: RED-Net's kin with normalisation, and the denoising autoencoder."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.models.restoration.conv_deconv import ConvDeconvNet
from jaxrestore.models.restoration.denoising_autoencoder import DenoisingAutoencoder
from jaxrestore.nn.initialise import initialise
from tests.compiled import compiled
from tests.models.zoo import check_alone_as_together, check_every_parameter_learns, random_inputs

SMALL: dict[str, nn.Module] = {
    "conv-deconv": ConvDeconvNet(3, 6),
    "conv-deconv with skips": ConvDeconvNet(5, 6, 1, skip_every=2, activation="prelu"),
    "conv-deconv, pooled": ConvDeconvNet(4, 6, pool_every=2),
    "denoising autoencoder": DenoisingAutoencoder((4, 6)),
}


@pytest.mark.parametrize("name", SMALL)
def test_any_size_batch_and_precision(name: str):
    model = SMALL[name]
    inputs = random_inputs(model)
    restored = check_alone_as_together(model, inputs, uncompiled=True)
    assert restored.shape == inputs[0].shape
    assert 0.0 < restored.min() <= restored.max() < 1.0  # a sigmoid


def test_every_parameter_of_the_autoencoder_learns():
    model = SMALL["denoising autoencoder"]
    check_every_parameter_learns(model, random_inputs(model, height=8, width=8))


@pytest.mark.parametrize("name", [name for name in SMALL if name.startswith("conv")])
def test_every_parameter_matters(name: str):
    """With fixed statistics: while they are the batch's, a bias before a normalisation changes nothing."""
    model = SMALL[name]
    image = random_inputs(model, height=8, width=8)[0]
    variables = initialise(model, jax.random.key(0), image)
    gradient = compiled(jax.grad(lambda p: jnp.mean(jnp.square(model.apply({**variables, "params": p}, image) - 0.3))))
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradient(variables["params"])):
        assert np.isfinite(leaf).all(), path
        assert np.abs(leaf).max() > 1e-9, path


def test_twenty_layers_with_a_normalisation_after_each():
    for model in (ConvDeconvNet(), ConvDeconvNet(skip_every=2), ConvDeconvNet(pool_every=2)):
        image = jax.ShapeDtypeStruct((1, 32, 32, 3), np.float32)
        variables = jax.eval_shape(lambda x, model=model: model.init(jax.random.key(0), x), image)
        assert len(variables["batch_stats"]) == 20
        assert sum(not name.endswith("norm") for name in variables["params"]) == 20


def test_without_its_skips_the_second_network_is_the_first(monkeypatch):
    plain, skipping = ConvDeconvNet(6, 5), ConvDeconvNet(6, 5, skip_every=2)
    image = np.random.default_rng(0).random((1, 6, 7, 3), np.float32)
    variables = initialise(plain, jax.random.key(0), image)
    expected = compiled(plain.apply)(variables, image)
    assert not np.allclose(compiled(skipping.apply)(variables, image), expected, atol=1e-3)
    seen = []
    monkeypatch.setattr(ConvDeconvNet, "_join", lambda self, x, skip: seen.append(skip.shape) or nn.relu(x + 0 * skip))
    np.testing.assert_allclose(compiled(skipping.clone().apply)(variables, image), expected, atol=1e-6)
    assert seen == [(1, 6, 7, 5)] * 2


def test_pooling_halves_and_repeating_doubles(monkeypatch):
    """Composed by hand of the same parameters."""
    model = ConvDeconvNet(2, 4, 1, pool_every=1)
    image = np.random.default_rng(0).random((1, 8, 4, 1), np.float32)
    variables = initialise(model, jax.random.key(0), image)

    def unit(x, name, activation):
        p = variables["params"][name]
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))
        y = np.einsum("nhwcij,ijcf->nhwf", windows, np.asarray(p["kernel"])) + np.asarray(p["bias"])
        return activation(y / np.sqrt(1 + 1e-5))  # statistics of a network that has not been trained

    def relu(x):
        return np.maximum(x, 0)

    def repeat(x):
        return x.repeat(2, 1).repeat(2, 2)

    def pool(x):
        return x.reshape(x.shape[0], x.shape[1] // 2, 2, x.shape[2] // 2, 2, -1).max((2, 4))

    code = pool(unit(pool(unit(image, "conv_0", relu)), "conv_1", relu))
    decoded = unit(repeat(code), "deconv_0", relu)
    expected = unit(repeat(decoded), "deconv_1", lambda y: 1 / (1 + np.exp(-y)))
    np.testing.assert_allclose(compiled(model.apply)(variables, image), expected, atol=1e-5)


@pytest.mark.parametrize("fields", [dict(pool_every=3), dict(pool_every=-1), dict(pool_every=2, skip_every=2), dict(activation="tanh")])
def test_settings_that_make_no_sense(fields: dict):
    with pytest.raises(InputError, match=f"{next(iter(fields))} is"):
        ConvDeconvNet(**fields).init(jax.random.key(0), jnp.zeros((1, 32, 32, 3)))


def test_the_autoencoder_sees_nothing_past_its_code():
    """The restored image is a function of the code: its derivative by the image has no larger rank than the code has numbers."""
    model = DenoisingAutoencoder((6, 8, 3), 1)
    image = np.random.default_rng(0).random((1, 8, 16, 1), np.float32)
    variables = initialise(model, jax.random.key(3), image)
    code = model.apply(variables, image, method="encode")
    assert code.shape == (1, 1, 2, 3)
    np.testing.assert_allclose(model.apply(variables, image), model.apply(variables, code, method="decode"), atol=1e-6)
    jacobian = compiled(jax.jacobian(model.apply, argnums=1))(variables, image).reshape(128, 128)
    active = int((np.asarray(code) > 0).sum())
    assert 0 < np.linalg.matrix_rank(np.asarray(jacobian, np.float64), rtol=1e-5) <= active <= 6
