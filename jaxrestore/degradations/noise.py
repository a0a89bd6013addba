"""Noise: degradations that add a random field to an image, or replace pixels at random.

Every function takes a key and an image (..., H, W, C), float in [0, 1], and gives the noisy image in the same shape and dtype, **not
clipped** (the denoising literature measures on unclipped noise; `degradations.clip` follows where a sensor or file would clip). Levels are
in grey levels of 0..255, the literature's unit. The images of a batch get independent noise (see `batches`); the same key gives the same
noise.
"""

import jax
import jax.numpy as jnp

from jaxrestore.degradations.arguments import Interval, Level
from jaxrestore.degradations.batches import each_image
from jaxrestore.degradations.checks import check_interval
from jaxrestore.degradations.compose import blind
from jaxrestore.ops.checks import check_range
from jaxrestore.typing import Image, Key

GREY_LEVELS = 255.0


def gaussian(key: Key, image: Image, sigma: Level) -> Image:
    """Additive white Gaussian noise.

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1].
      sigma: standard deviation in grey levels, >= 0; one number, or one for each image of the batch.

    Raises:
      InputError: sigma is negative.

    Reference: the noise model of Zhang et al., "Beyond a Gaussian Denoiser", TIP 2017, section IV.
    """
    check_range("sigma", sigma, low=0.0)
    return each_image(_gaussian, key, image, sigma)


def _gaussian(key: Key, image: jax.Array, sigma: jax.Array) -> jax.Array:
    return image + sigma / GREY_LEVELS * jax.random.normal(key, image.shape, image.dtype)


def gaussian_blind(key: Key, image: Image, sigma: Interval = (0.0, 55.0)) -> Image:
    """Additive white Gaussian noise whose level is drawn uniformly, once for each image: what a blind denoiser is trained on.

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1].
      sigma: (low, high) of the standard deviation in grey levels, >= 0.

    Raises:
      InputError: sigma is negative, or its ends are in the wrong order.

    Reference: Zhang et al., "Beyond a Gaussian Denoiser", TIP 2017, section IV.A (DnCNN-B).
    """
    return blind(gaussian, sigma=check_interval("sigma", sigma, low=0.0))(key, image)


def poisson(key: Key, image: Image, peak: Level) -> Image:
    """Photon (shot) noise: counts are Poisson with mean `peak * image`, so the variance at grey value v is v / peak.

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1]; negative values are taken as 0, since a light level cannot be negative.
      peak: expected photons at white, > 0; one number, or one for each image of the batch. 30 is a dark phone picture, 1000 a good one.

    Raises:
      InputError: peak is not positive.
    """
    check_range("peak", peak, low=0.0, open_low=True)
    return each_image(_poisson, key, image, peak)


def _poisson(key: Key, image: jax.Array, peak: jax.Array) -> jax.Array:
    return jax.random.poisson(key, peak * jnp.maximum(image, 0.0)).astype(image.dtype) / peak


def speckle(key: Key, image: Image, sigma: Level) -> Image:
    """Multiplicative Gaussian noise: image * (1 + n), as in coherent imaging (radar, ultrasound); black stays black.

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1].
      sigma: standard deviation at white in grey levels, >= 0; at grey value v it is v * sigma. One number, or one for each image.

    Raises:
      InputError: sigma is negative.
    """
    check_range("sigma", sigma, low=0.0)
    return each_image(_speckle, key, image, sigma)


def _speckle(key: Key, image: jax.Array, sigma: jax.Array) -> jax.Array:
    return image + image * (sigma / GREY_LEVELS * jax.random.normal(key, image.shape, image.dtype))


def salt_and_pepper(key: Key, image: Image, rate: Level, salt: Level = 0.5) -> Image:
    """Impulse noise: each value of each channel is, with probability `rate`, replaced by white or black.

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1].
      rate: share of values that are replaced, 0..1; one number, or one for each image.
      salt: share of white among the replaced, 0..1; likewise.

    Raises:
      InputError: rate or salt is outside 0..1.
    """
    check_range("rate", rate, low=0.0, high=1.0)
    check_range("salt", salt, low=0.0, high=1.0)
    return each_image(_salt_and_pepper, key, image, rate, salt)


def _salt_and_pepper(key: Key, image: jax.Array, rate: jax.Array, salt: jax.Array) -> jax.Array:
    chance = jax.random.uniform(key, image.shape, image.dtype)
    return jnp.where(chance < rate * salt, 1.0, jnp.where(chance < rate, 0.0, image))
