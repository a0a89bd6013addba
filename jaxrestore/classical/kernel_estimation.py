"""Which blur a picture has suffered, found from the picture alone: the point spread function that explains it with few edges.

From coarse to fine, and at each size a few times in turn:

    sharp <- argmin over x:  |psf * x - image|^2 + weight * (number of pixels where x changes)          few edges, but strong ones
    psf   <- argmin over k:  |k * differences(sharp) - differences(image)|^2 + ridge |k|^2              what blurs them into the image

The sharp images are means to an end, cartoons of the picture; the restored image comes from a deconvolution with the kernel found.
"""

import math
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxrestore.classical.borders import extend, seen_pixels, torus_size
from jaxrestore.classical.images import in_float
from jaxrestore.classical.tv_deconvolution import adjoint_differences, differences
from jaxrestore.classical.wiener_deconvolution import operator_power
from jaxrestore.errors import InputError
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.color import rgb_to_gray
from jaxrestore.ops.fourier import from_spectrum, psf_to_otf, to_spectrum
from jaxrestore.ops.resize import imresize
from jaxrestore.typing import Image

# Each size of the pyramid over the next larger one.
_STEP = math.sqrt(0.5)
_ROUNDS = 5
_LEAST_WEIGHT = 1e-4
_WEIGHT_DECAY = 1.1
_GREATEST_PENALTY = 1e5
# In parts of the sharp differences' power; keeps a kernel from growing where the image says nothing about it.
_RIDGE = 1e-2
_CONJUGATE_GRADIENTS = 20
# What is below this share of a kernel's peak is taken for noise.
_LEAST_SHARE = 0.1
# The share of pixels, those with the strongest differences, from which a kernel is estimated.
_STRONGEST = 0.2


def estimate_psf(image: Image, *, size: int = 25, weight: float | int = 0.012) -> Float[Array, "... size size"]:
    """Estimate the one blur of a whole picture, such as that of a shaken camera.

    It needs edges: a picture of fine texture alone can mislead it. Twice the size takes about four times as long.

    Args:
      image: (..., H, W, C) in [0, 1]; three channels are taken as RGB, others are averaged.
      size: height and width of the kernel sought, odd and at least 3: somewhat more than the blur's reach, for noise settles in the rest.
      weight: of an edge in the first rounds, > 0, falling by a tenth in each; larger values use only stronger edges.

    Returns:
      (..., size, size), for each image a kernel that is not negative and sums to one, with its centre of mass in the middle: where a blur
      sits cannot be known.

    Raises:
      InputError: size is even, below 3 or larger than the image, or weight is not positive.

    Reference: Xu, Zheng and Jia, "Unnatural L0 Sparse Representation for Natural Image Deblurring", CVPR 2013, section 3, with the
    gradient's part of Pan, Hu, Su and Yang, "Deblurring Text Images via L0-Regularized Intensity and Gradient Prior", CVPR 2014, equations
    8 and 12 to 15; the choice of strong differences: Cho and Lee, "Fast Motion Deblurring", SIGGRAPH Asia 2009, section 4.
    """
    _check_size(size, image)
    check_range("weight", weight, low=0.0, open_low=True)
    pixels = in_float(image)
    grey = rgb_to_gray(pixels) if pixels.shape[-1] == 3 else jnp.mean(pixels, axis=-1, keepdims=True)
    batch = grey.shape[:-3]
    grey = grey.reshape(-1, *grey.shape[-3:])
    psf, weights = None, jnp.full(len(grey), weight, grey.dtype)
    for length in _sizes(size):
        shape = (round(grey.shape[1] * length / size), round(grey.shape[2] * length / size))
        psf = jnp.broadcast_to(_start(length, grey.dtype), (len(grey), length, length)) if psf is None else _enlarge(psf, length)
        psf, weights = _improve(grey if length == size else imresize(grey, size=shape), psf, weights)
    return psf.reshape(*batch, size, size)


def _check_size(size: int, image: Image) -> None:
    """The size is odd, at least 3 and no larger than the image.

    Raises:
      InputError: it is not.
    """
    if size % 2 == 0 or not 3 <= size <= min(image.shape[-3:-1]):
        raise InputError(f"size is {size}: it must be odd, at least 3 and no larger than the image's {image.shape[-3]}x{image.shape[-2]}")


def _sizes(size: int) -> list[int]:
    """Odd sizes from 3 up to `size`."""
    steps = math.ceil(math.log(3.0 / size) / math.log(_STEP))
    smaller = (max(3, math.ceil(size * _STEP**step)) for step in range(steps + 1))
    return sorted({length + 1 - length % 2 for length in smaller})


def _start(length: int, dtype: jnp.dtype) -> jax.Array:
    """Two pixels beside each other: a single one would already explain everything."""
    return jnp.zeros((length, length), dtype).at[length // 2, length // 2 : length // 2 + 2].set(0.5)


@partial(jax.jit, static_argnums=1)
def _enlarge(psf: jax.Array, length: int) -> jax.Array:
    return jax.vmap(_clean)(imresize(psf[..., None], size=(length, length))[..., 0])


@jax.jit
@jax.vmap
def _improve(image: jax.Array, psf: jax.Array, weight: jax.Array) -> tuple[jax.Array, jax.Array]:
    """All rounds at one size, for (H, W, 1) and (k, k)."""
    size = torus_size(image, psf, "open")
    inside = seen_pixels(image, size)
    data = extend(image, size)
    blurred = tuple(inside * part for part in differences(data))

    def once(_: jax.Array | int, state: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        psf, weight, data = state
        otf = psf_to_otf(psf, size)
        sharp = _few_edges(data, otf, weight)
        # What lies beyond the border was a guess; the sharp image knows better.
        data = jnp.where(inside > 0.0, data, from_spectrum(otf * to_spectrum(sharp), size))
        edges = _strongest(*(inside * part for part in differences(sharp)))
        psf = _centred(_clean(_explain(blurred, edges, psf)))
        return psf, jnp.maximum(weight / _WEIGHT_DECAY, _LEAST_WEIGHT), data

    psf, weight, _ = jax.lax.fori_loop(0, _ROUNDS, once, (psf, weight, data))
    return psf, weight


def _few_edges(data: jax.Array, otf: jax.Array, weight: jax.Array) -> jax.Array:
    """Half-quadratic splitting: differences that are not worth their weight are set to zero, under a penalty that doubles."""
    size = (data.shape[0], data.shape[1])
    roughness = operator_power("gradient", size, data.dtype)
    power, matched = jnp.square(jnp.abs(otf)), jnp.conj(otf) * to_spectrum(data)
    doublings = math.ceil(math.log2(_GREATEST_PENALTY / (2.0 * _LEAST_WEIGHT)))

    def step(index: jax.Array | int, sharp: jax.Array) -> jax.Array:
        penalty = jnp.minimum(2.0 * weight * 2.0**index, _GREATEST_PENALTY)
        down, right = differences(sharp)
        kept = jnp.square(down) + jnp.square(right) >= weight / penalty
        wanted = adjoint_differences(jnp.where(kept, down, 0.0), jnp.where(kept, right, 0.0))
        return from_spectrum((matched + penalty * to_spectrum(wanted)) / (power + penalty * roughness), size)

    return jax.lax.fori_loop(0, doublings, step, data)


def _strongest(down: jax.Array, right: jax.Array) -> tuple[jax.Array, jax.Array]:
    length = jnp.square(down) + jnp.square(right)
    kept = length > jnp.quantile(length, 1.0 - _STRONGEST)
    return jnp.where(kept, down, 0.0), jnp.where(kept, right, 0.0)


def _explain(blurred: tuple[jax.Array, ...], edges: tuple[jax.Array, ...], psf: jax.Array) -> jax.Array:
    """Least squares over kernels of this size alone: a Toeplitz system of the edges' autocorrelation, by conjugate gradients."""
    size, k = (edges[0].shape[0], edges[0].shape[1]), psf.shape[-1]
    spectra = [to_spectrum(part) for part in edges]
    power = sum(jnp.conj(part) * part for part in spectra)
    matched = sum(jnp.conj(part) * to_spectrum(data) for part, data in zip(spectra, blurred, strict=True))
    autocorrelation = jnp.roll(from_spectrum(power, size), (k - 1, k - 1), (0, 1))[: 2 * k - 1, : 2 * k - 1, 0]
    correlation = jnp.roll(from_spectrum(matched, size), (k // 2, k // 2), (0, 1))[:k, :k, 0]
    ridge, room = _RIDGE * autocorrelation[k - 1, k - 1], (3 * k, 3 * k)
    spectrum = jnp.fft.rfft2(autocorrelation, room)

    def normal(kernel: jax.Array) -> jax.Array:
        full = jnp.fft.irfft2(jnp.fft.rfft2(kernel, room) * spectrum, room)
        return full[k - 1 : 2 * k - 1, k - 1 : 2 * k - 1] + ridge * kernel

    return jax.scipy.sparse.linalg.cg(normal, correlation, x0=psf, maxiter=_CONJUGATE_GRADIENTS)[0]


def _clean(psf: jax.Array) -> jax.Array:
    psf = jnp.where(psf < _LEAST_SHARE * jnp.max(psf), 0.0, psf)
    return psf / jnp.sum(psf)


def _centred(psf: jax.Array) -> jax.Array:
    """Move the centre of mass to the middle, by whole pixels."""
    k = psf.shape[-1]
    position = jnp.arange(k, dtype=psf.dtype) - k // 2
    rows, columns = (jnp.round(jnp.sum(jnp.sum(psf, axis) * position)).astype(int) for axis in (1, 0))
    psf = jax.lax.dynamic_slice(jnp.pad(psf, k), (k + rows, k + columns), (k, k))
    return psf / jnp.sum(psf)
