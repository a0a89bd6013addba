"""Latents and likelihoods against SciPy's distributions, sums over all levels, and a mixture written as the paper writes it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit, logsumexp

from jaxrestore import losses
from jaxrestore.errors import InputError
from tests.losses.numerical import assert_gradient

GENERATOR = np.random.default_rng(0)
COMPONENTS = 4


def normal(*shape: int) -> np.ndarray:
    return GENERATOR.standard_normal(shape)


def test_divergence_is_the_integral_of_its_definition():
    mean, log_variance, prior_mean, prior_log_variance = 0.3, -0.7, -0.4, 0.5
    q, p = stats.norm(mean, np.exp(log_variance / 2)), stats.norm(prior_mean, np.exp(prior_log_variance / 2))
    with jax.enable_x64(True):
        array = lambda x: jnp.full((2, 3), x)  # noqa: E731
        ours = losses.gaussian_divergence(array(mean), array(log_variance), array(prior_mean), array(prior_log_variance))
        standard = losses.gaussian_divergence(array(mean), array(log_variance))
    np.testing.assert_allclose(ours, integrate.quad(lambda x: q.pdf(x) * (q.logpdf(x) - p.logpdf(x)), -9, 9)[0], rtol=1e-9)
    expected = integrate.quad(lambda x: q.pdf(x) * (q.logpdf(x) - stats.norm.logpdf(x)), -9, 9)[0]
    np.testing.assert_allclose(standard, expected, rtol=1e-9)
    assert standard.shape == (2, 3)


def test_divergence_of_equal_gaussians_is_zero_and_never_negative():
    x = normal(64).astype(np.float32)
    np.testing.assert_array_equal(losses.gaussian_divergence(x, x, x, x), 0.0)
    small = (1e-4 * x).astype(np.float32)
    assert (losses.gaussian_divergence(small, small) >= 0).all()
    assert losses.gaussian_divergence(jnp.zeros(3, jnp.bfloat16), jnp.zeros(3, jnp.bfloat16)).dtype == jnp.float32


def test_derivatives_of_the_divergence():
    assert_gradient(lambda x: losses.gaussian_divergence(*x), normal(4, 5))
    assert_gradient(lambda x: losses.gaussian_divergence(x[0], x[1]), normal(2, 5))
    assert_gradient(lambda x: losses.reparameterise(x[0], x[1], jnp.arange(5.0)), normal(2, 5))


def test_samples_have_the_gaussians_moments():
    mean, log_variance = np.full(40000, 2.0, np.float32), np.full(40000, np.log(9.0), np.float32)
    z = losses.sample_gaussian(jax.random.key(0), mean, log_variance)
    np.testing.assert_allclose([z.mean(), z.std()], [2.0, 3.0], atol=0.05)


def test_elbo_sums_a_latent_of_any_shape():
    divergence = jnp.ones((2, 3, 4, 5))
    np.testing.assert_allclose(losses.negative_elbo(jnp.array([1.0, 2.0]), divergence, beta=0.5), [31.0, 32.0])
    np.testing.assert_allclose(losses.negative_elbo(jnp.float32(1.0), jnp.ones(7)), 8.0)


def test_gaussian_likelihood_is_scipys():
    mean, log_variance, target = normal(3, 2, 4, 5, 3)
    expected = -stats.norm.logpdf(target, mean, np.exp(log_variance / 2)).mean((1, 2, 3))
    with jax.enable_x64(True):
        np.testing.assert_allclose(losses.gaussian_likelihood(mean, log_variance, target), expected, rtol=1e-12)
    assert_gradient(lambda x: losses.gaussian_likelihood(x[0], x[1], target), np.stack([mean, log_variance]))


def mixture_by_definition(parameters: np.ndarray, image: np.ndarray, levels: int) -> np.ndarray:
    """The paper's equations 2 and 3, pixel by pixel and with differences of sigmoids."""
    result = np.empty(image.shape[:-1])
    channels = image.shape[-1]
    for place in np.ndindex(*result.shape):
        p, x = parameters[place], 2.0 * image[place] - 1.0
        logits, rest = p[:COMPONENTS], p[COMPONENTS:].reshape(channels, -1, COMPONENTS)
        total = logits - logsumexp(logits)
        for c in range(channels):
            mean, scale = rest[c, 0].copy(), np.exp(np.maximum(rest[c, 1], -7.0))
            if channels == 3:
                coefficients = np.tanh(rest[:, 2])
                mean += {0: 0.0, 1: coefficients[0] * x[0], 2: coefficients[1] * x[0] + coefficients[2] * x[1]}[c]
            half = 1.0 / (levels - 1)
            above = 1.0 if image[place][c] == 1.0 else expit((x[c] - mean + half) / scale)
            below = 0.0 if image[place][c] == 0.0 else expit((x[c] - mean - half) / scale)
            total = total + np.log(above - below)
        result[place] = -logsumexp(total)
    return result.mean((-2, -1)) / channels


@pytest.mark.parametrize(("channels", "levels"), [(3, 256), (1, 256), (3, 2), (1, 5)])
def test_logistic_mixture_by_definition(channels, levels):
    image = GENERATOR.integers(0, levels, (2, 3, 4, channels)) / (levels - 1)
    image[0, 0, 0], image[0, 0, 1] = 0.0, 1.0
    parameters = normal(2, 3, 4, COMPONENTS * {1: 3, 3: 10}[channels]) / 2
    with jax.enable_x64(True):
        ours = losses.logistic_mixture(parameters, image, levels)
    np.testing.assert_allclose(ours, mixture_by_definition(parameters, image, levels), rtol=1e-9)
    assert_gradient(lambda p: losses.logistic_mixture(p, image, levels), parameters)


def test_probabilities_of_all_levels_add_up_to_one():
    levels = 7
    image = np.broadcast_to(np.arange(levels)[:, None, None, None] / (levels - 1), (levels, 1, 1, 1))
    parameters = np.broadcast_to(2.0 * normal(1, 1, 1, 3 * COMPONENTS), (levels, 1, 1, 3 * COMPONENTS))
    with jax.enable_x64(True):
        np.testing.assert_allclose(np.exp(-losses.logistic_mixture(parameters, image, levels)).sum(), 1.0, rtol=1e-12)


def test_density_integrates_to_one():
    parameters = jnp.asarray(normal(1, 1, 12).repeat(8001, 0) - 0.5, jnp.float32)
    x = jnp.linspace(-30.0, 31.0, 8001).reshape(-1, 1, 1)
    density = np.exp(-losses.logistic_mixture(parameters[:, :, None], x[:, :, None], levels=None))
    np.testing.assert_allclose(np.trapezoid(density, x.ravel()), 1.0, atol=1e-4)


@pytest.mark.parametrize("place", [0.0, 64.0, 254.0])
def test_far_from_every_component_the_likelihood_stays_finite_and_steep(place):
    """Where a difference of float32 sigmoids would be zero and its logarithm infinite."""
    image = jnp.full((1, 1, 1, 1), place / 255)
    parameters = jnp.array([0.0, 40.0, -9.0]).reshape(1, 1, 1, 3)
    value, gradient = jax.value_and_grad(lambda p: losses.logistic_mixture(p, image)[0])(parameters)
    distance = 40.0 - (2 * place / 255 - 1) - 1 / 255
    np.testing.assert_allclose(value, distance * np.exp(7.0), rtol=1e-3)
    np.testing.assert_allclose(gradient.ravel(), [0.0, np.exp(7.0), 0.0], rtol=1e-3)


def test_bad_input_is_refused():
    image, parameters = np.zeros((1, 2, 2, 3)), np.zeros((1, 2, 2, 20))
    with pytest.raises(InputError, match="levels is 1: it must be at least 2"):
        losses.logistic_mixture(parameters, image, levels=1)
    with pytest.raises(InputError, match="2 channels: logistic mixtures are for 1 or 3"):
        losses.logistic_mixture(parameters, image[..., :2])
    with pytest.raises(InputError, match="need a multiple of 10"):
        losses.logistic_mixture(parameters[..., :18], image)
    with pytest.raises(InputError, match="differ in more than the last axis"):
        losses.logistic_mixture(parameters[:, :1], image)
    with pytest.raises(InputError, match="they must be equal"):
        losses.gaussian_divergence(np.zeros(3), np.zeros(4))
    with pytest.raises(InputError, match="differ in shape"):
        losses.reparameterise(np.zeros(3), np.zeros(4), np.zeros(3))
    with pytest.raises(InputError, match="beta is -1"):
        losses.negative_elbo(np.zeros(2), np.zeros((2, 3)), beta=-1.0)
    with pytest.raises(InputError, match="not of one batch"):
        losses.negative_elbo(np.zeros(2), np.zeros((3, 3)))
    with pytest.raises(InputError, match="differ in shape"):
        losses.gaussian_likelihood(image, image[:, :1], image)
