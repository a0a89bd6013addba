"""Penalties on a discriminator's gradient with respect to its images.

A discriminator is a function from images (N, H, W, C) to scores (N, ...). An image's scores must not depend on the other images: no
normalisation over the batch.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.losses.comparison import as_single, check_same_shape, power
from jaxrestore.typing import Key

Batch = Float[Array | np.ndarray, "_ _ _ _"]
"""(N, H, W, C)."""

Discriminator = Callable[[Array], Float[Array, "..."]]
"""images (N, H, W, C) -> scores (N, ...)."""


def gradient_penalty(discriminator: Discriminator, key: Key, real: Batch, fake: Batch) -> Float[Array, " batch"]:
    """(|gradient| - 1)^2 at a random point between each real and made image, which holds a Wasserstein critic Lipschitz.

    Args:
      discriminator: the critic; of several scores of an image the sum is differentiated.
      key: random key; every pair gets a point of its own.
      real: (N, H, W, C).
      fake: (N, H, W, C), made images.

    Returns:
      (N,): one value for each pair. The paper weights it 10. Where the gradient is zero its own derivative is taken as zero.

    Raises:
      InputError: the shapes differ.

    Reference: Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, equation 3.
    """
    check_same_shape(fake, real)
    real, fake = as_single(real), as_single(fake)
    share = jax.random.uniform(key, (real.shape[0], 1, 1, 1), real.dtype)
    return jnp.square(power(_squared_norms(discriminator, share * real + (1.0 - share) * fake), 0.5) - 1.0)


def r1(discriminator: Discriminator, real: Batch) -> Float[Array, " batch"]:
    """|gradient|^2 / 2 at real images: a discriminator that is right cannot be steep there.

    Args:
      discriminator: the discriminator; of several scores of an image the sum is differentiated.
      real: (N, H, W, C).

    Returns:
      (N,): one value for each image. The paper weights it gamma = 10.

    Reference: Mescheder, Geiger and Nowozin, "Which Training Methods for GANs do actually Converge?", ICML 2018, equation 9.
    """
    return 0.5 * _squared_norms(discriminator, as_single(real))


def _squared_norms(discriminator: Discriminator, images: jax.Array) -> jax.Array:
    gradients = jax.grad(lambda x: jnp.sum(as_single(discriminator(x))))(images)
    return jnp.sum(jnp.square(gradients), (1, 2, 3))
