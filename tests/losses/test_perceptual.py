"""Losses of features, on features that are known functions of the image."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore import losses
from jaxrestore.errors import InputError
from tests.losses.numerical import assert_gradient

A, B = np.random.default_rng(0).random((2, 2, 8, 9, 3))


def features(image):
    return [jnp.square(image), image[:, ::2, ::2, :2]]


def gram(f: np.ndarray) -> np.ndarray:
    flat = f.reshape(-1, f.shape[-1])
    return flat.T @ flat / flat.size


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def test_perceptual_is_a_weighted_sum_over_layers():
    parts = [((a - b) ** 2).mean((1, 2, 3)) for a, b in zip(features(A), features(B), strict=True)]
    np.testing.assert_allclose(losses.perceptual(features, A, B), parts[0] + parts[1], rtol=1e-12)
    np.testing.assert_allclose(losses.perceptual(features, A, B, weights=(0.5, 2.0)), 0.5 * parts[0] + 2.0 * parts[1], rtol=1e-12)
    absolute = losses.perceptual(lambda x: [x], A, B, distance=losses.l1)
    np.testing.assert_allclose(absolute, np.abs(A - B).mean((1, 2, 3)), rtol=1e-12)


def test_gram_and_style_by_definition():
    np.testing.assert_allclose(losses.gram(A), [gram(a) for a in A], rtol=1e-12)
    expected = [((gram(a**2) - gram(b**2)) ** 2).sum() + ((gram(a[::2, ::2, :2]) - gram(b[::2, ::2, :2])) ** 2).sum() for a, b in zip(A, B)]  # noqa: B905
    np.testing.assert_allclose(losses.style(features, A, B), expected, rtol=1e-12)
    # Style knows no places, and another image may have another size.
    np.testing.assert_allclose(losses.style(lambda x: [x], A[:, ::-1], np.concatenate([A, A], 1)), 0.0, atol=1e-30)


def test_texture_compares_patch_by_patch():
    places = [np.s_[4 * i : 4 * i + 4, 4 * j : 4 * j + 4] for i in (0, 1) for j in (0, 1)]
    expected = [np.mean([((gram(a[p]) - gram(b[p])) ** 2).sum() for p in places]) for a, b in zip(A, B, strict=True)]
    np.testing.assert_allclose(losses.texture(lambda x: [x], A, B), expected, rtol=1e-12)
    assert (losses.texture(lambda x: [x], A[:, ::-1], A) > 1e-6).all()


@pytest.mark.parametrize("loss", [losses.perceptual, losses.style, losses.texture])
def test_gradients_reach_the_prediction_alone(loss):
    assert_gradient(lambda x: loss(features, x, B), A)
    np.testing.assert_array_equal(jax.grad(lambda x: loss(features, A, x).sum())(B), 0.0)
    np.testing.assert_allclose(jax.grad(lambda x: loss(features, x, B).sum())(B), 0.0, atol=1e-15)
    assert loss(features, A.astype(jnp.bfloat16), B.astype(jnp.bfloat16)).dtype == jnp.float32
    with pytest.raises(InputError, match="weights has 3 numbers: the features have 2 layers"):
        loss(features, A, B, weights=(1.0, 1.0, 1.0))


def test_feature_matching_gradients_and_shapes():
    f, g = A.reshape(2, -1), B.reshape(2, -1)
    assert losses.mean_feature_matching(f, g).shape == ()
    assert losses.pairwise_feature_matching(A, B).shape == (2,)
    assert_gradient(lambda x: losses.mean_feature_matching(x, g), f)
    assert_gradient(lambda x: losses.pairwise_feature_matching(x, B), A)
    np.testing.assert_allclose(losses.mean_feature_matching(f, f[::-1]), 0.0, atol=1e-30)
    for loss in (losses.mean_feature_matching, losses.pairwise_feature_matching):
        with pytest.raises(InputError, match="differ in shape"):
            loss(f, g[:1])


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="patch is 0"):
        losses.texture(features, A, B, patch=0)
    with pytest.raises(InputError):
        losses.texture(features, A, B, patch=10)
    for loss in (losses.perceptual, losses.texture):
        with pytest.raises(InputError, match="differ in shape"):
            loss(features, A, B[:, :7])
