"""Features of made images that match those of real ones: of the whole batch on average, or pair by pair.

Features are what a layer of a discriminator or classifier gives, (N, ...).
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.losses.comparison import difference

Features = Float[Array | np.ndarray, "..."]
"""(N, ...): a layer's output for each image of a batch."""


def mean_feature_matching(fake: Features, real: Features) -> Float[Array, ""]:
    """|E f(fake) - E f(real)|^2 / 2, expectations over the batch and the sum over the features.

    Args:
      fake: (N, ...), features of made images.
      real: (N, ...), features of real ones; fake[k] and real[k] need not belong together.

    Returns:
      One value for the batch: it is the batch that matches. For one class at a time give the images of that class.

    Raises:
      InputError: the shapes differ.

    Reference: Salimans et al., "Improved Techniques for Training GANs", NeurIPS 2016, section 3.1; Bao et al., "CVAE-GAN: Fine-Grained
      Image Generation through Asymmetric Training", ICCV 2017, equations 3 and 5.
    """
    return 0.5 * jnp.sum(jnp.square(jnp.mean(difference(fake, real), 0)))


def pairwise_feature_matching(fake: Features, real: Features) -> Float[Array, " batch"]:
    """|f(fake) - f(real)|^2 / 2, the sum over the features.

    Args:
      fake: (N, ...), features of made images.
      real: (N, ...), features of the real images they were made from.

    Returns:
      (N,): one value for each pair.

    Raises:
      InputError: the shapes differ.

    Reference: Bao et al. 2017, equation 6.
    """
    squares = jnp.square(difference(fake, real))
    return 0.5 * jnp.sum(squares.reshape(squares.shape[0], -1), 1)
