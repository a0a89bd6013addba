"""Activations by name against SciPy and hand arithmetic."""

import numpy as np
import pytest
from scipy.special import erf, expit

from jaxrestore.errors import InputError
from jaxrestore.nn.activation import ACTIVATIONS, activation

X = np.linspace(-3, 3, 13).astype(np.float32)
EXPECTED = {
    "gelu": X * 0.5 * (1 + erf(X / np.sqrt(2))),
    "leaky_relu": np.where(X < 0, 0.01 * X, X),
    "relu": np.maximum(X, 0),
    "sigmoid": expit(X),
    "silu": X * expit(X),
    "tanh": np.tanh(X),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_is_the_function_of_its_name(name):
    np.testing.assert_allclose(activation(name)(X), EXPECTED[name], atol=2e-6)


def test_slope_belongs_to_leaky_relu():
    np.testing.assert_allclose(activation("leaky_relu", slope=0.2)(X), np.where(X < 0, 0.2 * X, X), rtol=1e-6)


def test_unknown_name_is_said():
    with pytest.raises(InputError, match="leaky_relu"):
        activation("step")
