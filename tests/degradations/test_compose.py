"""Composition: order, keys, probabilities."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.degradations import blind, chain, choice
from jaxrestore.degradations.noise import gaussian, salt_and_pepper
from jaxrestore.errors import InputError
from tests.compiled import compiled

KEY = jax.random.key(5)
IMAGE = jnp.full((6, 5, 1), 0.25)


def double(key, image):
    return 2.0 * image


def add_one(key, image):
    return image + 1.0


def draw(key, image):
    return jnp.full_like(image, jax.random.uniform(key))


def test_chain_goes_from_left_to_right():
    np.testing.assert_allclose(chain(double, add_one)(KEY, IMAGE), 1.5)
    np.testing.assert_allclose(chain(add_one, double)(KEY, IMAGE), 2.5)
    np.testing.assert_array_equal(chain()(KEY, IMAGE), IMAGE)


def test_chain_gives_each_part_its_own_key():
    for position in (0, 1):
        parts = [double, double]
        parts[position] = draw
        expected = draw(jax.random.fold_in(KEY, position), IMAGE) * (2.0 if position == 0 else 1.0)
        np.testing.assert_allclose(chain(*parts)(KEY, IMAGE), expected, rtol=1e-6)


def test_choice_has_its_probabilities():
    images = jnp.full((4000, 1, 1, 1), 0.25)
    chosen = np.asarray(compiled(choice((double, add_one, draw), (1, 2, 5)))(KEY, images)).ravel()
    for value, probability in ((0.5, 1 / 8), (1.25, 2 / 8)):
        assert abs(np.mean(chosen == value) - probability) < 5 * math.sqrt(probability * (1 - probability) / 4000)
    even = np.asarray(compiled(choice((double, add_one)))(KEY, images)).ravel()
    assert abs(np.mean(even == 0.5) - 0.5) < 5 * 0.5 / math.sqrt(4000)


def test_blind_draws_every_level_by_itself():
    images = jnp.full((300, 16, 16, 1), 0.5)
    noisy = np.asarray(compiled(blind(salt_and_pepper, rate=(0.2, 0.8), salt=(0.0, 1.0)))(KEY, images))
    rate = np.mean(noisy != 0.5, axis=(1, 2, 3))
    salt = np.mean(noisy == 1.0, axis=(1, 2, 3)) / rate
    assert abs(rate.mean() - 0.5) < 5 * (0.6 / math.sqrt(12)) / math.sqrt(300)
    assert abs(salt.mean() - 0.5) < 5 * (1.1 / math.sqrt(12)) / math.sqrt(300)
    assert abs(np.corrcoef(rate, salt)[0, 1]) < 5 / math.sqrt(300)


def test_bad_arguments():
    with pytest.raises(InputError, match="2 degradations and 1 probabilities"):
        choice((double, add_one), (1.0,))
    with pytest.raises(InputError, match="probabilities is -1"):
        choice((double, add_one), (2.0, -1.0))
    with pytest.raises(InputError, match="all 0"):
        choice((double,), (0.0,))
    with pytest.raises(InputError, match="0 degradations"):
        choice(())
    with pytest.raises(InputError, match=r"sigma is 5\.\.2"):
        blind(gaussian, sigma=(5, 2))
