"""Spectral normalisation against NumPy's singular values and the algorithm written out."""

import flax.linen as nn
import flax.traverse_util
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore.errors import InputError
from jaxrestore.nn.conv import Conv, ConvTranspose
from jaxrestore.nn.initialise import initialise
from jaxrestore.nn.spectral_norm import SpectralNorm

IMAGE = jax.random.normal(jax.random.key(1), (1, 6, 7, 3))
KEY = jax.random.key(0)


class Discriminator(nn.Module):
    @nn.compact
    def __call__(self, x, train=False):
        x = SpectralNorm(Conv(5, name="conv_0"))(x, train=train)
        x = nn.leaky_relu(x, 0.2)
        return SpectralNorm(ConvTranspose(4, 4, 2, 1, name="conv_1"))(x, train=train)


LAYERS = {"conv": Conv(5), "strided": Conv(5, 4, 2, 1, use_bias=False), "transposed": ConvTranspose(4, 4, 2, 1)}


def matrix(params) -> np.ndarray:
    if "kernel" in params:
        return np.asarray(params["kernel"]).transpose(3, 2, 0, 1).reshape(params["kernel"].shape[-1], -1)
    return np.asarray(params["kernel_transposed"])[::-1, ::-1].transpose(3, 2, 0, 1).reshape(params["kernel_transposed"].shape[-1], -1)


@pytest.mark.parametrize("name", LAYERS)
def test_one_step_of_power_iteration_and_its_use(name):
    layer = LAYERS[name]
    model = SpectralNorm(layer)
    variables = initialise(model, KEY, IMAGE)
    params, old = variables["params"]["layer"], variables["batch_stats"]["layer"]
    np.testing.assert_allclose([np.linalg.norm(old["u"]), np.linalg.norm(old["v"])], 1.0, rtol=1e-6)
    result, new = model.apply(variables, IMAGE, train=True, mutable="batch_stats")
    w = matrix(params)
    v = w.T @ old["u"] / np.linalg.norm(w.T @ old["u"])
    u = w @ v / np.linalg.norm(w @ v)
    np.testing.assert_allclose(new["batch_stats"]["layer"]["u"], u, atol=1e-6)
    np.testing.assert_allclose(new["batch_stats"]["layer"]["v"], v, atol=1e-6)
    kernel = next(k for k in params if k.startswith("kernel"))
    expected = layer.apply({"params": {**params, kernel: params[kernel] / (u @ w @ v)}}, IMAGE)
    np.testing.assert_allclose(result, expected, atol=1e-5)
    # Without training the kept vectors are used as they are.
    kept = model.apply({"params": variables["params"], **new}, IMAGE)
    np.testing.assert_allclose(kept, expected, atol=1e-5)


def test_many_steps_find_the_largest_singular_value():
    model = SpectralNorm(Conv(5, use_bias=False), iterations=60)
    variables = initialise(model, KEY, IMAGE)
    result, _ = model.apply(variables, IMAGE, train=True, mutable="batch_stats")
    largest = np.linalg.svd(matrix(variables["params"]["layer"]), compute_uv=False)[0]
    plain = Conv(5, use_bias=False).apply({"params": variables["params"]["layer"]}, IMAGE)
    np.testing.assert_allclose(result, plain / largest, rtol=1e-4, atol=1e-5)


def test_gradient_does_not_flow_through_the_vectors():
    """With W / s and s = u W v of fixed u and v, the derivative in the direction of W itself is zero."""
    model = SpectralNorm(Conv(5, use_bias=False))
    variables = initialise(model, KEY, IMAGE)

    def mixture(params):
        result, _ = model.apply({**variables, "params": params}, IMAGE, train=True, mutable="batch_stats")
        return jnp.sum(jnp.sin(result))

    gradient = jax.grad(mixture)(variables["params"])["layer"]["kernel"]
    kernel = variables["params"]["layer"]["kernel"]
    w, old = matrix({"kernel": kernel}), variables["batch_stats"]["layer"]
    v = w.T @ old["u"] / np.linalg.norm(w.T @ old["u"])
    u = w @ v / np.linalg.norm(w @ v)
    outer = jnp.asarray((u[:, None] * v[None]).reshape(5, 3, 3, 3).transpose(2, 3, 1, 0))

    def fixed(kernel):
        scaled = kernel / jnp.sum(kernel * outer)
        return jnp.sum(jnp.sin(Conv(5, use_bias=False).apply({"params": {"kernel": scaled}}, IMAGE)))

    np.testing.assert_allclose(gradient, jax.grad(fixed)(kernel), atol=1e-4)
    assert float(jnp.abs(gradient).max()) > 1e-2


def test_variables_lie_beside_those_of_the_layer():
    variables = initialise(Discriminator(), KEY, IMAGE)
    paths = {"/".join(path) for path in flax.traverse_util.flatten_dict(variables)}
    layers = {f"params/conv_0/{leaf}" for leaf in ("kernel", "bias")} | {f"params/conv_1/{leaf}" for leaf in ("kernel_transposed", "bias")}
    assert paths == layers | {f"batch_stats/conv_{i}/{leaf}" for i in (0, 1) for leaf in "uv"}
    assert jax.tree.map(jnp.shape, jax.eval_shape(Discriminator().init, KEY, IMAGE)) == jax.tree.map(jnp.shape, variables)
    step = jax.jit(lambda v: Discriminator().apply(v, IMAGE, train=True, mutable="batch_stats"))
    for _ in range(20):
        result, new = step(variables)
        variables = {**variables, **new}
    w, stats = matrix(variables["params"]["conv_1"]), variables["batch_stats"]["conv_1"]
    np.testing.assert_allclose(stats["u"] @ w @ stats["v"], np.linalg.svd(w, compute_uv=False)[0], rtol=0.02)
    assert result.shape == (1, 12, 14, 4)


def test_an_estimate_without_v_takes_a_step_at_every_call():
    model = SpectralNorm(Conv(5), keeps_v=False)
    variables = initialise(model, KEY, IMAGE)
    params, old = variables["params"]["layer"], variables["batch_stats"]["layer"]
    assert set(old) == {"u"}
    w = matrix(params)
    v = w.T @ old["u"] / np.linalg.norm(w.T @ old["u"])
    u = w @ v / np.linalg.norm(w @ v)
    expected = Conv(5).apply({"params": {**params, "kernel": params["kernel"] / (u @ w @ v)}}, IMAGE)
    np.testing.assert_allclose(model.apply(variables, IMAGE), expected, atol=1e-5)
    result, new = model.apply(variables, IMAGE, train=True, mutable="batch_stats")
    np.testing.assert_allclose(result, expected, atol=1e-5)
    np.testing.assert_allclose(new["batch_stats"]["layer"]["u"], u, atol=1e-6)


def test_bfloat16_keeps_float32_vectors():
    model = SpectralNorm(Conv(5, dtype=jnp.bfloat16))
    variables = initialise(model, KEY, IMAGE)
    result, new = model.apply(variables, IMAGE, train=True, mutable="batch_stats")
    assert result.dtype == jnp.bfloat16
    assert new["batch_stats"]["layer"]["u"].dtype == jnp.float32


def test_no_iterations_are_refused():
    with pytest.raises(InputError, match="iterations is 0"):
        initialise(SpectralNorm(Conv(5), iterations=0), KEY, IMAGE)
