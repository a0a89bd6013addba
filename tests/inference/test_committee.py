"""Several networks at once: their mean and spread, and what they must have in common."""

import jax
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.inference import Restorer
from jaxrestore.inference.committee import mean_and_spread
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.nn.initialise import initialise
from tests.inference.networks import Gain, Identity, random_restorer


def test_mean_and_spread_are_numpys():
    results = np.random.default_rng(0).normal(3.0, 2.0, (5, 2, 3, 4, 1)).astype(np.float32)
    mean, spread = mean_and_spread(iter(results))
    np.testing.assert_allclose(mean, results.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(spread, results.std(axis=0), rtol=1e-5)


@pytest.mark.parametrize(("shape", "ensemble"), [((5, 6), True), ((2, 5, 6, 3), False)])
def test_restored_is_the_mean_of_the_members(shape, ensemble):
    model = DnCNN(depth=3, features=4)
    variables = [initialise(model, jax.random.key(n), np.zeros((1, 8, 8, 1), np.float32)) for n in range(3)]
    image = np.random.default_rng(0).random(shape, np.float32)
    each = np.stack([Restorer(model, one, ensemble=ensemble)(image) for one in variables])
    together = Restorer([model] * 3, variables, ensemble=ensemble)
    restored, spread = together.with_spread(image)
    np.testing.assert_allclose(restored, each.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(spread, each.std(axis=0), atol=1e-6)
    assert restored.shape == spread.shape == shape
    assert spread.max() > 1e-3
    np.testing.assert_array_equal(together(image), restored)
    np.testing.assert_array_equal(Restorer(model, variables, ensemble=ensemble)(image), restored)


def test_rounds_once_and_averages_a_method_too():
    image = np.full((4, 4, 3), 101, np.uint8)
    restored, spread = Restorer([Gain((0.5, 1.0, 2.0)), "median"], [{}, None]).with_spread(image)
    np.testing.assert_array_equal(restored[0, 0], [76, 101, 152])  # 75.75, 101, 151.5
    np.testing.assert_allclose(spread[0, 0], np.array([25.25, 0, 50.5]) / 255, atol=1e-7)
    assert spread.dtype == np.float32


def test_refusals():
    with pytest.raises(InputError, match="Identity and Identity cannot be averaged: their scale are 1 and 2"):
        Restorer([Identity(), Identity(scale=2)], {})
    with pytest.raises(InputError, match="2 models and 3 weights"):
        Restorer([Identity(), Identity()], [{}, {}, {}])
    with pytest.raises(InputError, match="0 models"):
        Restorer([])
    with pytest.raises(InputError, match="is alone"):
        random_restorer().with_spread(np.zeros((2, 2), np.uint8))
