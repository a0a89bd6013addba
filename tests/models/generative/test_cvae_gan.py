"""CVAE-GAN's networks: what each depends on, and what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.models.generative.cvae_gan import CVAEGAN, CVAEGANClassifier, CVAEGANDiscriminator
from jaxrestore.nn.initialise import initialise
from tests.compiled import compiled
from tests.models.zoo import check_alone_as_together, check_every_parameter_learns

SMALL = CVAEGAN(16, latent=3, classes=4, encoder_features=(5, 6), features=(5, 4), kernel_sizes=(3, 3, 5), dense=8)
LABEL = jnp.array([1, 3])
IMAGES = np.random.default_rng(0).random((2, 16, 16, 3), np.float32)


def lively(model, *example, seed: int = 0):
    """Initial parameters ten times as large: codes of another image or class are then visibly others."""
    variables = initialise(model, jax.random.key(seed), *example)
    return {**variables, "params": jax.tree.map(lambda x: 10 * x if x.ndim > 1 else x, variables["params"])}


def test_alone_as_together():
    restored = check_alone_as_together(SMALL, (IMAGES, LABEL), variables=lively(SMALL, IMAGES, LABEL), bfloat16=0.3)
    assert restored.shape == IMAGES.shape
    assert 0.0 <= restored.min() < restored.max() <= 1.0
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


@pytest.mark.parametrize("model", [CVAEGANDiscriminator(32, (4, 5)), CVAEGANClassifier(6, 64, (4, 5, 4, 5, 4), 8)])
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
