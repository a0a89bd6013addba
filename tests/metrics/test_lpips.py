"""LPIPS against its formula in NumPy, and the authors' heads."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.metrics import lpips, lpips_heads
from jaxrestore.weights.read import read
from tests.shared import SHARED, needs_testdata

HEADS = (np.array([0.5, 1.0, 2.0], np.float32), np.array([1.0, 0.0, 3.0, 0.25], np.float32))

ALEX, VGG, SQUEEZE = (64, 192, 384, 256, 256), (64, 128, 256, 512, 512), (64, 128, 256, 384, 384, 512, 512)


def features(image):
    """Two layers: the image less a half, and a quarter of its pixels with four channels, of which some vectors are zero."""
    small = image[:, ::2, ::2]
    four = jnp.concatenate([small, small[..., :1] - small[..., 1:2]], -1)
    return [image - 0.5, jnp.maximum(four - 0.7, 0.0)]


def by_numpy(a, b):
    total = 0.0
    for x, y, head in zip(features(a.astype(np.float64)), features(b.astype(np.float64)), HEADS, strict=True):
        units = []
        for layer in (x, y):
            length = np.linalg.norm(layer, axis=-1, keepdims=True)
            units.append(np.divide(layer, length, out=np.zeros_like(layer), where=length > 0))
        total = total + ((units[0] - units[1]) ** 2 @ head).mean((1, 2))
    return total


@pytest.fixture
def images() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    return tuple(random.uniform(size=(2, 8, 9, 3)).astype(np.float32) for _ in range(2))


def test_equals_the_formula(images):
    a, b = images
    np.testing.assert_allclose(lpips(a, b, features, HEADS), by_numpy(a, b), rtol=1e-5)
    np.testing.assert_allclose(lpips(a[0], b[0], features, HEADS), by_numpy(a, b)[0], rtol=1e-5)
    np.testing.assert_allclose(lpips(a, b, features, HEADS, "rgb+border1"), by_numpy(a[:, 1:-1, 1:-1], b[:, 1:-1, 1:-1]), rtol=1e-5)
    np.testing.assert_allclose(lpips(a[None], b[None], features, HEADS), by_numpy(a, b)[None], rtol=1e-5)
    assert (lpips(a, a, features, HEADS) < 1e-12).all()


def test_has_a_gradient_where_all_features_are_zero(images):
    a, b = images
    gradient = jax.grad(lambda x: jnp.sum(lpips(x, b, features, HEADS)))(jnp.asarray(a))
    assert np.isfinite(gradient).all()
    assert np.abs(gradient).max() > 0


@needs_testdata
@pytest.mark.parametrize(("name", "channels"), [("alex", ALEX), ("vgg", VGG), ("squeeze", SQUEEZE)])
def test_the_authors_heads(name, channels):
    heads = lpips_heads(read(SHARED / f"testdata/weights/lpips/{name}.pth").tensors)
    assert tuple(len(head) for head in heads) == channels
    assert all((head >= 0).all() for head in heads)  # they were trained to be so
    assert 0 < np.mean(np.concatenate(heads)) < 1


def test_what_is_refused(images):
    a, b = images
    with pytest.raises(InputError, match="its networks look at RGB"):
        lpips(a, b, features, HEADS, "luma")
    with pytest.raises(InputError, match=r"features have \[3, 4\] channels and the heads weights for \[3\]"):
        lpips(a, b, features, HEADS[:1])
    with pytest.raises(InputError, match="differ in shape"):
        lpips(a, b[:, :4], features, HEADS)
    with pytest.raises(InputError, match="no heads of LPIPS: expected tensors lin0"):
        lpips_heads({"lin1.model.1.weight": np.zeros((1, 3, 1, 1))})
    with pytest.raises(InputError, match=r"expected weights of the shape \(1, C, 1, 1\), got \(2, 3, 1, 1\)"):
        lpips_heads({"lin0.model.1.weight": np.zeros((2, 3, 1, 1))})
