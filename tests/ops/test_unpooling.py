"""Pooling and unpooling against torch's results."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.ops.unpooling import max_pool, max_pool_with_places, max_unpool
from tests.parity.golden import Golden
from tests.shared import needs_parity


def nhwc(name: str) -> np.ndarray:
    return np.moveaxis(Golden("ops/layers").tensors[name], 1, -1)


def through_the_image(places: jax.Array, width: int) -> np.ndarray:
    """Torch's way to count: row-major through the whole picture that was pooled."""
    rows, columns = np.indices(places.shape[1:3])[:, None, :, :, None]
    return (2 * rows + np.asarray(places) // 2) * width + 2 * columns + np.asarray(places) % 2


@needs_parity
@pytest.mark.parametrize(("source", "name"), [("xm", "maxpool2"), ("xo", "maxpool2.odd")])
def test_pooling_equals_torch(source, name):
    pooled, places = max_pool_with_places(nhwc(source))
    np.testing.assert_array_equal(pooled, nhwc(name))
    np.testing.assert_array_equal(through_the_image(places, nhwc(source).shape[2]), nhwc(f"{name}.indices"))
    np.testing.assert_array_equal(max_pool(nhwc(source)), nhwc(name))


@needs_parity
def test_unpooling_equals_torch():
    pooled, places = max_pool_with_places(nhwc("xm"))
    np.testing.assert_array_equal(max_unpool(pooled, places), nhwc("max_unpool2"))
    np.testing.assert_array_equal(max_unpool(nhwc("q"), places), nhwc("max_unpool2.q"))
    odd = nhwc("xo")
    np.testing.assert_array_equal(max_unpool(*max_pool_with_places(odd), size=odd.shape[1:3]), nhwc("max_unpool2.odd"))


class Properties(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True)
    def test_pooling_undoes_unpooling_of_positive_values(self):
        image = jnp.asarray(np.random.default_rng(0).uniform(0.1, 1.0, (2, 3, 6, 9, 2)), jnp.float32)
        pooled, places = self.variant(max_pool_with_places, static_argnums=1)(image, 3)
        chex.assert_shape((pooled, places), (2, 3, 2, 3, 2))
        again = max_pool_with_places(max_unpool(pooled, places, 3), 3)
        chex.assert_trees_all_equal(again, (pooled, places))

    def test_gradients_go_where_the_values_come_from(self):
        image = jax.random.permutation(jax.random.key(0), jnp.arange(24.0)).reshape(1, 4, 6, 1)
        gradient = jax.grad(lambda x: jnp.sum(max_pool(x)))(image)
        pooled, places = max_pool_with_places(image)
        np.testing.assert_array_equal(gradient, max_unpool(jnp.ones_like(pooled), places))
        weights = jnp.arange(24.0).reshape(1, 4, 6, 1)
        back = jax.grad(lambda v: jnp.sum(weights * max_unpool(v, places)))(pooled)
        np.testing.assert_array_equal(back, weights.reshape(-1)[through_the_image(places, 6)])

    def test_equal_maxima_take_the_first_and_nan_is_not_hidden(self):
        flat = jnp.zeros((1, 2, 2, 1))
        assert int(max_pool_with_places(flat)[1][0, 0, 0, 0]) == 0
        np.testing.assert_array_equal(jax.grad(lambda x: jnp.sum(max_pool(x)))(flat).ravel(), [1, 0, 0, 0])
        one_nan = np.where(np.eye(4), np.nan, 0.0).astype(np.float32).reshape(4, 2, 2, 1)
        assert jnp.isnan(max_pool(one_nan)).all()


def test_bad_input_is_said():
    with pytest.raises(InputError, match="cannot be pooled"):
        max_pool(jnp.zeros((1, 1, 4, 1)))
    pooled, places = max_pool_with_places(jnp.zeros((1, 4, 4, 1)))
    with pytest.raises(InputError, match="differ in shape"):
        max_unpool(pooled[:, :1], places)
    with pytest.raises(InputError, match="does not pool"):
        max_unpool(pooled, places, size=(7, 4))
