"""Networks whose result is known without computing it, and a small one that is not."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.inference import Restorer
from jaxrestore.models.restoration.dncnn import DnCNN
from jaxrestore.nn.conv import Conv
from jaxrestore.nn.initialise import initialise


class Identity(nn.Module):
    """Gives what it gets, each pixel repeated `scale` times."""

    channels: int = 3
    scale: int = 1

    @nn.compact
    def __call__(self, image):
        return jnp.repeat(jnp.repeat(image, self.scale, axis=1), self.scale, axis=2)


class Gain(nn.Module):
    """Multiplies each channel by its own number."""

    factors: tuple[float, ...]

    @property
    def channels(self) -> int:
        return len(self.factors)

    @nn.compact
    def __call__(self, image):
        return image * jnp.asarray(self.factors).reshape(1, 1, 1, -1)


class Brighter(nn.Module):
    """Adds the noise level that it is told."""

    channels: int = 3

    @nn.compact
    def __call__(self, image, noise_level):
        return image + self.param("gain", nn.initializers.ones, ()) * noise_level


class Averaged(nn.Module):
    """Every pixel depends on all."""

    channels: int = 1

    @nn.compact
    def __call__(self, image):
        return Conv(1, 3)(image) + jnp.mean(image, (1, 2), keepdims=True)


class Painter(nn.Module):
    """Fills holes with white."""

    channels: int = 3

    @nn.compact
    def __call__(self, image, mask):
        return jnp.where(mask, 1.0, image)


def random_restorer(model: nn.Module | None = None, **settings) -> Restorer:
    """A restorer with random weights: a small DnCNN unless a network is given."""
    model = model or DnCNN(depth=4, features=6, channels=3, unshuffle=2)
    return Restorer(model, initialise(model, jax.random.key(5), jnp.zeros((1, 8, 8, model.channels))), **settings)
