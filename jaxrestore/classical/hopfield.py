"""Restoration by a network of two-state neurons: each pixel is the sum of its neurons, and neurons flip while that lowers the energy.

    E(x) = 1/2 |seen * (psf * x - image)|^2 + weight / 2 |D x|^2,    x in whole grey levels, D a Laplacian

Neurons of a pixel are alike, so that a pixel changes by as many flips at once as lower the energy most. Pixels further apart than the psf
is wide are not connected: a lattice of them changes at once, and energies add up. As a lattice's psfs lie side by side without a gap, every
pixel's input is a sum over a cell, of the psf's size, of the image.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxrestore.classical.borders import extend, seen_pixels
from jaxrestore.classical.images import in_float
from jaxrestore.classical.psf import in_unit_sum
from jaxrestore.ops.checks import check_range
from jaxrestore.ops.fourier import Kernel, filter_circular
from jaxrestore.ops.padding import crop
from jaxrestore.typing import Image

_GREY_LEVELS = 255.0
SMOOTHNESS = np.array([[1, 4, 1], [4, -20, 4], [1, 4, 1]]) / 6
"""The operator D."""
# Somewhat above what D gives of photographs; a weight of the noise's variance over its square gave the best PSNR.
_TYPICAL_CURVATURE = 0.14
# A weight for images without noise; rounding is noise, too.
_LEAST_SIGMA = 0.1


def hopfield(image: Image, *, psf: Kernel, sigma: float | int, strength: float | int = 1.0, neurons: int = 255, sweeps: int = 40) -> Image:
    """Deblur by letting a network of neurons settle, started from the blurred image.

    The energy never rises. Where it comes to rest no pixel can lower it alone, and with many neurons that is the regularised least-squares
    solution in [0, 1]. Beyond the border the scene is unknown and is restored with the rest.

    Args:
      image: (..., H, W, C) in [0, 1], each channel a network of its own.
      psf: point spread function, (kh, kw) or (..., kh, kw), see `classical.psf`.
      sigma: standard deviation of the noise in grey levels, >= 0; below 0.1 it counts as that.
      strength: factor on the weight of smoothness (sigma / 255)^2 / 0.14^2, > 0.
      neurons: of each pixel, at least 1: its value is the share of them that is on.
      sweeps: times that every pixel is visited at most, >= 0; it ends when nothing changes.

    Returns:
      The restored image, in [0, 1], in whole steps of 1 / neurons.

    Raises:
      InputError: a value out of its range, or a psf that is larger than the image, negative or nowhere above 0.

    Reference: Zhou, Chellappa, Vaid and Jenkins, "Image Restoration Using a Neural Network", IEEE Transactions on Acoustics, Speech, and
      Signal Processing 1988, sections II to IV; they change a pixel by one step at a time and visit pixels one after the other.
    """
    check_range("sigma", sigma, low=0.0)
    check_range("strength", strength, low=0.0, open_low=True)
    check_range("neurons", neurons, low=1)
    check_range("sweeps", sweeps, low=0)
    pixels = in_float(image)
    psf = in_unit_sum(psf, pixels)
    weight = strength * jnp.square(jnp.maximum(sigma, _LEAST_SIGMA) / (_GREY_LEVELS * _TYPICAL_CURVATURE))
    settled = settle(pixels, psf, jnp.asarray(weight, pixels.dtype), jnp.asarray(neurons, pixels.dtype), jnp.asarray(sweeps))
    return crop(settled, (image.shape[-3], image.shape[-2])).astype(image.dtype)


@jax.jit
def settle(image: jax.Array, psf: jax.Array, weight: jax.Array, neurons: jax.Array, sweeps: jax.Array) -> jax.Array:
    """The state after at most `sweeps` sweeps, on the torus that holds the image in its top left corner: (..., H', W', C).

    Args:
      image: (..., H, W, C).
      psf: (kh, kw) or (..., kh, kw), sums to one.
      weight: of smoothness, > 0.
      neurons: of each pixel.
      sweeps: at most.
    """
    kh, kw = psf.shape[-2:]
    # So that D fits into a cell around the psf's centre.
    rest = [(1 - side // 2 if side == 1 else 0, 3 - side - (1 if side == 1 else 0) if side < 3 else 0) for side in (kh, kw)]
    psf = jnp.pad(psf, [(0, 0)] * (psf.ndim - 2) + rest)
    cell = psf.shape[-2], psf.shape[-1]
    # Room for what the border hides, in whole cells.
    size = tuple(-(-(side + reach - 1) // reach) * reach for side, reach in zip(image.shape[-3:-1], cell, strict=True))
    channels = jnp.moveaxis(image, -1, -3).reshape(-1, *image.shape[-3:-1])
    psfs = jnp.broadcast_to(psf, (*image.shape[:-3], *cell)).reshape(-1, *cell)
    psfs = jnp.repeat(psfs, image.shape[-1], axis=0)
    one = partial(_one_channel, size=size, weight=weight, neurons=neurons, sweeps=sweeps)
    states = jax.lax.map(lambda pair: one(*pair), (channels, psfs))
    return jnp.moveaxis(states.reshape(*image.shape[:-3], image.shape[-1], *size), -3, -1)


def _one_channel(
    image: jax.Array, psf: jax.Array, size: tuple[int, int], weight: jax.Array, neurons: jax.Array, sweeps: jax.Array
) -> jax.Array:
    height, width = psf.shape
    cells = (size[0] // height, height, size[1] // width, width)
    top, left = height // 2 - 1, width // 2 - 1
    smoothness = jnp.asarray(np.pad(SMOOTHNESS, ((top, height - 3 - top), (left, width - 3 - left))), image.dtype)
    seen = seen_pixels(image[..., None], size)[..., 0]
    data = extend(image[..., None], size)[..., 0] * neurons

    def cell_sums(field: jax.Array, stamp: jax.Array) -> jax.Array:
        return jnp.einsum("ihjw,hw->ij", field.reshape(cells), stamp, precision="highest")

    def stamped(changes: jax.Array, stamp: jax.Array) -> jax.Array:
        return (changes[:, None, :, None] * stamp[None, :, None, :]).reshape(size)

    def visit(fields: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
        """Change the pixels at the middle of each cell, and go one column on."""
        state, residual, curvature, mask = fields
        force = cell_sums(residual, psf) - weight * cell_sums(curvature, smoothness)
        stiffness = cell_sums(mask, jnp.square(psf)) + weight * jnp.sum(jnp.square(smoothness))
        # The nearest whole number to the least energy; of two alike, the one that changes less.
        wanted = force / stiffness
        flips = jnp.sign(wanted) * jnp.ceil(jnp.abs(wanted) - 0.5)
        before = state.reshape(cells)[:, height // 2, :, width // 2]
        flips = jnp.clip(before + flips, 0.0, neurons) - before
        changed = stamped(flips, smoothness)
        middle = jnp.zeros((height, width), state.dtype).at[height // 2, width // 2].set(1.0)
        fields = jnp.stack([state + stamped(flips, middle), residual - mask * stamped(flips, psf), curvature + changed, mask])
        return jnp.roll(fields, -1, axis=2), jnp.any(flips != 0.0)

    def visit_row(fields: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
        fields, changed = jax.lax.scan(visit, fields, length=width)
        return jnp.roll(fields, (-1, width), axis=(1, 2)), jnp.any(changed)

    def sweep(progress: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        state, number, _ = progress
        # Afresh in every sweep, so that rounding does not add up.
        blurred = filter_circular(state[..., None], psf)[..., 0]
        curvature = filter_circular(state[..., None], jnp.asarray(SMOOTHNESS, state.dtype))[..., 0]
        fields = jnp.stack([state, seen * (data - blurred), curvature, seen])
        fields, changed = jax.lax.scan(visit_row, fields, length=height)
        return jnp.roll(fields[0], height, axis=0), number + 1, jnp.any(changed)

    start = (jnp.clip(jnp.round(data), 0.0, neurons), jnp.zeros_like(sweeps), jnp.asarray(True))
    state, _, _ = jax.lax.while_loop(lambda progress: progress[2] & (progress[1] < sweeps), sweep, start)
    return state / neurons
