"""CVAE-GAN's networks: what each depends on, and what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.models.generative.cvae_gan import CVAEGAN, CVAEGANClassifier, CVAEGANDiscriminator
from jaxrestore.models.generative.cvae_gan_keras import KerasCVAEGAN, KerasJudge
from jaxrestore.nn.conv import ConvTranspose
from jaxrestore.nn.googlenet import GoogLeNet
from jaxrestore.nn.initialise import initialise
from jaxrestore.nn.shapes import variable_shapes
from tests.compiled import compiled
from tests.models.zoo import check_alone_as_together, check_every_parameter_learns

SMALL = CVAEGAN(16, latent=3, classes=4, encoder_features=(5, 6), features=(5, 4), kernel_sizes=(3, 3, 5), dense=8)
PAPER = SMALL.clone(encoder_features=(), encoder_divisor=16)
KERAS = KerasCVAEGAN(16, 3, 4, (5, 6), (6, 4), 8)
LABEL = jnp.array([1, 3])
IMAGES = np.random.default_rng(0).random((2, 16, 16, 3), np.float32)


def lively(model, *example, seed: int = 0):
    """Initial parameters ten times as large: codes of another image or class are then visibly others."""
    variables = initialise(model, jax.random.key(seed), *example)
    return {**variables, "params": jax.tree.map(lambda x: 10 * x if x.ndim > 1 else x, variables["params"])}


@pytest.mark.parametrize("model", [SMALL, KERAS], ids=["plain", "keras"])
def test_alone_as_together(model):
    restored = check_alone_as_together(model, (IMAGES, LABEL), variables=lively(model, IMAGES, LABEL), bfloat16=0.3)
    assert restored.shape == IMAGES.shape
    assert 0.0 <= restored.min() < restored.max() <= 1.0
    if model is SMALL:
        check_alone_as_together(SMALL.clone(classes=0), (IMAGES,))


def test_every_parameter_learns():
    images, label = np.concatenate([IMAGES, 1 - IMAGES]), jnp.arange(4)
    model = SMALL

    class _Whole(CVAEGAN):  # the variance is seen in training alone
        def __call__(self, image, label, train=False):
            noise = jnp.ones((len(image), self.latent))
            return self.both(image, noise, -noise, label, train)

    fields = {name: getattr(model, name) for name in model.__dataclass_fields__ if name not in ("parent", "name")}
    check_every_parameter_learns(_Whole(**fields), (images, label))


def test_googlenet_is_that_of_the_table():
    """6,998,552 parameters as Caffe's model has them, without the classifier, and a scale and a shift in place of each bias."""
    shapes = variable_shapes(GoogLeNet(), jax.random.key(0), jax.ShapeDtypeStruct((1, 224, 224, 3), jnp.float32))["params"]
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == 6_998_552 - 1_025_000 + 7_280
    assert shapes["inception_4d_5x5"]["conv"]["kernel"].shape == (5, 5, 32, 64)


def test_the_papers_encoder_sees_image_and_label():
    variables = initialise(PAPER, jax.random.key(0), IMAGES, LABEL)
    # In training, where every layer is normalised: so deep a network is all but constant where it begins.
    apply = compiled(lambda v, x, c: PAPER.apply(v, x, c, train=True, mutable="batch_stats")[0])
    restored = apply(variables, IMAGES, LABEL)
    assert restored.shape == IMAGES.shape  # one pixel is left of 16 where GoogLeNet ends
    np.testing.assert_allclose(apply(variables, IMAGES[::-1], LABEL[::-1])[::-1], restored, atol=1e-5)
    assert np.abs(restored - apply(variables, 1 - IMAGES, LABEL)).max() > 1e-3
    assert np.abs(restored - apply(variables, IMAGES, LABEL - 1)).max() > 1e-3


def test_the_papers_encoder_sees_the_label_in_its_last_layer():
    model = CVAEGAN(classes=530)
    encoder = variable_shapes(model, jax.random.key(0), *model.example_inputs)["params"]["encoder"]
    assert set(encoder) == {"googlenet", "gaussian"}
    assert encoder["gaussian"]["kernel"].shape == (1024 + 530, 512)


def test_the_keras_form_pads_as_tensorflow():
    """What halves begins at the top left; what doubles is the gradient of that."""
    variables = lively(KERAS, IMAGES, LABEL)
    params, stats = (variables[name]["encoder"]["halvings"] for name in ("params", "batch_stats"))
    judge = KerasJudge(6, 16, (5, 6), 8)
    maps = np.concatenate([2 * IMAGES - 1, np.broadcast_to(np.eye(4)[[1, 3]][:, None, None], (2, 16, 16, 4))], -1).astype(np.float32)
    x = maps
    for i in range(2):
        kernel = params[f"conv_{i}"]["kernel"]
        x = np.asarray(tensorflow_halved(x, kernel)) + np.asarray(params[f"conv_{i}"]["bias"])
        x = x / np.sqrt(np.asarray(stats[f"norm_{i}"]["var"]) + 1e-3)  # as initialised: no mean, scale or shift
        x = np.where(x > 0, x, 0.1 * x)
    params = jax.tree.map(np.asarray, params)
    x = np.maximum(x.reshape(2, -1) @ params["dense"]["kernel"] + params["dense"]["bias"], 0)
    x = x @ params["tail"]["kernel"] + params["tail"]["bias"]
    mean, log_variance = KERAS.apply(variables, IMAGES, LABEL, method="encode")
    np.testing.assert_allclose(np.concatenate([mean, log_variance], -1), x, atol=1e-4 * np.abs(x).max())
    assert judge.apply(initialise(judge, jax.random.key(0), IMAGES), IMAGES).shape == (2, 6)

    up = variables["params"]["generator"]["up_0"]["kernel_transposed"]
    small = np.random.default_rng(3).standard_normal((1, 4, 4, up.shape[2])).astype(np.float32)

    def halve(image):
        kernel = np.flip(np.asarray(up), (0, 1)).swapaxes(2, 3)
        return tensorflow_halved(image, kernel)

    expected = jax.vjp(halve, jnp.zeros((1, 8, 8, up.shape[3])))[1](small)[0]
    layer = ConvTranspose(up.shape[3], 5, 2, 1, -1, use_bias=False)
    np.testing.assert_allclose(layer.apply({"params": {"kernel_transposed": up}}, small), expected, atol=1e-4)


def tensorflow_halved(image, kernel):
    return jax.lax.conv_general_dilated(image, kernel, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def test_restores_from_the_code_and_the_class():
    variables = lively(SMALL, IMAGES, LABEL)
    restore = compiled(SMALL.apply)
    restored = restore(variables, IMAGES, LABEL)
    assert np.abs(restored - restore(variables, IMAGES, LABEL - 1)).max() > 1e-3
    assert np.abs(restored - restore(variables, 1 - IMAGES, LABEL)).max() > 1e-3
    # By hand, in parts.
    mean, log_variance = SMALL.apply(variables, IMAGES, LABEL, method="encode")
    assert mean.shape == log_variance.shape == (2, 3)
    np.testing.assert_allclose(SMALL.apply(variables, mean, LABEL, method="generate"), restored, atol=1e-5)
    # Drawn: mean + deviation * noise.
    draw = compiled(lambda v, k: SMALL.apply(v, IMAGES, LABEL, rngs={"noise": k}))
    assert np.abs(draw(variables, jax.random.key(0)) - draw(variables, jax.random.key(1))).max() > 1e-4


def test_training_sees_both_images():
    variables = lively(SMALL, IMAGES, LABEL)
    noise, prior = np.random.default_rng(1).standard_normal((2, 2, 3)).astype(np.float32)
    restored, made, mean, log_variance = SMALL.apply(variables, IMAGES, noise, prior, LABEL, False, method="both")
    z = mean + jnp.sqrt(jnp.exp(log_variance)) * noise
    np.testing.assert_allclose(SMALL.apply(variables, z, LABEL, method="generate"), restored, atol=1e-5)
    np.testing.assert_allclose(SMALL.apply(variables, prior, LABEL, method="generate"), made, atol=1e-5)


@pytest.mark.parametrize(
    "model", [CVAEGANDiscriminator(32, (4, 5)), CVAEGANClassifier(6, 64, (4, 5, 4, 5, 4), 8), KerasJudge(6, 16, (5, 6), 8)]
)
def test_judges(model):
    images = np.random.default_rng(2).random((2, model.image_size, model.image_size, 3), np.float32)
    logits = check_alone_as_together(model, (images,), variables=lively(model, images), tolerance=1e-3, bfloat16=0.3)
    assert logits.shape == (2, getattr(model, "classes", 1))
    variables = initialise(model, jax.random.key(0), images)
    again, features = model.apply(variables, images, method="judge")
    np.testing.assert_allclose(again, model.apply(variables, images), atol=1e-6)
    assert features.shape[0] == 2
    assert features.ndim in (2, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SMALL.apply(initialise(SMALL, jax.random.key(0), IMAGES, LABEL), IMAGES), "label is missing"),
        (lambda: SMALL.init(jax.random.key(0), IMAGES[:, :8]), r"image has the shape \(8, 16, 3\)"),
        (lambda: SMALL.clone(image_size=12).init(jax.random.key(0), IMAGES), "image_size is 12: it must be a multiple of 8"),
    ],
)
def test_refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()
