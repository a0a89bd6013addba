"""Variational inference: Gaussian latents, their divergences, and the bound that is maximised."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.losses.comparison import PerImage, as_single
from jaxrestore.ops.checks import check_range
from jaxrestore.typing import Key

Latent = Float[Array | np.ndarray, "..."]
"""Of any shape: (N, D) vectors or (N, h, w, c) maps."""


def gaussian_divergence(
    mean: Latent, log_variance: Latent, prior_mean: Latent | None = None, prior_log_variance: Latent | None = None
) -> Array:
    """The Kullback-Leibler divergence KL(q || p) of Gaussians with diagonal covariance, element by element.

    Args:
      mean: of q, any shape.
      log_variance: of q, the logarithm of its variance, the same shape.
      prior_mean: of p; None for zeros.
      prior_log_variance: of p; None for zeros, the variance one.

    Returns:
      Of the shape of `mean`, >= 0, float32 or wider. The divergence of a latent is the sum over its elements.

    Raises:
      InputError: the shapes differ.

    Reference: Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014, appendix B; with a learnt prior Sohn, Lee and Yan,
      "Learning Structured Output Representation using Deep Conditional Generative Models", NeurIPS 2015.
    """
    given = [x for x in (mean, log_variance, prior_mean, prior_log_variance) if x is not None]
    if len({x.shape for x in given}) > 1:
        raise InputError(f"the parts of the Gaussians have the shapes {', '.join(str(x.shape) for x in given)}: they must be equal")
    mean, log_variance = as_single(mean), as_single(log_variance)
    distance = mean if prior_mean is None else mean - as_single(prior_mean)
    if prior_log_variance is None:
        # exp(v) - 1 - v without the loss of digits near v = 0.
        return 0.5 * (jnp.square(distance) + jnp.expm1(log_variance) - log_variance)
    prior_log_variance = as_single(prior_log_variance)
    ratio = log_variance - prior_log_variance
    return 0.5 * (jnp.square(distance) * jnp.exp(-prior_log_variance) + jnp.expm1(ratio) - ratio)


def reparameterise(mean: Latent, log_variance: Latent, noise: Latent) -> Array:
    """A sample of a Gaussian as a function of its parameters, through which gradients flow: mean + exp(log_variance / 2) * noise.

    Args:
      mean: any shape.
      log_variance: logarithm of the variance, the same shape.
      noise: standard normal, the same shape.

    Raises:
      InputError: the shapes differ.

    Reference: Kingma and Welling 2014, section 2.4.
    """
    if not mean.shape == log_variance.shape == noise.shape:
        raise InputError(f"mean {mean.shape}, log_variance {log_variance.shape} and noise {noise.shape} differ in shape")
    return as_single(mean) + jnp.exp(0.5 * as_single(log_variance)) * as_single(noise)


def sample_gaussian(key: Key, mean: Latent, log_variance: Latent) -> Array:
    """`reparameterise` with noise from a random key."""
    mean = as_single(mean)
    return reparameterise(mean, log_variance, jax.random.normal(key, mean.shape, mean.dtype))


def negative_elbo(negative_log_likelihood: Float[Array | np.ndarray, "*batch"], divergence: Latent, beta: float = 1.0) -> PerImage:
    """The negative evidence lower bound: -log p(x | z) + beta * KL(q(z | x) || p(z)).

    Args:
      negative_log_likelihood: (...,), for each image the sum over its elements, not the mean.
      divergence: (..., and any axes of the latent), element by element, as `gaussian_divergence` gives it.
      beta: weight of the divergence, >= 0; the bound is one only at 1.

    Returns:
      (...,): one value in nats for each image.

    Raises:
      InputError: beta is negative, or the batches differ.

    Reference: Kingma and Welling 2014, equation 3; beta is that of Higgins et al., "beta-VAE", ICLR 2017.
    """
    check_range("beta", beta, low=0)
    batch = negative_log_likelihood.shape
    if divergence.shape[: len(batch)] != batch:
        raise InputError(f"negative_log_likelihood {batch} and divergence {divergence.shape} are not of one batch")
    total = jnp.sum(as_single(divergence), tuple(range(len(batch), divergence.ndim)))
    return as_single(negative_log_likelihood) + beta * total
