"""The random blur kernels of BSRGAN and Real-ESRGAN, with the published probabilities and ranges."""

import math

import jax
import jax.numpy as jnp

from jaxrestore.ops.blur_kernels import (
    anisotropic_gaussian_kernel,
    gaussian_kernel,
    generalised_gaussian_kernel,
    plateau_kernel,
    sinc_kernel,
    truncate_kernel,
)
from jaxrestore.typing import Key

ESRGAN_SIZE, BSRGAN_SIZE = 21, 25
_SINC = 0.1
# Isotropic and anisotropic Gaussian, the same two generalised, the same two with a plateau.
_KINDS = (0.45, 0.25, 0.12, 0.03, 0.12, 0.03)
_GENERALISED, _PLATEAU = (0.5, 4.0), (1.0, 2.0)  # ranges of the shape


def esrgan_kernel(key: Key, sigma: tuple[float, float]) -> tuple[jax.Array, jax.Array]:
    """A kernel of Real-ESRGAN's first or second blur, which differ in the range of sigma; and the side of its support, 7..21."""
    keys = jax.random.split(key, 8)
    support = 2 * jax.random.randint(keys[0], (), 3, 11) + 1
    long, short = jax.random.uniform(keys[1], (2,), minval=sigma[0], maxval=sigma[1])
    angle = jax.random.uniform(keys[2], minval=-180.0, maxval=180.0)
    kind = jax.random.choice(keys[3], len(_KINDS), p=jnp.asarray(_KINDS))
    short = jnp.where(kind % 2 == 0, long, short)
    low, high = (jnp.where(kind < 4, generalised, plateau) for generalised, plateau in zip(_GENERALISED, _PLATEAU, strict=True))
    # Half of the shapes are peaked, between the low end and 1, and half flat, between 1 and the high end.
    peaked, share = jax.random.bernoulli(keys[4]), jax.random.uniform(keys[5])
    shape = jnp.where(peaked, low + share * (1.0 - low), 1.0 + share * (high - 1.0))
    cutoff = jax.random.uniform(keys[6], minval=jnp.where(support < 13, math.pi / 3, math.pi / 5), maxval=math.pi)
    drawn = jnp.where(jax.random.bernoulli(keys[7], _SINC), 3, kind // 2)
    kernels = (
        lambda: anisotropic_gaussian_kernel(ESRGAN_SIZE, long, short, angle),
        lambda: generalised_gaussian_kernel(ESRGAN_SIZE, long, short, angle, shape),
        lambda: plateau_kernel(ESRGAN_SIZE, long, short, angle, shape),
        lambda: sinc_kernel(ESRGAN_SIZE, cutoff),
    )
    return truncate_kernel(jax.lax.switch(drawn, kernels), support.astype(float)), support


def esrgan_final_sinc(key: Key) -> tuple[jax.Array, jax.Array]:
    """Real-ESRGAN's last filter, and the side of its support, 7..21."""
    size_key, cutoff_key = jax.random.split(key)
    support = 2 * jax.random.randint(size_key, (), 3, 11) + 1
    cutoff = jax.random.uniform(cutoff_key, minval=math.pi / 3, maxval=math.pi)
    return truncate_kernel(sinc_kernel(ESRGAN_SIZE, cutoff), support.astype(float)), support


def bsrgan_kernel(key: Key, scale: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A kernel of BSRGAN's blur, as often isotropic as not; and the side of its support, 7..25."""
    keys = jax.random.split(key, 5)
    support = 2 * jax.random.randint(keys[0], (), 2, 12) + 3
    # The code draws the variances of the anisotropic kernels and the standard deviation of the others.
    long, short = jnp.sqrt((4.0 + scale) * jax.random.uniform(keys[1], (2,)))
    angle = 180.0 * jax.random.uniform(keys[2])
    sigma = (2.0 + 0.2 * scale) * jax.random.uniform(keys[3])
    kernels = (lambda: gaussian_kernel(BSRGAN_SIZE, sigma), lambda: anisotropic_gaussian_kernel(BSRGAN_SIZE, long, short, angle))
    kernel = jax.lax.switch(jax.random.bernoulli(keys[4]).astype(int), kernels)
    return truncate_kernel(kernel, support.astype(float)), support
