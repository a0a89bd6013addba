"""Adversarial games: what a discriminator and a generator minimise against each other.

A discriminator's scores are logits (...), of any shape behind the batch axis: (N,), (N, 1) or a map (N, h, w, 1). Its loss is the sum of
a term for real and a term for restored images; authors who halve it (pix2pix, CycleGAN, SN-PatchGAN) put 0.5 before it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from jaxrestore.errors import InputError
from jaxrestore.losses.comparison import as_single

Scores = Float[Array | np.ndarray, "..."]
"""(N, ...): a discriminator's logits; large means real."""

PerScore = Float[Array, " batch"]
"""(N,): the mean over an image's scores."""

Transform = Callable[[jax.Array], jax.Array]


@dataclass(frozen=True)
class Game:
    """The two losses of an adversarial game, as functions of scores.

    Attributes:
      real: what the discriminator minimises on real images.
      fake: what it minimises on made ones.
      made: what the generator minimises on its own images.
      relative: scores are taken relative to the mean score of the other kind in the batch, and the generator also minimises the
        discriminator's `fake` on real images.
    """

    real: Transform
    fake: Transform
    made: Transform
    relative: bool = False

    def discriminator(self, real: Scores, fake: Scores, axis: str | None = None) -> PerScore:
        """What the discriminator minimises.

        Args:
          real: (N, ...), scores of real images.
          fake: (N, ...), scores of as many made ones, through which no gradient needs to reach the generator.
          axis: name of the mapped axis over which the batch is split, if it is: relative games take their means over it.

        Returns:
          (N,): one value for each pair.

        Raises:
          InputError: the shapes differ.
        """
        real, fake = self._scores(real, fake, axis)
        return _each(self.real(real)) + _each(self.fake(fake))

    def generator(self, fake: Scores, real: Scores | None = None, axis: str | None = None) -> PerScore:
        """What the generator minimises.

        Args:
          fake: (N, ...), scores of its images.
          real: (N, ...), scores of real ones; only relative games need them.
          axis: as for `discriminator`.

        Returns:
          (N,): one value for each image.

        Raises:
          InputError: a relative game without scores of real images, or the shapes differ.
        """
        if not self.relative:
            return _each(self.made(as_single(fake)))
        if real is None:
            raise InputError("real is missing: in a relativistic game the generator's loss needs the scores of real images too")
        real, fake = self._scores(real, fake, axis)
        return _each(self.made(fake)) + _each(self.fake(real))

    def _scores(self, real: Scores, fake: Scores, axis: str | None) -> tuple[jax.Array, jax.Array]:
        if real.shape != fake.shape:
            raise InputError(f"the scores real {real.shape} and fake {fake.shape} differ in shape")
        real, fake = as_single(real), as_single(fake)
        if not self.relative:
            return real, fake
        means = jnp.mean(real), jnp.mean(fake)
        mean_real, mean_fake = means if axis is None else lax.pmean(means, axis)
        return real - mean_fake, fake - mean_real


def _each(values: jax.Array) -> jax.Array:
    return jnp.mean(values.reshape(values.shape[0], -1), 1)


def _is_real(scores: jax.Array) -> jax.Array:
    return jax.nn.softplus(-scores)  # -log sigmoid(scores)


def _is_fake(scores: jax.Array) -> jax.Array:
    return jax.nn.softplus(scores)  # -log(1 - sigmoid(scores))


def _near_one(scores: jax.Array) -> jax.Array:
    return jnp.square(scores - 1.0)


_non_saturating = Game(real=_is_real, fake=_is_fake, made=_is_real)

GAMES: Mapping[str, Game] = MappingProxyType(
    {
        # Goodfellow et al., NeurIPS 2014, equation 1. The generator's gradient vanishes where it is found out.
        "minimax": Game(real=_is_real, fake=_is_fake, made=lambda scores: -_is_fake(scores)),
        # Goodfellow et al. 2014, end of section 3: what pix2pix, SRGAN and BasicSR train with and call "vanilla".
        "vanilla": _non_saturating,
        "non_saturating": _non_saturating,
        # Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017, equation 9.
        "least_squares": Game(real=_near_one, fake=jnp.square, made=_near_one),
        # Lim and Ye, "Geometric GAN", 2017; Miyato et al., "Spectral Normalization for GANs", ICLR 2018, equations 16 and 17.
        "hinge": Game(real=lambda s: jax.nn.relu(1.0 - s), fake=lambda s: jax.nn.relu(1.0 + s), made=jnp.negative),
        # Jolicoeur-Martineau, "The relativistic discriminator", ICLR 2019, section 4.2: ESRGAN's game, and with squares DeblurGAN-v2's.
        "relativistic_average": Game(real=_is_real, fake=_is_fake, made=_is_real, relative=True),
        "relativistic_average_least_squares": Game(
            real=_near_one, fake=lambda scores: jnp.square(scores + 1.0), made=_near_one, relative=True
        ),
        # Arjovsky, Chintala and Bottou, "Wasserstein GAN", ICML 2017, equation 2; it needs a critic held Lipschitz (`penalties`).
        "wasserstein": Game(real=jnp.negative, fake=lambda scores: scores, made=jnp.negative),
    }
)
"""name -> game."""
