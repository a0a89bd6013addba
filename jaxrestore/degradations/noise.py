"""Noise: degradations that add a random field to an image, or replace pixels at random.

Every function takes a key and an image (..., H, W, C), float in [0, 1], and gives the noisy image in the same shape and dtype, **not
clipped** (the denoising literature measures on unclipped noise; `degradations.clip` follows where a sensor or file would clip). Levels are
in grey levels of 0..255, the literature's unit. The images of a batch get independent noise (see `batches`); the same key gives the same
noise.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxrestore.degradations.arguments import Interval, Level
from jaxrestore.degradations.batches import each_image
from jaxrestore.degradations.checks import check_interval
from jaxrestore.degradations.compose import blind
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.poisson import poisson_counts
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
    return poisson_counts(key, peak * jnp.maximum(image, 0.0)) / peak


def poisson_gaussian(key: Key, image: Image, peak: Level, sigma: Level) -> Image:
    """Noise of a raw sensor: photon counts, and the Gaussian noise of reading them; the variance at value v is v / peak + sigma ** 2.

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1], linear in light; negative values are taken as 0.
      peak: expected photons at white, > 0; one number, or one for each image.
      sigma: standard deviation of the read noise in grey levels, >= 0; likewise.

    Raises:
      InputError: peak is not positive, or sigma is negative.

    Reference: Foi et al., "Practical Poissonian-Gaussian Noise Modeling and Fitting for Single-Image Raw-Data", TIP 2008, section II.
    """
    check_range("peak", peak, low=0.0, open_low=True)
    check_range("sigma", sigma, low=0.0)
    return each_image(_poisson_gaussian, key, image, peak, sigma)


def _poisson_gaussian(key: Key, image: jax.Array, peak: jax.Array, sigma: jax.Array) -> jax.Array:
    photon_key, read_key = jax.random.split(key)
    return _gaussian(read_key, _poisson(photon_key, image, peak), sigma)


def gaussian_varying(key: Key, image: Image, sigma: Interval = (0.0, 50.0), cells: int = 4) -> Image:
    """Gaussian noise whose level changes smoothly over the image: `noise_level` is the map.

    Args:
      key: random key.
      image: (..., H, W, C) in [0, 1].
      sigma: (low, high) of the standard deviation in grey levels, >= 0; the map stays between them.
      cells: how many fields lie along each side, between whose corners the level changes, 1..64.

    Raises:
      InputError: sigma is negative or its ends are in the wrong order, or cells is outside 1..64.

    Reference: Zhang et al., "FFDNet", TIP 2018, section IV.D; Yue et al., "Variational Denoising Network", NeurIPS 2019, section 4.1.
    """
    return each_image(_gaussian_varying, key, image, **_field(sigma, cells))


def noise_level(key: Key, image: Image, sigma: Interval = (0.0, 50.0), cells: int = 4) -> Float[Array, "... _ _ 1"]:
    """The level of the noise that `gaussian_varying` with the same key and arguments adds, in grey levels.

    Args:
      key: random key.
      image: (..., H, W, C); only its shape matters.
      sigma: as for `gaussian_varying`.
      cells: as for `gaussian_varying`.

    Returns:
      (..., H, W, 1): uniform draws at the corners of `cells` x `cells` fields, and between them weighted means of the nearest four.

    Raises:
      InputError: as for `gaussian_varying`.
    """
    return each_image(_noise_level, key, image, **_field(sigma, cells))


def _field(sigma: Interval, cells: int) -> dict[str, tuple[float, float] | int]:
    check_range("cells", cells, low=1, high=64)
    return {"sigma": check_interval("sigma", sigma, low=0.0), "cells": cells}


def _gaussian_varying(key: Key, image: jax.Array, sigma: tuple[float, float], cells: int) -> jax.Array:
    noise_key = jax.random.fold_in(key, 1)
    return _gaussian(noise_key, image, _noise_level(key, image, sigma, cells))


def _noise_level(key: Key, image: jax.Array, sigma: tuple[float, float], cells: int) -> jax.Array:
    corners = jax.random.uniform(jax.random.fold_in(key, 0), (cells + 1, cells + 1), image.dtype, sigma[0], sigma[1])
    rows, columns = (_fade(side, cells, image.dtype) for side in image.shape[:2])
    # Sums and no matrix products: those may be rounded otherwise for another number of images.
    along = sum(rows[:, i, None] * corners[i][None, :] for i in range(cells + 1))
    return sum(along[:, i, None] * columns[None, :, i] for i in range(cells + 1))[:, :, None]


def _fade(side: int, cells: int, dtype: jnp.dtype) -> np.ndarray:
    """(side, cells + 1): the share of every corner in every pixel, a smooth step from one corner to the next."""
    distance = np.abs((np.arange(side)[:, None] + 0.5) / side * cells - np.arange(cells + 1)[None, :])
    near = np.clip(1.0 - distance, 0.0, 1.0)
    return (near**2 * (3.0 - 2.0 * near)).astype(dtype)


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
