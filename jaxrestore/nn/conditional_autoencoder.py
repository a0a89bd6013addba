"""An encoder and a generator with a code between them, which know the class of an image."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxrestore.errors import InputError
from jaxrestore.typing import Image, Labels, Latents


class ConditionalAutoencoder(nn.Module):
    """What restorers by a code have in common; a network adds its fields and, in `setup`, the parts `encoder` and `generator`.

    Fields that it must have: `image_size`, `channels`, `latent` (length of the code) and `classes` (number of labels, 0 without). The
    encoder takes (image, label or None, train) and gives mean and logarithm of the variance, (N, latent) each; the generator takes (code,
    label or None, train).

    Takes (N, image_size, image_size, channels) in [0, 1] and labels (N,), gives an image of the same shape in [0, 1]: from the mean of the
    code, or from a draw with `rngs={"noise": key}`.
    """

    @property
    def example_inputs(self) -> tuple[jax.ShapeDtypeStruct, ...] | None:
        """An image and its label; None, as for any network of images, without classes."""
        if not self.classes:
            return None
        shape = (1, self.image_size, self.image_size, self.channels)
        return jax.ShapeDtypeStruct(shape, jnp.float32), jax.ShapeDtypeStruct((1,), jnp.int32)

    def __call__(self, image: Image, label: Labels | None = None, train: bool = False) -> jax.Array:
        """Restore."""
        mean, log_variance = self.encode(image, label, train)
        if self.has_rng("noise"):
            mean = mean + jnp.exp(0.5 * log_variance) * jax.random.normal(self.make_rng("noise"), mean.shape)
        return self.generate(mean, label, train).astype(image.dtype)

    def encode(self, image: Image, label: Labels | None = None, train: bool = False) -> tuple[jax.Array, jax.Array]:
        """Mean and logarithm of the variance of an image's code, (N, latent) each."""
        if image.shape[1:] != (self.image_size, self.image_size, self.channels):
            raise InputError(f"image has the shape {image.shape[1:]}: it must be {(self.image_size, self.image_size, self.channels)}")
        return self.encoder(image, self._checked(label, len(image)), train)

    def generate(self, z: Latents, label: Labels | None = None, train: bool = False) -> jax.Array:
        """An image from a code (N, latent)."""
        return self.generator(z, self._checked(label, len(z)), train)

    def both(
        self, image: Image, noise: Latents, prior: Latents, label: Labels | None = None, train: bool = True
    ) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
        """What training looks at: (restored from mean + deviation * noise, made from prior, mean, logarithm of the variance)."""
        mean, log_variance = self.encode(image, label, train)
        restored = self.generate(mean + jnp.exp(0.5 * log_variance) * noise, label, train)
        return restored, self.generate(prior, label, train), mean, log_variance

    def _checked(self, label: Labels | None, count: int) -> Labels | None:
        if label is None and self.classes:
            if not self.is_initializing():
                raise InputError(f"label is missing: a network of {self.classes} classes needs one for each image, (N,)")
            return jnp.zeros(count, jnp.int32)
        return label


def with_label(x: Latents, label: Labels | None, classes: int) -> jax.Array:
    """Vectors (N, D) with the label of each as `classes` numbers behind it, of which one is 1; as they are without classes."""
    return jnp.asarray(x) if not classes else jnp.concatenate([x, jax.nn.one_hot(label, classes, dtype=x.dtype)], -1)
