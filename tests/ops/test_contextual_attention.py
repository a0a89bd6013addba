"""Contextual attention against the patches written out one by one, and against what it promises."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.ops.contextual_attention import contextual_attention
from tests.compiled import compiled


def nearest(length: int) -> np.ndarray:
    """Which of `length` pixels stand for half as many."""
    return np.floor(np.arange(length // 2) * (length - 1) / max(length // 2 - 1, 1) + 0.5).astype(int)


def patches(image: np.ndarray, size: int, stride: int) -> np.ndarray:
    """(rows * columns, size, size, C), one around or behind each pixel at the stride."""
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    rows, columns = image.shape[0] // stride, image.shape[1] // stride
    return np.stack([padded[stride * i :, stride * j :][:size, :size] for i in range(rows) for j in range(columns)])


def one_by_one(image: np.ndarray, missing: np.ndarray, scale: float) -> np.ndarray:
    rows, columns = (n // 2 for n in image.shape[:2])
    few, hole = (x[nearest(x.shape[0])][:, nearest(x.shape[1])] for x in (image, missing))
    small = patches(few, 3, 1).reshape(rows * columns, -1)
    known = patches(hole, 3, 1).reshape(rows * columns, -1).sum(1) == 0
    likeness = small @ (small / np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-4)).T

    def fused(x):
        padded = np.pad(x, 1)
        return padded[:-2, :-2] + x + padded[2:, 2:]

    by_column = np.arange(rows * columns).reshape(rows, columns).T.ravel()
    likeness = fused(fused(likeness)[by_column][:, by_column])
    likeness = likeness[np.argsort(by_column)][:, np.argsort(by_column)] * known
    weights = np.exp(scale * (likeness - likeness.max(1, keepdims=True)))
    weights = weights / weights.sum(1, keepdims=True) * known
    large = patches(image, 4, 2)
    result = np.zeros((image.shape[0] + 2, image.shape[1] + 2, image.shape[2]))
    for p, weight in enumerate(weights):
        i, j = 2 * (p // columns), 2 * (p % columns)
        result[i : i + 4, j : j + 4] += np.tensordot(weight, large, 1) / 4
    return result[1:-1, 1:-1]


@pytest.mark.parametrize("size", [(10, 14), (8, 6), (2, 4)])
def test_equals_the_patches_one_by_one(size):
    random = np.random.default_rng(0)
    images = np.maximum(random.standard_normal((2, *size, 3)), 0.0).astype(np.float32)  # with zeros, as behind a ReLU
    missing = np.zeros((2, *size, 1), bool)
    missing[0, 2:5, 3:6] = missing[1, :1, :1] = True
    found = compiled(contextual_attention, static_argnames="scale")(images, missing, scale=0.7)
    expected = np.stack([one_by_one(image.astype(float), hole, 0.7) for image, hole in zip(images, missing, strict=True)])
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_a_hole_is_filled_from_the_known_region_alone():
    random = np.random.default_rng(1)
    image = random.random((1, 12, 12, 4), np.float32)
    missing = np.zeros((1, 12, 12, 1), bool)
    missing[:, 4:8, 4:8] = True
    weigh = jnp.asarray(random.standard_normal((1, 12, 12, 4)), jnp.float32)

    def pasted(values):
        # Likeness may look into the hole; what is pasted may not. Constant likeness leaves only the pasting.
        return jnp.sum(contextual_attention(values, missing, scale=0.0) * weigh)

    gradient = compiled(jax.grad(pasted))(image)[0]
    assert not gradient[4:8, 4:8].any()
    assert gradient[0, 0].any()


def test_without_known_patches_nothing_is_pasted():
    image = np.ones((1, 4, 4, 2), np.float32)
    np.testing.assert_array_equal(contextual_attention(image, np.ones((1, 4, 4, 1), bool)), 0.0)


def test_gradient_is_finite_where_features_are_zero():
    missing = np.zeros((1, 6, 6, 1), bool)
    gradient = compiled(jax.grad(lambda x: jnp.sum(contextual_attention(x, missing))))(jnp.zeros((1, 6, 6, 2)))
    assert np.isfinite(gradient).all()


def test_bad_input_is_said():
    with pytest.raises(InputError, match="5x6: contextual attention needs even sides"):
        contextual_attention(np.zeros((1, 5, 6, 2), np.float32), np.zeros((1, 5, 6, 1), bool))
    with pytest.raises(InputError, match=r"missing has the shape \(1, 4, 4, 1\): it must be \(1, 6, 6, 1\)"):
        contextual_attention(np.zeros((1, 6, 6, 2), np.float32), np.zeros((1, 4, 4, 1), bool))
