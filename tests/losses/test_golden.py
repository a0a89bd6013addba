"""Every value of the golden vectors against the loss that it belongs to."""

from collections.abc import Callable, Mapping

import jax.numpy as jnp
import numpy as np
import pytest

from jaxrestore import losses
from jaxrestore.losses import GAMES
from tests.parity.golden import Golden
from tests.shared import needs_parity

GOLDEN = Golden("ops/losses")
INPUTS = {"pred", "target", "d_real", "d_fake", "mu", "logvar", "eps", "feat_real", "feat_fake"}


def image_loss(loss: Callable, **arguments: float) -> Callable:
    return lambda t: loss(nhwc(t["pred"]), nhwc(t["target"]), **arguments)


def variation(loss: Callable, **arguments: float) -> Callable:
    """The sum over the batch, as the references give it."""

    def value(t: Mapping[str, np.ndarray]) -> jnp.ndarray:
        image = nhwc(t["pred"])
        return loss(image, **arguments) * image.size

    return value


def discriminator(name: str, factor: float = 1.0) -> Callable:
    return lambda t: factor * GAMES[name].discriminator(t["d_real"], t["d_fake"])


def generator(name: str) -> Callable:
    return lambda t: GAMES[name].generator(t["d_fake"])


def divergence(t: Mapping[str, np.ndarray]) -> jnp.ndarray:
    return losses.gaussian_divergence(t["mu"], t["logvar"])


# The mean of each is the golden value.
EXPECTED: dict[str, Callable[[Mapping[str, np.ndarray]], jnp.ndarray]] = {
    "l1": image_loss(losses.l1),
    "mse": image_loss(losses.mse),
    "charbonnier.eps1e-12": image_loss(losses.charbonnier, epsilon=1e-6),  # BasicSR's number is epsilon squared
    "charbonnier.eps1e-3": image_loss(losses.charbonnier),
    "huber": image_loss(losses.huber),
    "psnr_loss": image_loss(losses.psnr_loss),
    "tv_dip": variation(losses.power_total_variation, beta=0.5),
    "tv_aniso": variation(losses.total_variation),
    # pix2pix and CycleGAN halve the discriminator's loss, and so does the golden of both relativistic games.
    "gan.vanilla.d": discriminator("vanilla", 0.5),
    "gan.vanilla.g": generator("vanilla"),
    "gan.lsgan.d": discriminator("least_squares", 0.5),
    "gan.lsgan.g": generator("least_squares"),
    "gan.hinge.d": discriminator("hinge"),
    "gan.hinge.g": generator("hinge"),
    "gan.wgan.d": discriminator("wasserstein"),
    "gan.ragan.d": discriminator("relativistic_average", 0.5),
    "gan.ralsgan.d": discriminator("relativistic_average_least_squares", 0.5),
    "vae.z": lambda t: losses.reparameterise(t["mu"], t["logvar"], t["eps"]),
    "vae.kl_sum_mean": lambda t: losses.negative_elbo(jnp.zeros(4), divergence(t)),
    "vae.kl_mean_all": divergence,
    "cvaegan.mean_feature_matching": lambda t: losses.mean_feature_matching(t["feat_fake"], t["feat_real"]),
    "cvaegan.pairwise_feature": lambda t: losses.pairwise_feature_matching(t["feat_fake"], t["feat_real"]),
}


def nhwc(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, 1, -1)


@needs_parity
@pytest.mark.parametrize("name", EXPECTED)
def test_equals_golden(name):
    value, golden = EXPECTED[name](GOLDEN.tensors), GOLDEN.tensors[name]
    np.testing.assert_allclose(value if golden.ndim else jnp.mean(value), golden, rtol=1e-6 if golden.ndim == 0 else 1e-5, atol=1e-6)


@needs_parity
def test_every_golden_is_compared():
    assert INPUTS | set(EXPECTED) == set(GOLDEN.tensors)
    assert not INPUTS & set(EXPECTED)
